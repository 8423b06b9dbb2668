"""`inspect_picture`: what a picture's grid, cells and colours are, and whether that is pixel art."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from ..grid import IS_GRID, Grid, detect_grid
from ..image import check_image
from .measures import MOST_COLORS, Places, count_colors_of, measure

PURE_ENOUGH = 0.7
"""Share of pure cells from which on enlarged cells are believed to be the picture's own."""
_FEW_ORPHANS, _FEW_BANDS, _FEW_SOFT = 0.05, 0.1, 0.001


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """What was found in a picture, or in all pictures of a batch together.

    Where there is no grid, all that is said of cells is said of those of the best guess, and worth as little.
    """

    width: int
    """Of the picture, pixels."""
    height: int
    cell_x: float
    """Size of a cell, pixels."""
    cell_y: float
    offset_x: float
    """Where the first full cell begins, pixels."""
    offset_y: float
    confidence: float
    """Of the grid, 0 to 1."""
    is_grid: bool
    native_width: int
    """In cells."""
    native_height: int
    colors: int
    """Distinct 8-bit colours of pixels that are at least half opaque."""
    native_colors: int
    """The same of the cells, after noise is taken out."""
    grid_purity: float
    """Share of cells that are of one colour, 0 to 1."""
    orphan_share: float
    """Share of opaque cells that share their colour with none of their eight neighbours."""
    anti_aliased: float
    """Share of opaque cells that blend two areas."""
    banding: float
    """Share of opaque cells in bands; see `find_bands`."""
    soft_alpha: float
    """Share of pixels that are neither transparent nor opaque."""
    is_pixel_art: bool
    reasons: tuple[str, ...]
    """Sentences, the grid first."""
    grid: Grid = dataclasses.field(repr=False)
    places: Places = dataclasses.field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: everything except where things are."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del own["grid"], own["places"]
        return own | {"reasons": list(self.reasons)}


@torch.no_grad()
def inspect_picture(rgba: Tensor) -> Report:
    """Ask whether a picture is pixel art: at native size, or enlarged by whatever factor, with or without damage.

    Args:
        rgba: `b 4 h w`, floating point in [0, 1], straight alpha last; all pictures share the grid.

    Returns:
        Sizes, shares and the verdict.

    Raises:
        ShapeError, ImageError: `rgba` is not as above.
    """
    check_image(rgba, "rgba", channels=(4,))
    rgba = rgba.float()
    low, high = rgba.aminmax()
    if low < 0 or high > 1:  # a copy only where it changes something
        rgba = rgba.clamp(0, 1)
    grid = detect_grid(rgba)
    places, native_colors = measure(rgba, grid)
    cells = max(1, int(places.opaque.sum()))

    def share(where: Tensor) -> float:
        return round(int((where & places.opaque).sum()) / cells, 6)

    facts: dict[str, Any] = {
        "width": grid.width,
        "height": grid.height,
        "cell_x": round(grid.cell_x, 4),
        "cell_y": round(grid.cell_y, 4),
        "offset_x": round(grid.offset_x, 4),
        "offset_y": round(grid.offset_y, 4),
        "confidence": round(grid.confidence, 4),
        "is_grid": grid.is_grid,
        "native_width": grid.native_width,
        "native_height": grid.native_height,
        "colors": count_colors_of(rgba),
        "native_colors": native_colors,
        "grid_purity": round(1 - float(places.impure.float().mean()), 6),
        "orphan_share": share(places.orphan),
        "anti_aliased": share(places.blend),
        "banding": share(places.band),
        "soft_alpha": round(float(places.soft.float().mean()), 6),
    }
    against, remarks = _reasons(facts)
    reasons = (_of_grid(facts), *against, *remarks)
    verdict = grid.is_grid and not against
    return Report(**facts, is_pixel_art=verdict, reasons=reasons, grid=grid, places=places)


def _of_grid(facts: dict[str, Any]) -> str:
    cells = f"{facts['native_width']} x {facts['native_height']}"
    sure = f"confidence {facts['confidence']:.2f}"
    if not facts["is_grid"]:
        return f"No grid was found ({sure}, {IS_GRID} is needed)."
    if (facts["native_width"], facts["native_height"]) == (facts["width"], facts["height"]):
        return f"It is at native size, {cells} ({sure})."
    return f"It is {cells} cells of {facts['cell_x']:g} x {facts['cell_y']:g} pixels ({sure})."


def _reasons(facts: dict[str, Any]) -> tuple[list[str], list[str]]:
    """What speaks against pixel art, and what an artist would mend."""
    against, remarks = [], []
    if facts["is_grid"] and facts["grid_purity"] < PURE_ENOUGH:
        against.append(f"Only {facts['grid_purity']:.0%} of its cells are of one colour.")
    elif facts["is_grid"] and facts["grid_purity"] < 1:
        remarks.append(f"{1 - facts['grid_purity']:.1%} of its cells are not of one colour: snap it to its grid.")
    if facts["native_colors"] > MOST_COLORS:
        against.append(f"Its cells have {facts['native_colors']} colours, more than the {MOST_COLORS} of any palette.")
    if facts["soft_alpha"] > _FEW_SOFT:
        remarks.append(f"{facts['soft_alpha']:.1%} of its pixels are half transparent; sprites have hard edges.")
    if not facts["is_grid"]:
        return against, remarks
    if facts["orphan_share"] > _FEW_ORPHANS:
        remarks.append(f"{facts['orphan_share']:.1%} of its cells are orphans: noise, dither or fine texture.")
    if facts["banding"] > _FEW_BANDS:
        remarks.append(f"{facts['banding']:.1%} of its cells are in bands that hug an edge.")
    return against, remarks
