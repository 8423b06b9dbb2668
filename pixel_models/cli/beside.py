"""Metadata beside a sheet: its picture notes what was written, so that nobody else's is replaced."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..errors import ImageError, PixelModelError
from ..spritefiles import read_text

BESIDE = "pixel-kiln-metadata"
"""Keyword under which a sheet's picture notes the fingerprint of the metadata that was written with it."""


def fingerprint(metadata: bytes) -> str:
    """What a picture notes of the file beside it."""
    return hashlib.sha256(metadata).hexdigest()[:16]


def check_beside(picture: Path, metadata: Path) -> None:
    """Make sure that a metadata file may be replaced: there is none, or it is as it was written with its picture.

    Raises:
        ImageError: it is somebody else's, or was changed since.
    """
    if not os.path.lexists(metadata):
        return
    try:
        own = fingerprint(metadata.read_bytes()) == read_text(picture).get(BESIDE)
    except (OSError, PixelModelError):
        own = False  # without its picture nobody knows whose it is
    if not own:
        msg = (
            f"{metadata}: is there already and is not what pixel-kiln wrote with {picture.name}; give --overwrite to "
            "replace it"
        )
        raise ImageError(msg)
