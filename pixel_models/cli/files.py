"""Reads whatever a user names: pictures, animations, Aseprite files; which of a folder's files are such."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ..errors import ImageError
from ..image import count_frames, read_rgba
from ..palette.files.aseprite import is_sprite
from ..sheets import Frame, SpriteSheet
from ..spritefiles import ART_SUFFIXES, MOVING_SUFFIXES, read_art

_SPRITES = (*MOVING_SUFFIXES, ".ase")
_HEAD = 8
"""Bytes of an Aseprite file up to its number of frames."""


def is_art(path: Path) -> bool:
    """Whether a file of a folder is one to read, by its ending; of `.ase`, Adobe's swatches are none."""
    suffix = path.suffix.lower()
    if suffix == ".avif":
        from PIL import features

        return "avif" in features.get_supported()
    return suffix in ART_SUFFIXES and (suffix != ".ase" or is_sprite(_head(path)))


def count_art(source: Path) -> int:
    """Frames of any file that `read_file` reads.

    Raises:
        ImageError: as `count_frames`.
    """
    head = _head(source)
    return int.from_bytes(head[6:8], "little") if is_sprite(head) else count_frames(source)


def read_file(source: Path) -> SpriteSheet:
    """Read any picture or sprite file; a still picture may be as large as `read_rgba` takes it.

    Raises:
        ImageError: as `read_art` and `read_rgba`.
    """
    if source.suffix.lower() in _SPRITES or count_art(source) > 1:
        return read_art(source)
    return SpriteSheet(frames=(Frame(rgba=_read_picture(source)[0], name=source.stem),))


def read_still(source: Path, *, first_frame: bool = False) -> Tensor:
    """Read what is to be one picture.

    Args:
        source: any file that `read_file` reads.
        first_frame: take the first frame of an animation instead of refusing it.

    Returns:
        `1 4 h w`, float32 in [0, 1], straight alpha.

    Raises:
        ImageError: as `read_file`; an animation.
    """
    frames = count_art(source)
    if frames > 1 and not first_frame:
        msg = f"is an animation of {frames} frames, and one picture is made; give --first-frame to use the first"
        raise ImageError(msg)
    return _read_picture(source)


def stack(art: SpriteSheet) -> Tensor:
    """All frames as `b 4 h w`; a single one is not copied.

    Raises:
        SheetError: they differ in size.
    """
    return art.frames[0].rgba[None] if len(art) == 1 else art.batch()


def _read_picture(source: Path) -> Tensor:
    return read_art(source).frames[0].rgba[None] if is_sprite(_head(source)) else read_rgba(source)


def _head(path: Path) -> bytes:
    """The first bytes; none where the file cannot be read, which is told when it is."""
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""
