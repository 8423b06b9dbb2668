"""VIDEO: files and frames of films in ComfyUI, in and out."""

from __future__ import annotations

import contextlib
import io as streams
import secrets
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.v0_0_2 import Input, InputImpl, Types
from torch import Tensor

_WHOLE = (("start_time", 0), ("duration", 0))


def is_film_file(video: Input.Video) -> bool:
    """Whether a VIDEO is a file, or part of one, that can be read as a stream; else its frames are in memory."""
    return isinstance(video, InputImpl.VideoFromFile)


@contextlib.contextmanager
def film_source(video: Input.Video) -> Iterator[Path]:
    """A file of this VIDEO for as long as it is needed: its own, or one in ComfyUI's temp folder.

    A VIDEO that newer versions of ComfyUI have cut is saved first, so that only the part is seen.
    """
    source: Any = None if _is_cut(video) else video.get_stream_source()
    if isinstance(source, str):
        yield Path(source)
        return
    path = film_place(".mp4")
    try:
        if source is None:
            video.save_to(str(path))
        else:
            assert isinstance(source, streams.BytesIO)
            path.write_bytes(source.getbuffer())
        yield path
    finally:
        path.unlink(missing_ok=True)


def _is_cut(video: Input.Video) -> bool:
    """Whether a newer ComfyUI shows only a part of the file."""
    for name, whole in _WHOLE:
        for key, value in vars(video).items():
            if key.endswith(f"__{name}") and value not in (whole, None):
                return True
    return False


def film_place(suffix: str) -> Path:
    """A new file's path in ComfyUI's temp folder, which ComfyUI empties when it starts."""
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"pixel_kiln_{secrets.token_hex(8)}{suffix}"


def film_of_file(path: Path) -> Input.Video:
    """A VIDEO of a file; Save Video copies it as it is."""
    return InputImpl.VideoFromFile(str(path))


def film_parts(video: Input.Video) -> tuple[Tensor, Any, Fraction]:
    """Frames as IMAGE, the sound as AUDIO or None, and frames a second, all in memory."""
    parts = video.get_components()
    return parts.images, parts.audio, Fraction(parts.frame_rate)


def film_of_frames(image: Tensor, audio: Any, rate: Fraction) -> Input.Video:  # noqa: ANN401
    """A VIDEO of frames as IMAGE, the inverse of `film_parts`."""
    return InputImpl.VideoFromComponents(Types.VideoComponents(images=image, audio=audio, frame_rate=rate))
