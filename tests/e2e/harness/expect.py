"""What a workflow's pictures must look like: reads `tests/e2e/expected/NAME.json` and checks pictures against it.

CONTRIBUTING.md documents the format.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
"""`h w 4`: straight alpha."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What one node must have shown or saved; a field that is None is not checked."""

    count: int = 1
    """Number of pictures."""
    size: tuple[int, int]
    """Width and height in pixels, of every picture."""
    mode: str | None = None
    """Pillow's mode of the file, such as RGB or RGBA."""
    colors: tuple[int, int] | None = None
    """Least and most distinct colours among the pixels that are not wholly transparent."""
    cell: int | None = None
    """Every square of this many pixels, from the top left, is of one colour and one alpha."""
    palette: tuple[str, ...] | None = None
    """#rrggbb; no other colour may occur."""
    transparent: tuple[float, float] | None = None
    """Least and most share of wholly transparent pixels; all others must be wholly opaque."""
    mean: tuple[float, float, float] | None = None
    """Mean 8-bit R, G, B of the opaque pixels …"""
    tolerance: float = 8.0
    """… and how far each may be off."""

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Expectation:
        """Reads one entry.

        Raises:
            ValueError: an unknown field.
        """
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise ValueError(f"unknown fields {unknown}; known are {sorted(known)}")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**values)


def read_expectations(path: Path) -> tuple[dict[str, Expectation], float]:
    """The expectations of a workflow by node id, and the seconds it may take."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if unknown := sorted(set(data) - {"about", "seconds", "pictures"}):
        raise ValueError(f"{path.name}: unknown fields {unknown}; known are about, pictures, seconds")
    if not data["pictures"]:
        raise ValueError(f"{path.name}: no picture is expected, so nothing would be checked")
    expectations = {node: Expectation.from_json(entry) for node, entry in data["pictures"].items()}
    return expectations, float(data.get("seconds", 120))


def faults(expected: Expectation, files: list[bytes]) -> list[str]:
    """What is wrong with the pictures of a node; nothing, if all is as expected."""
    if len(files) != expected.count:
        return [f"{len(files)} pictures, expected {expected.count}"]
    return [f"picture {i}: {fault}" for i, file in enumerate(files) for fault in _picture_faults(expected, file)]


def _picture_faults(expected: Expectation, file: bytes) -> list[str]:
    found = []
    with Image.open(io.BytesIO(file)) as image:
        if image.size != expected.size:
            return [f"{image.size[0]}x{image.size[1]} pixels, expected {expected.size[0]}x{expected.size[1]}"]
        if expected.mode not in (None, image.mode):
            found.append(f"mode {image.mode}, expected {expected.mode}")
        pixels = np.asarray(image.convert("RGBA"))
    visible = pixels[pixels[..., 3] > 0][:, :3]
    colors = {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.unique(visible, axis=0)}
    if expected.colors is not None and not expected.colors[0] <= len(colors) <= expected.colors[1]:
        found.append(f"{len(colors)} colours, expected {expected.colors[0]} to {expected.colors[1]}")
    if expected.palette is not None and (foreign := sorted(colors - {color.lower() for color in expected.palette})):
        found.append(f"{len(foreign)} colours that are not in the palette: {foreign[:5]}")
    if expected.cell is not None and (uneven := uneven_cells(pixels, expected.cell)):
        found.append(f"{uneven} cells of {expected.cell} pixels are not of one colour")
    return found + _alpha_faults(expected, pixels) + _mean_faults(expected, visible)


def _alpha_faults(expected: Expectation, pixels: Pixels) -> list[str]:
    if expected.transparent is None:
        return []
    found = []
    low, high = expected.transparent
    share = float((pixels[..., 3] == 0).mean())
    if not low <= share <= high:
        found.append(f"{share:.3f} of the pixels are transparent, expected {low} to {high}")
    if soft := int(np.isin(pixels[..., 3], (0, 255), invert=True).sum()):
        found.append(f"{soft} pixels are half transparent, expected none")
    return found


def _mean_faults(expected: Expectation, visible: NDArray[np.uint8]) -> list[str]:
    if expected.mean is None:
        return []
    mean = visible.mean(axis=0) if len(visible) else np.full(3, np.nan)
    if np.abs(mean - expected.mean).max() <= expected.tolerance:
        return []
    return [f"mean colour {mean.round(1).tolist()}, expected {list(expected.mean)} ± {expected.tolerance}"]


def uneven_cells(pixels: Pixels, cell: int) -> int:
    """How many cells, cut off at the right and bottom where the picture ends, hold more than one colour or alpha."""
    height, width = pixels.shape[:2]
    first = pixels[::cell, ::cell].repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
    wrong = (pixels != first).any(axis=-1)
    return len(set(zip(*(index // cell for index in np.nonzero(wrong)), strict=True)))
