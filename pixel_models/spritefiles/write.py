"""`write_art`: one call for every kind of sprite file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import ImageError
from ..image import encode_colors, write_bytes
from ..image.png import indexed_png
from ..palette import IndexedImage, Palette
from ..sheets.core import SpriteSheet
from .apng import write_apng
from .aseprite import write_aseprite
from .endings import SAVE_ENDINGS, SAVE_FORMATS
from .film import Art, Film, make_film, to_sheet
from .gif import gif_times, write_gif
from .webp import write_webp

_BROWSERS_LEAST = 20


def write_art(
    path: str | os.PathLike[str],
    art: Art,
    *,
    format: str | None = None,  # noqa: A002
    scale: int = 1,
    loop: int | None = None,
    duration: int = 100,
    palette: Palette | None = None,
    text: Mapping[str, str] | None = None,
    layers: Mapping[str, Art] | None = None,
) -> list[Path]:
    """Write frames as one file, or as a PNG each; every pixel comes back as it was, but for what stands here.

    With a palette, or where all frames together have no more than 256 colours (the transparent one included) and no
    half-opaque pixel, the file is indexed with one palette for all frames, in its order, after the transparent entry
    where there is one. Else PNG, APNG, WebP and Aseprite's files hold RGBA; in a GIF, pixels below half opacity
    become transparent, the others opaque, and more colours than it holds are brought to a palette made of all frames.

    In an animation and in an Aseprite file, smaller frames are set at the middle of the bottom of the largest width
    and height, since sprites stand on the ground; PNGs keep each its size. Times are exact in APNG, WebP and
    Aseprite's files; GIF has hundredths of a second: `gif_times` rounds so that the whole stays right. `kept` says
    what a format will not hold.

    Args:
        path: the file; an existing one is replaced, whole or not at all. Of several PNGs, "a.png" becomes
            "a_0000.png", "a_0001.png" and so on.
        art: frames with their times, names and tags; an indexed batch; or a batch `b 4 h w` or `b 3 h w`.
        format: one of `SAVE_FORMATS`; None: by the ending of `path`, where ".png" is a PNG a frame.
        scale: every pixel so many times along both axes.
        loop: how often an animation plays; 0: for ever; None: as often as `art` says, or else for ever.
        duration: milliseconds a frame, where `art` does not say.
        palette: bring all pixels to its nearest colours, and transparent where they are below half opacity.
        text: notes to keep in the file, such as ComfyUI's "prompt" and "workflow"; `read_text` reads them. PNGs and
            APNGs bear them as text chunks, GIFs as a comment, WebP as EXIF where ComfyUI seeks them, Aseprite's files
            as properties of the sprite. Of several PNGs every one does.
        layers: for Aseprite's files, by name from the back: what is drawn, instead of `art` itself, which then gives
            times, names and tags. All need as many frames as `art`.

    Returns:
        The files, in order.

    Raises:
        ShapeError, ImageError: a format or ending that is not known, frames or times beyond what the format holds,
            numbers out of range, or the file cannot be written.
    """
    path, kind = _choose(Path(path), format)
    if loop is None:
        loop = art.loop if isinstance(art, SpriteSheet) else 0
    if isinstance(loop, bool) or not isinstance(loop, int) or loop < 0:
        msg = f"loop is {loop!r}, expected 0 for ever, or how often it plays"
        raise ImageError(msg)
    if layers is not None and kind != "aseprite":
        msg = f"layers cannot be kept as {kind}; expected aseprite"
        raise ImageError(msg)
    notes = dict(text or {})
    if kind == "aseprite":
        films = _layers(art, layers, scale, duration, palette)
        write_bytes(path, write_aseprite(films, notes))
        return [path]
    film = make_film(art, scale=scale, duration=duration, palette=palette, one_size=kind != "png", hard=kind == "gif")
    if kind == "png":
        return _write_pngs(path, film, notes)
    writer = {"gif": write_gif, "apng": write_apng, "webp": write_webp}[kind]
    write_bytes(path, writer(film, loop, notes))
    return [path]


def _choose(path: Path, kind: str | None) -> tuple[Path, str]:
    suffix = path.suffix.lower()
    if kind is None:
        found = [name for name, suffixes in SAVE_ENDINGS.items() if suffix in suffixes]
        if not found:
            known = ", ".join(dict.fromkeys(one for suffixes in SAVE_ENDINGS.values() for one in suffixes))
            msg = f"{path}: {suffix or 'no ending'!r} is no sprite file that is written; expected one of {known}"
            raise ImageError(msg)
        return path, found[0]
    if kind not in SAVE_ENDINGS:
        msg = f"{path}: {kind!r} is no format; expected one of {', '.join(SAVE_FORMATS)}"
        raise ImageError(msg)
    if suffix not in SAVE_ENDINGS[kind]:
        msg = f"{path}: {suffix or 'no ending'!r} is no ending of {kind}; expected {' or '.join(SAVE_ENDINGS[kind])}"
        raise ImageError(msg)
    return path, kind


def _write_pngs(path: Path, film: Film, text: Mapping[str, str]) -> list[Path]:
    paths = [path]
    if len(film.frames) > 1:
        paths = [path.with_name(f"{path.stem}_{index:04}{path.suffix}") for index in range(len(film.frames))]
    for target, frame in zip(paths, film.frames, strict=True):
        if film.colors is None:
            write_bytes(target, encode_colors(frame, text))
        else:
            write_bytes(target, indexed_png(frame, film.colors, clear=film.clear, text=text))
    return paths


def _layers(
    art: Art, layers: Mapping[str, Art] | None, scale: int, duration: int, palette: Palette | None
) -> dict[str, Film]:
    """A film a layer, with one palette and one size for all."""
    told = to_sheet(art, duration)
    if layers is None:
        return {"Layer": make_film(art, scale=scale, duration=duration, palette=palette, always_clear=True)}
    sheets = [to_sheet(layer, duration) for layer in layers.values()]
    if not sheets or any(len(sheet) != len(told) for sheet in sheets):
        msg = f"layers of {[len(sheet) for sheet in sheets]} frames; expected one or more layers, each of {len(told)}"
        raise ImageError(msg)
    together = SpriteSheet(frames=tuple(frame for sheet in sheets for frame in sheet.frames))
    film = make_film(together, scale=scale, palette=palette, always_clear=True)
    size = len(told)
    return {
        name: dataclasses.replace(
            film,
            frames=film.frames[at * size : (at + 1) * size],
            durations=[frame.duration for frame in told.frames],
            names=[frame.name for frame in told.frames],
            tags=[frame.tag for frame in told.frames],
        )
        for at, name in enumerate(layers)
    }


def kept(art: Art, format: str, *, duration: int = 100) -> list[str]:  # noqa: A002
    """Say what a format will not hold of these frames, one sentence each; empty where it holds all.

    Args:
        art: as for `write_art`.
        format: one of `SAVE_FORMATS`.
        duration: as for `write_art`.

    Raises:
        ImageError: no such format.
    """
    if format not in SAVE_ENDINGS:
        msg = f"{format!r} is no format; expected one of {', '.join(SAVE_FORMATS)}"
        raise ImageError(msg)
    sheet = to_sheet(art, duration)
    times = [frame.duration for frame in sheet.frames]
    notes: list[str] = []
    if format == "gif":
        notes += _gif_losses(art, times)
    if format == "png" and len(set(times)) > 1:
        notes.append("PNGs hold no times; choose an animation, or keep the sheet's metadata.")
    if format not in ("png", "aseprite") and len(times) > 1 and min(times) < _BROWSERS_LEAST:
        notes.append(f"Browsers show a frame of {min(times)} ms for 100 ms; give each {_BROWSERS_LEAST} ms or more.")
    if format != "aseprite" and any(frame.tag for frame in sheet.frames):
        notes.append(f"{format.upper()} holds no tags; Aseprite's files do.")
    if format == "aseprite" and len(times) > 1 and sheet.loop:
        notes.append(f"Aseprite's files hold no number of times that they play; it was {sheet.loop}.")
    if format != "png" and not sheet.same_size:
        notes.append("Frames differ in size; smaller ones stand at the middle of the bottom.")
    return notes


def _gif_losses(art: Art, times: list[int]) -> list[str]:
    notes: list[str] = []
    shown = [10 * time for time in gif_times(times)]
    if shown != times:
        odd, became = next((time, new) for time, new in zip(times, shown, strict=True) if time != new)
        whole = f"{sum(times)} ms in all " + ("stay" if sum(shown) == sum(times) else f"become {sum(shown)} ms")
        notes.append(f"GIF has hundredths of a second: a frame of {odd} ms gets {became} ms; {whole}.")
    if isinstance(art, IndexedImage):
        return notes
    exact = make_film(art, one_size=False)
    if exact.colors is None:
        soft = any(bool(((frame[..., 3] > 0) & (frame[..., 3] < 255)).any()) for frame in exact.frames)
        notes.append("GIF holds no half-opaque pixels; they become opaque or transparent." if soft else "")
        notes.append("GIF holds 256 colours; where there are more, a palette is made of all frames.")
    return [note for note in notes if note]
