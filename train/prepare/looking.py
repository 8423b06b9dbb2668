"""Looks into one file: reads it, brings it to native size, cuts it; whatever is wrong with it becomes a sentence."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pixel_models.errors import PixelModelError
from pixel_models.image import to_uint8
from pixel_models.sheets import Metadata, SpriteSheet, parse_metadata
from pixel_models.spritefiles import read_art

from .clearing import clear_plain
from .cutting import SMALL, cut_picture
from .model import Box, Found, Kind, Piece, Pixels
from .native import Native, exact_cells, middles, to_native
from .softness import is_lossy

METADATA = (".json", ".tres", ".tscn", ".css", ".csv")
"""Endings of engine metadata, which lies beside a sheet under its name."""
MAX_PIXELS = 2**24
"""Larger pictures are no sheet of sprites (4096x4096)."""
LARGEST = 256
"""Longest side of a sprite where nothing else is said, cells."""
_THUMB = 224
_SPECK = 4
"""Pieces of at most so many opaque cells, or less than 3 along both sides, are dust."""
_WRONG = (OSError, ValueError, RuntimeError, MemoryError, ArithmeticError, LookupError, SyntaxError, EOFError)
"""What a damaged file may raise anywhere below; a `PixelModelError` is a `ValueError`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """One file to look into, and how."""

    file: str
    """The source's name and the path inside it."""
    path: str
    """Where it lies."""
    beside: tuple[str, ...] = ()
    """Files that may be its metadata."""
    pictures: bool = False
    """Whether smooth pictures are wanted, and sprites are not."""
    largest: int = LARGEST
    clear: bool = True
    """Take plain backgrounds away."""


def look_into(job: Job) -> Found:
    """Find what a file holds. Never raises for what is in the file: a `Found` of kind "refused" says why."""
    try:
        sheet = read_art(job.path)
    except _WRONG as error:
        return _refused(job, _plainly(error, job))
    frames = [_pixels(frame.rgba) for frame in sheet.frames]
    size = (frames[0].shape[1], frames[0].shape[0])
    thumb = _thumb(frames[0])
    try:
        found = _look(job, sheet, frames)
    except _WRONG as error:
        found = _refused(job, _plainly(error, job))
    return dataclasses.replace(found, size=size, thumb=thumb)


def _look(job: Job, sheet: SpriteSheet, frames: list[Pixels]) -> Found:
    height, width = frames[0].shape[:2]
    if height * width > MAX_PIXELS:
        return _refused(job, f"{width}x{height} pixels are over the limit of {MAX_PIXELS} for a sheet")
    if all(not frame[..., 3].any() for frame in frames):
        return _refused(job, "nothing in it is visible")
    if all((frame == frame[:1, :1]).all() for frame in frames):
        return _refused(job, "it is of one colour")
    metadata = _metadata(job, (width, height)) if len(frames) == 1 else None
    native = to_native(frames, lossy=is_lossy(job.path))
    if job.pictures:
        return _as_picture(job, frames, native)
    if native is None:
        return Found(
            file=job.file, kind="picture", what="a smooth drawing or a photo, no pixel art; --find pictures takes such"
        )
    what = f"{width}x{height}, {native.how}"
    if len(frames) > 1:
        pieces = tuple(
            Piece(pixels=made, name=frame.name, tag=frame.tag)
            for made, frame in zip(_cleared(native.frames, clear=job.clear), sheet.frames, strict=True)
        )
        return _kept(job, "animation", f"{what}; {len(frames)} frames", native.cell, pieces)
    if metadata is not None:
        pieces = _by_metadata(native, metadata)
        return _kept(job, "sheet", f"{what}; {len(pieces)} frames by its metadata", native.cell, pieces)
    cut = cut_picture(native.frames[0])
    if cut is None:
        return _refused(job, f"{what}: opaque and without regular cells, a whole scene rather than sprites")
    if cut.is_sheet:
        pieces = _halved(cut.pieces)
        return _kept(job, "sheet", f"{what}; {len(pieces)} from {cut.how}", native.cell, pieces)
    made = _cleared(native.frames, clear=job.clear)[0]
    made = _cropped(made) if max(made.shape[:2]) > SMALL else made
    return _kept(job, "sprite", what, native.cell, (Piece(pixels=made, box=(0, 0, made.shape[1], made.shape[0])),))


def _as_picture(job: Job, frames: list[Pixels], native: Native | None) -> Found:
    if len(frames) > 1:
        return _refused(job, f"an animation of {len(frames)} frames, no single picture")
    if native is not None:
        return _refused(job, f"pixel art ({native.how}), no smooth picture; --find sprites takes such")
    return Found(file=job.file, kind="picture", what="a smooth picture", pieces=(Piece(pixels=frames[0]),))


def _kept(job: Job, kind: Kind, what: str, cell: float, pieces: Sequence[Piece]) -> Found:
    """What stays of the pieces: not the empty, the tiny and the huge."""
    kept: list[Piece] = []
    out: list[str] = []
    for number, piece in enumerate(pieces):
        height, width = piece.pixels.shape[:2]
        seen = piece.pixels[..., 3] >= 128
        where = f"piece {number} at {piece.box[:2]}" if kind == "sheet" else f"frame {number}"
        if int(seen.sum()) <= _SPECK or max(_extent(piece.pixels)) < 3:
            out.append(f"{where}: empty, or a speck")
        elif max(height, width) > job.largest:
            out.append(f"{where}: {width}x{height} is over {job.largest} along a side")
        else:
            kept.append(dataclasses.replace(piece, pixels=_plain(piece.pixels)))
    if not kept:
        return _refused(job, f"{what}: no piece is left, {out[0] if out else 'none was found'}")
    return Found(file=job.file, kind=kind, what=what, cell=cell, pieces=tuple(kept), left_out=tuple(out))


def _plain(pixels: Pixels) -> Pixels:
    """Black where nothing is: no colour hides under transparency."""
    return np.ascontiguousarray(pixels * (pixels[..., 3:] > 0))


def _cleared(frames: list[Pixels], *, clear: bool) -> list[Pixels]:
    return clear_plain(frames) if clear else frames


def _extent(pixels: Pixels) -> tuple[int, int]:
    rows, columns = ((pixels[..., 3] >= 128).any(axis=axis).nonzero()[0] for axis in (1, 0))
    return (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1) if len(rows) else (0, 0)


def _cropped(pixels: Pixels) -> Pixels:
    rows, columns = ((pixels[..., 3] > 0).any(axis=axis).nonzero()[0] for axis in (1, 0))
    return np.ascontiguousarray(pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]) if len(rows) else pixels


def _halved(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Pieces that were enlarged each for itself, before they were put on the sheet; only if all were."""
    import torch

    made: list[Piece] = []
    for piece in pieces:
        pixels = _cropped(piece.pixels)
        lines = exact_cells(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255)
        if lines is None:
            return pieces
        x, y = lines
        made.append(dataclasses.replace(piece, pixels=np.ascontiguousarray(pixels[middles(y)][:, middles(x)])))
    return tuple(made)


def _metadata(job: Job, size: tuple[int, int]) -> Metadata | None:
    """The first of the files beside it that is metadata of a picture of this size."""
    for path in job.beside:
        try:
            metadata = parse_metadata(Path(path).read_text(encoding="utf-8-sig"))
        except (OSError, PixelModelError, UnicodeDecodeError):
            continue
        inside = all(e.place.x + e.place.width <= size[0] and e.place.y + e.place.height <= size[1]
                     for e in metadata.entries)  # fmt: skip
        if metadata.size in (None, size) and inside:
            return metadata
    return None


def _by_metadata(native: Native, metadata: Metadata) -> tuple[Piece, ...]:
    """Frames where the metadata says they are, its pixels counted in cells."""
    pixels = native.frames[0]
    pieces: list[Piece] = []
    for entry in metadata.entries:
        place = entry.place
        left, right = (_cell_at(native, 0, x) for x in (place.x, place.x + place.width))
        top, bottom = (_cell_at(native, 1, y) for y in (place.y, place.y + place.height))
        box: Box = (left, top, right, bottom)
        if right > left and bottom > top:
            piece = np.ascontiguousarray(pixels[top:bottom, left:right])
            pieces.append(Piece(pixels=piece, name=entry.name, tag=entry.tag, box=box))
    return tuple(pieces)


def _cell_at(native: Native, axis: int, place: int) -> int:
    if native.lines is None:
        return place
    return int(np.abs(np.array(native.lines[axis]) - place).argmin())


def _pixels(rgba: object) -> Pixels:
    import torch

    assert isinstance(rgba, torch.Tensor)
    return np.ascontiguousarray(to_uint8(rgba).permute(1, 2, 0).numpy())


def _thumb(pixels: Pixels) -> bytes:
    picture = Image.fromarray(pixels)
    if max(picture.size) > _THUMB:
        picture.thumbnail((_THUMB, _THUMB), Image.Resampling.BOX)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _refused(job: Job, why: str) -> Found:
    return Found(file=job.file, kind="refused", what=why)


def _plainly(error: BaseException, job: Job) -> str:
    """The message without the place where the file happened to lie."""
    return str(error).replace(f"{job.path}: ", "").replace(job.path, job.file) or type(error).__name__
