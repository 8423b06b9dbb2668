"""`read_art` and `read_text`: every kind of sprite file in, with its times, tags, names and notes."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ImageError, PixelModelError, is_out_of_memory
from ..image import open_picture, to_rgba
from ..image.png import SIGNATURE
from ..image.read import frame_count
from ..palette.files.aseprite import is_sprite
from ..sheets.core import DURATION, Frame, SpriteSheet
from . import webp
from .apng import check_chunks
from .aseprite import read_aseprite, read_aseprite_text
from .gif import scan_gif
from .limits import MAX_ART_BYTES, MAX_ART_PIXELS, check_extent

if TYPE_CHECKING:
    from PIL import Image

_GIFS = (b"GIF87a", b"GIF89a")
_LONGEST = 2**31 - 1


def read_art(path: str | os.PathLike[str]) -> SpriteSheet:
    """Read a sprite file: still, moving, or Aseprite's; what it is, its first bytes say.

    Frames are named after the file, with a number where there are several; Aseprite files written here keep theirs.
    A frame whose time is not said, or is 0, gets 100 ms, as browsers show it. Tags come from Aseprite files alone, and
    how often it plays from the others.

    Args:
        path: PNG, APNG, GIF, WebP, .aseprite (or .ase, when it is a sprite), or what else `image.read_rgba` reads.

    Returns:
        The frames, each `4 h w`, not packed.

    Raises:
        ImageError: missing, empty, cut short, no such file, or over `limits.MAX_ART_PIXELS` in all.
    """
    path = Path(path)
    with _named(path):
        data = _read_bytes(path)
        if is_sprite(data):
            return read_aseprite(data, path.stem)
        _check(data)
        del data
        with open_picture(path, MAX_ART_PIXELS) as image:
            return _read_frames(image, path.stem)


def _read_frames(image: Image.Image, name: str) -> SpriteSheet:
    count = frame_count(image)
    check_extent(count, image.width, image.height)
    # an APNG may begin with a picture for programs that do not know animations
    first = 1 if count > 1 and image.info.get("default_image") else 0
    count -= first
    digits = len(str(count - 1))
    frames: list[Frame] = []
    plays = _plays(image) if count > 1 else 0
    spent = 0
    for index in range(count):
        image.seek(first + index)
        image.load()
        spent += image.width * image.height
        if spent > MAX_ART_PIXELS:
            check_extent(1, spent, 1)
        milliseconds = float(image.info.get("duration", 0) or 0)
        duration = round(milliseconds) if 1 <= milliseconds <= _LONGEST else DURATION
        title = name if count == 1 else f"{name}_{index:0{digits}}"
        frames.append(Frame(rgba=to_rgba(image)[0], name=title, duration=duration))
    return SpriteSheet(frames=tuple(frames), loop=plays)


def _plays(image: Image.Image) -> int:
    """How often an animation plays; 0: for ever. A GIF says how often it plays again, and nothing where it does not."""
    told = image.info.get("loop")
    if image.format == "GIF":
        told = 1 if told is None else told and told + 1
    return told if isinstance(told, int) and told > 0 else 0


def read_text(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read the notes that a sprite file bears, by keyword; the inverse of `write_art`'s `text`.

    PNG and APNG: text chunks. GIF: the comment, by keyword where it is a JSON object of texts, else under "comment".
    WebP: the EXIF strings "key:value", as ComfyUI writes them. Aseprite: the sprite's properties, and its note under
    "text".

    Raises:
        ImageError: missing, damaged, or of another kind.
    """
    path = Path(path)
    with _named(path):
        data = _read_bytes(path)
        if is_sprite(data):
            return read_aseprite_text(data)
        if data[:6] in _GIFS:
            return _parse_comment(b"\n".join(scan_gif(data).comments).decode("utf-8", "replace"))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            exif = [contents for kind, contents in webp.chunks(data) if kind == b"EXIF"]
            return webp.read_exif(exif[0]) if exif else {}
        if not data.startswith(SIGNATURE):
            msg = "bears no notes that can be read; expected PNG, GIF, WebP or an Aseprite file"
            raise ImageError(msg)
        check_chunks(data)
    with open_picture(path, MAX_ART_PIXELS) as image:
        image.load()  # notes may come after the pixels
        notes = getattr(image, "text", {})
        return {str(key): str(value) for key, value in notes.items()}


def _parse_comment(comment: str) -> dict[str, str]:
    if not comment:
        return {}
    with contextlib.suppress(ValueError, RecursionError):
        notes = json.loads(comment)
        if isinstance(notes, dict) and all(isinstance(value, str) for value in notes.values()):
            return notes
    return {"comment": comment}


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_ART_BYTES + 1)
    except FileNotFoundError as error:
        msg = "there is no such file"
        raise ImageError(msg) from error
    except OSError as error:
        msg = f"cannot be read ({error.strerror or error})"
        raise ImageError(msg) from error
    if not data or len(data) > MAX_ART_BYTES:
        msg = f"the file is {'too large' if data else 'empty'}; expected 1 to {MAX_ART_BYTES} bytes"
        raise ImageError(msg)
    return data


def _check(data: bytes) -> None:
    """Refuse what would take too much memory as soon as Pillow opens it."""
    if data[:6] in _GIFS:
        facts = scan_gif(data)
        check_extent(facts.count, facts.width, facts.height)
    elif data.startswith(SIGNATURE):
        check_chunks(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found = webp.chunks(data)
        for kind, contents in found:
            if kind == b"VP8X" and len(contents) >= 10:
                width, height = (int.from_bytes(contents[at : at + 3], "little") + 1 for at in (4, 7))
                check_extent(max(1, sum(kind == b"ANMF" for kind, _ in found)), width, height)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what goes wrong into an `ImageError` that names the file."""
    try:
        yield
    except PixelModelError as error:
        msg = str(error) if str(path) in str(error) else f"{path}: {error}"
        raise ImageError(msg) from error
    except MemoryError as error:
        msg = f"{path}: there is not enough memory for it"
        raise ImageError(msg) from error
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        msg = f"{path}: there is not enough memory for it"
        raise ImageError(msg) from error
