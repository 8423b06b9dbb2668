"""`clean_up`: what an artist would mend in a sprite, in one call, within its palette."""

from __future__ import annotations

import torch

from ..errors import PixelModelError
from ..palette import IndexedImage
from .background import clear_background
from .blends import merge_blends
from .cells import CLEAR
from .jaggies import smooth_lines
from .orphans import merge_orphans
from .outline import LIGHTS, OUTLINES, Light, Outline, outline_inside, outline_outside, outline_selective, with_color


@torch.no_grad()
def clean_up(
    image: IndexedImage,
    *,
    orphans: bool = True,
    jaggies: bool = False,
    antialias: bool = False,
    outline: Outline | None = None,
    outline_color: str | None = None,
    padding: int = 0,
    light: Light | None = None,
    background: str | None = None,
) -> IndexedImage:
    """Mend sprites: background, anti-aliasing, orphans, jaggies, then an outline, each where it is asked for.

    Every frame of a batch is as it would be alone. No colour comes from outside the palette; the palette changes only
    where `outline_color` is not in it: then it is appended.

    Args:
        image: sprites at native size.
        orphans: single cells that are noise or a blend become their most similar neighbour; eyes and glints stay.
        jaggies: lines one cell wide lose doubled corners and get even steps; see `smooth_lines`.
        antialias: thin cells that blend two areas become the nearer of the two; see `blends`.
        outline: "outside" draws a ring of one cell around what is opaque, "inside" turns the silhouette's rim, its own
            cells, into one, "selective" gives each of these a darker shade of the area it bounds.
        outline_color: hex colour of an outside or inside outline; None is the palette's darkest.
        padding: transparent cells to add on every side for an outside outline, 0 or more.
        light: where light comes from: a selective outline is less dark there; None is nowhere.
        background: colour to make transparent from the border on, hex or "auto"; see `clear_background`. None: keep it.

    Returns:
        The same sprites. Their transparency is untouched except by `background`, an outside outline and, along lines at
        the silhouette, by `jaggies`.

    Raises:
        PixelModelError: `outline`, `light` or `padding` are not as above, or there is no background to find.
        PaletteError: `outline_color` or `background` is no hex colour.
    """
    for name, value, known in (("outline", outline, OUTLINES), ("light", light, LIGHTS)):
        if value is not None and value not in known:
            msg = f"{name} is {value!r}, expected None or one of {', '.join(known)}"
            raise PixelModelError(msg)
    if padding < 0:
        msg = f"padding is {padding}, expected 0 or more cells"
        raise PixelModelError(msg)
    image = image if background is None else clear_background(image, background)
    palette, color = (
        with_color(image.palette, outline_color) if outline in ("outside", "inside") else (image.palette, 0)
    )
    image = _mend(image, orphans=orphans, jaggies=jaggies, antialias=antialias)
    image = IndexedImage(image.indices, palette, image.transparent)
    if outline == "outside":
        return outline_outside(image, color, padding)
    if outline == "inside":
        return outline_inside(image, color)
    return image if outline is None else outline_selective(image, light)


def _mend(image: IndexedImage, *, orphans: bool, jaggies: bool, antialias: bool) -> IndexedImage:
    indices, clear = image.indices, image.transparent
    opaque = torch.ones_like(indices, dtype=torch.bool) if clear is None else ~clear
    if antialias:
        indices = merge_blends(indices, image.palette, opaque)
    if orphans:
        indices = merge_orphans(indices, image.palette, opaque)
    if jaggies:
        smooth = smooth_lines(indices.masked_fill(~opaque, CLEAR))
        indices = torch.where(smooth >= 0, smooth, indices)
        clear = None if clear is None else smooth < 0
    return IndexedImage(indices, image.palette, clear)
