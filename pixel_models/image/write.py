"""Writes PNG files: indexed where the picture is, and never half."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ImageError, PixelModelError, ShapeError
from . import png
from .tensors import check_image, to_uint8

LEFTOVER_SUFFIX = ".kiln-part"
"""Ending of the hidden file that a picture is written to before it gets its name."""


class _Colors(Protocol):
    @property
    def colors(self) -> Tensor: ...


@runtime_checkable
class PixelIndices(Protocol):
    """What `write_png` needs of an indexed picture; `palette.IndexedImage` is one."""

    @property
    def indices(self) -> Tensor:
        """`b h w`, int64."""
        ...

    @property
    def palette(self) -> _Colors:
        """Its `colors` are `k 3`, uint8."""
        ...

    @property
    def transparent(self) -> Tensor | None:
        """`b h w`, bool."""
        ...


def write_png(
    path: str | os.PathLike[str], picture: Tensor | PixelIndices, text: Mapping[str, str] | None = None
) -> None:
    """Write one picture as PNG: into a hidden file beside it, then renamed, so that nothing half-written shows.

    An indexed picture with at most 256 entries, transparency included, becomes an indexed PNG of 1, 2, 4 or 8 bits a
    pixel, compressed in a few ways of which the smallest is kept. Its palette keeps its order and its repeats; where
    pixels are transparent, entry 0 stands for them and the palette follows. Any other picture becomes RGB, or RGBA
    where it has alpha.

    Args:
        path: the file; its folder must exist.
        picture: `1 3 h w` or `1 4 h w`, floating point in [0, 1], straight alpha; or an indexed picture of one frame.
        text: what to note in the file, by keyword.

    Raises:
        ShapeError, ImageError: `picture` is not one picture, or the file cannot be written there.
    """
    write_bytes(Path(path), encode_png(picture, text))


def encode_png(picture: Tensor | PixelIndices, text: Mapping[str, str] | None = None) -> bytes:
    """The file that `write_png` writes, with its arguments and complaints about the picture."""
    return _encode(picture, text or {}) if isinstance(picture, Tensor) else _encode_indices(picture, text or {})


def _encode(picture: Tensor, text: Mapping[str, str]) -> bytes:
    check_image(picture, "picture", channels=(3, 4))
    if picture.shape[0] != 1:
        msg = f"expected one picture `1 c h w`, got shape {tuple(picture.shape)}; write them one by one"
        raise ShapeError(msg)
    return encode_colors(to_uint8(picture.detach()[0].cpu()).permute(1, 2, 0).numpy(), text)  # h w c


def encode_colors(pixels: NDArray[np.uint8], text: Mapping[str, str]) -> bytes:
    """A PNG of `h w 3` or `h w 4`, uint8; opaque pixels go without their alpha.

    Raises:
        ImageError: a note that cannot be kept.
    """
    from PIL import Image

    if pixels.shape[-1] == 4 and bool((pixels[..., 3] == 255).all()):
        pixels = pixels[..., :3]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
    head = len(png.SIGNATURE) + 25  # the notes come after the first chunk, as in the indexed kind
    return buffer.getvalue()[:head] + png.text_chunks(text) + buffer.getvalue()[head:]


def _encode_indices(picture: PixelIndices, text: Mapping[str, str]) -> bytes:
    if picture.indices.shape[0] != 1:
        msg = f"expected an indexed picture of one frame, got {picture.indices.shape[0]}; write them one by one"
        raise ShapeError(msg)
    indices = picture.indices[0].cpu()  # h w
    colors = picture.palette.colors.cpu()  # k 3
    clear = None if picture.transparent is None else picture.transparent[0].cpu()  # h w
    if clear is not None and not bool(clear.any()):
        clear = None
    if len(colors) + (clear is not None) > 256:
        alpha = torch.full_like(indices, 255) if clear is None else torch.where(clear, 0, 255)
        pixels = torch.cat([colors[indices].long() * (alpha > 0)[..., None], alpha[..., None]], dim=-1)  # h w 4
        return encode_colors(pixels.to(torch.uint8).numpy(), text)
    if clear is not None:
        indices = (indices + 1).masked_fill(clear, 0)
        colors = torch.cat([torch.zeros(1, 3, dtype=torch.uint8), colors])
    return png.indexed_png(indices.to(torch.uint8).numpy(), colors.numpy(), clear=clear is not None, text=text)


def remove_leftovers(folder: Path, seconds: float = 3600) -> None:
    """Delete what killed programs left of unfinished files in a folder, when it is older than `seconds`."""
    for path in folder.glob(f".*{LEFTOVER_SUFFIX}"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > seconds:
                path.unlink()


def write_bytes(path: Path, data: bytes, error: type[PixelModelError] = ImageError) -> None:
    """Put `data` at `path` in one step: into a hidden file beside it, then renamed.

    Args:
        path: the file; its folder must exist.
        data: all of it.
        error: what is raised where it cannot be written, for files that are no pictures.

    Raises:
        PixelModelError: of the kind `error`: the file cannot be written there.
    """
    part = hidden_beside(path)
    with told_of(path, error):
        try:
            with part.open("xb") as file:
                file.write(data)
            part.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def hidden_beside(path: Path) -> Path:
    """A name for an unfinished file.

    It is its own for every write, and cannot be there yet: neither two programs at work on one output nor a link that
    somebody left under a guessed name can spoil a file.
    """
    return path.with_name(f".{path.stem[:40]}.{secrets.token_hex(6)}{LEFTOVER_SUFFIX}")


@contextlib.contextmanager
def told_of(path: Path, error: type[PixelModelError]) -> Iterator[None]:
    """Turn what the system says while `path` is written into `error`, with what to do."""
    try:
        yield
    except FileNotFoundError as problem:
        msg = f"{path}: the folder {path.parent} does not exist; make it first"
        raise error(msg) from problem
    except NotADirectoryError as problem:
        msg = f"{path}: {path.parent} is not a folder; choose another place"
        raise error(msg) from problem
    except IsADirectoryError as problem:
        msg = f"{path}: is a folder; expected the name of a file"
        raise error(msg) from problem
    except OSError as problem:
        msg = f"{path}: cannot be written ({problem.strerror or problem}); choose another place or make room"
        raise error(msg) from problem
