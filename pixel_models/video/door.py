"""PyAV, which reads and writes films: imported when a film is first opened, and what its errors mean."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from ..errors import FilmError

LEAST = (14, 2)
"""The oldest version of PyAV that serves."""


def av_module() -> ModuleType:
    """PyAV.

    Raises:
        FilmError: it is not installed, or too old.
    """
    try:
        import av
    except ImportError as error:
        msg = "films are read and written by PyAV, which is not installed; type: pip install av"
        raise FilmError(msg) from error
    found = tuple(int(part) for part in av.__version__.split(".")[:2])
    if found < LEAST:
        msg = f"PyAV is {av.__version__}, expected {'.'.join(map(str, LEAST))} or newer; type: pip install -U av"
        raise FilmError(msg)
    return av


@contextlib.contextmanager
def told(path: Path, doing: str) -> Iterator[None]:
    """Turn what PyAV and the system raise meanwhile into a `FilmError` that names the file.

    Args:
        path: the file.
        doing: what cannot be done where it goes wrong, such as "be written".
    """
    av = av_module()
    try:
        yield
    except FilmError as error:
        raise error if str(path) in str(error) else FilmError(f"{path}: {error}") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        # A `PixelModelError` is a ValueError too, and has said what is wrong.
        if type(error).__module__.endswith("pixel_models.errors"):
            raise
        text = getattr(error, "strerror", None) or str(error)
        msg = f"{path}: cannot {doing} ({text})"
        raise FilmError(msg) from error
