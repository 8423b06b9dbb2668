"""Sheets on disk: `write_sheet` puts picture and metadata side by side, `read_sheet` takes them up, `cut` cuts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..errors import PaletteError, ShapeError, SheetError
from ..image import check_image, encode_png, read_rgba, to_uint8
from ..palette import IndexedImage, index_exactly
from .core import Frame, SpriteSheet
from .metadata import MAX_CHARACTERS, Entry, Metadata, MetadataFormat, format_metadata, metadata_suffix, parse_metadata
from .metadata.model import check_inside
from .pair import write_pair

_MOST_COLORS = 255
_MAX_PIXELS = 2**25
"""Of all whole frames together, where that is more than the picture has: a short text can claim anything."""


def cut(picture: Tensor, metadata: Metadata) -> SpriteSheet:
    """Cut frames out of a sheet's picture; what was trimmed away is put back as transparent pixels.

    Args:
        picture: `4 h w`, float32 in [0, 1], straight alpha.
        metadata: what was said about it.

    Raises:
        ShapeError, ImageError: `picture` is no picture.
        SheetError: the metadata was made for a picture of another size, or claims frames outside it or too large.
    """
    if not isinstance(picture, Tensor) or picture.ndim != 3:
        msg = (
            f"expected a picture `4 h w`, got {tuple(picture.shape) if isinstance(picture, Tensor) else type(picture)}"
        )
        raise ShapeError(msg)
    check_image(picture[None], "picture", channels=(4,))
    size = (picture.shape[2], picture.shape[1])
    if metadata.size is not None and metadata.size != size:
        msg = f"the metadata is for a picture of {metadata.size[0]}x{metadata.size[1]} pixels, got {size[0]}x{size[1]}"
        raise SheetError(msg)
    total = 0
    for entry in metadata.entries:
        check_inside(entry, size)
        total += entry.width * entry.height
    limit = max(_MAX_PIXELS, size[0] * size[1])
    if total > limit:
        msg = f"the frames together would have {total} pixels, over the limit of {limit}"
        raise SheetError(msg)
    picture = picture.detach().float()
    frames = tuple(_frame(picture, entry) for entry in metadata.entries)
    return SpriteSheet(frames=frames, picture=picture, places=metadata.places)


def _frame(picture: Tensor, entry: Entry) -> Frame:
    place = entry.place
    rgba = torch.zeros(4, entry.height, entry.width, device=picture.device)
    piece = picture[:, place.y : place.y + place.height, place.x : place.x + place.width]
    rgba[:, place.top : place.top + place.height, place.left : place.left + place.width] = piece
    return Frame(rgba=rgba, name=entry.name, duration=entry.duration, pivot=entry.pivot, tag=entry.tag)


def write_sheet(
    path: str | os.PathLike[str],
    sheet: SpriteSheet,
    kind: MetadataFormat,
    *,
    overwrite: bool = False,
    text: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write a packed sheet's picture, and its metadata under the same name with the format's ending.

    Args:
        path: of the picture, ending in `.png`; its folder must exist.
        sheet: with picture and places.
        kind: one of `METADATA_FORMATS`.
        overwrite: replace files that are there, both or neither.
        text: what to note in the picture, by keyword.

    Returns:
        The two files.

    Raises:
        SheetError: as `format_metadata`; a file is there already, or cannot be written.
        ImageError: the picture cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        msg = f"{path}: expected a name that ends in .png"
        raise SheetError(msg)
    metadata = format_metadata(sheet, kind, path.name)
    beside = path.with_suffix(metadata_suffix(kind))
    for target in (path, beside):
        if not overwrite and (target.exists() or target.is_symlink()):
            msg = f"{target}: is there already; choose another name, or say that it may be overwritten"
            raise SheetError(msg)
    assert sheet.picture is not None
    write_pair(path, encode_png(_fewest_bits(sheet.picture), text), beside, metadata.encode())
    return [path, beside]


def _fewest_bits(picture: Tensor) -> Tensor | IndexedImage:
    """Indexed where that loses nothing: few colours, and no half-transparent pixel."""
    rgba = picture[None]
    opacity = to_uint8(rgba[:, 3])
    if bool(((opacity > 0) & (opacity < 255)).any()):
        return rgba
    try:
        indexed = index_exactly(rgba[:, :3], rgba[:, 3:])
    except PaletteError:
        return rgba
    return indexed if len(indexed.palette) <= _MOST_COLORS else rgba


def read_sheet(path: str | os.PathLike[str]) -> SpriteSheet:
    """Read metadata, and the picture that it names from the same folder (or, unnamed, the PNG of the same name).

    Args:
        path: of the metadata, of any of `METADATA_FORMATS`.

    Raises:
        SheetError: as `parse_metadata` and `cut`; a file that is missing or too long.
        ImageError: the picture cannot be read.
    """
    path = Path(path)
    try:
        metadata = parse_metadata(_read_text(path))
        picture = path.parent / (metadata.image or f"{path.stem}.png")
        if not picture.is_file():
            msg = f"names the picture {picture.name!r}, which is not beside it"
            raise SheetError(msg)
        return cut(read_rgba(picture)[0], metadata)
    except SheetError as error:
        raise error if str(path) in str(error) else SheetError(f"{path}: {error}") from error


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CHARACTERS + 1)
    except OSError as error:
        msg = f"{path}: cannot be read ({error.strerror or error})"
        raise SheetError(msg) from error
    if len(data) > MAX_CHARACTERS:
        msg = f"{path}: is longer than metadata should be (at most {MAX_CHARACTERS} bytes)"
        raise SheetError(msg)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: is no text in UTF-8; expected metadata, not the picture"
        raise SheetError(msg) from error
