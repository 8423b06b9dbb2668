"""How much a sprite file may hold: a small file can claim to hold any number of frames of any size."""

from __future__ import annotations

from ..errors import ImageError

MAX_ART_PIXELS = 2**25
"""The most pixels of all frames of a file together (8192 of 64x64, 128 of 512x512): 512 MiB as float RGBA."""

MAX_ART_FRAMES = 2**13
"""The most frames of a file."""

MAX_ART_BYTES = 2**26
"""The largest file that is read."""


MAX_PARTS = 2**16
"""The most blocks or chunks that a file is made of, where there is one for each frame or less."""

MAX_NOTE_BYTES = 2**23
"""The most that all notes in a file take."""


def check_extent(frames: int, width: int, height: int) -> None:
    """Refuse more frames and pixels than are read.

    Raises:
        ImageError: over the limits, or nothing at all.
    """
    if not frames or not width or not height:
        msg = f"{frames} frames of {width}x{height} pixels; expected at least one of each"
        raise ImageError(msg)
    if frames > MAX_ART_FRAMES or frames * width * height > MAX_ART_PIXELS:
        msg = (
            f"{frames} frames of {width}x{height} pixels are over the limit of {MAX_ART_FRAMES} frames "
            f"and {MAX_ART_PIXELS} pixels together"
        )
        raise ImageError(msg)
