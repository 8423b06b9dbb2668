"""Recolouring: the colours of an indexed picture exchanged for others, by rank, lightness, hue, or an explicit map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from ..errors import PaletteError
from ..image import check_image, from_uint8, to_uint8
from .core import Palette
from .indexed import IndexedImage

SwapOrder = Literal["frequency", "lightness", "hue"]
"""How a picture's colours find their new ones."""

SWAP_ORDERS: tuple[SwapOrder, ...] = get_args(SwapOrder)
"""Every `SwapOrder`."""

MAX_OWN_COLORS = 65536
"""A picture with more colours than this gets no palette of its own; extract one and match it instead."""

# Below this Oklab chroma a colour has hardly a hue.
_GREY = 0.04
# What differences in lightness and in chroma count beside one in hue, where the whole circle is 2 across.
_LIGHTNESS_SHARE = 0.25
_CHROMA_SHARE = 0.05


def index_exactly(rgb: Tensor, alpha: Tensor | None = None) -> IndexedImage:
    """Give pictures a palette of exactly the 8-bit colours they have, dark to light.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1].
        alpha: `b 1 h w` in [0, 1]; below a half is transparent, and its colour does not count. None is opaque.

    Returns:
        The same pixels, to 8 bits; black alone where nothing is opaque.

    Raises:
        ShapeError, ImageError: no picture.
        PaletteError: more than `MAX_OWN_COLORS` colours.
    """
    check_image(rgb, "rgb")
    pixels = to_uint8(rgb.detach()).permute(0, 2, 3, 1).long()  # b h w 3
    codes = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]  # b h w
    clear = None
    if alpha is not None:
        check_image(alpha, "alpha", (1,))
        clear = (alpha[:, 0] < 0.5).to(codes.device).expand_as(codes)
        opaque = codes[~clear]
        codes = codes.masked_fill(clear, int(opaque[0]) if len(opaque) else 0)
    own, indices = codes.unique(return_inverse=True)
    if len(own) > MAX_OWN_COLORS:
        msg = f"{len(own)} colours are too many (at most {MAX_OWN_COLORS}); extract a palette and match it instead"
        raise PaletteError(msg)
    colors = torch.stack([own >> 16, own >> 8 & 255, own & 255], dim=1).to(torch.uint8).cpu()  # k 3
    order = srgb_to_oklab(from_uint8(colors), dim=1)[:, 0].argsort(stable=True)
    place = order.argsort().to(indices.device)
    return IndexedImage(place[indices], Palette(colors[order]), clear if clear is not None and clear.any() else None)


def count_colors(picture: IndexedImage) -> Tensor:
    """How many opaque pixels have each palette entry, over all frames: `k`, int64, on the CPU."""
    indices = picture.indices if picture.transparent is None else picture.indices[~picture.transparent]
    return indices.flatten().bincount(minlength=len(picture.palette)).cpu()


def swap_palette(
    picture: IndexedImage, palette: Palette, by: SwapOrder = "lightness", *, first: Mapping[str, str] | None = None
) -> IndexedImage:
    """Exchange the palette of a picture: every old colour becomes one new colour, wherever it stands.

    `frequency`: the most frequent colour becomes the palette's first, the next its second, and so on; colours beyond
    its length become the nearest in Oklab. `lightness`: the colours in use and those of the palette are both ordered
    from dark to light, ends meet ends, the rest is spread evenly between; one colour alone becomes the nearest in
    Oklab. `hue`: the palette's colour of the nearest hue, then of the nearest lightness; greys become greys where
    there are any.

    Args:
        picture: any number of frames; colours that no opaque pixel has do not count.
        palette: the new colours.
        by: one of `SWAP_ORDERS`.
        first: hex colours of the picture's palette and what they become, whatever `by` says; they have no part in the
            orders.

    Returns:
        The picture with `palette` as it is; colours of `first` that it lacks are put at its end.

    Raises:
        PaletteError: `by` is not known, or `first` is as `swap_colors` refuses it.
    """
    if by not in SWAP_ORDERS:
        msg = f"{by!r} is no order to swap by; expected one of {', '.join(SWAP_ORDERS)}"
        raise PaletteError(msg)
    old, new = (srgb_to_oklab(from_uint8(p.colors), dim=1) for p in (picture.palette, palette))  # k 3
    counts = count_colors(picture)
    pinned, chosen = _pins(picture.palette, first or {})
    counts[pinned] = 0
    used = counts.nonzero()[:, 0]
    becomes = torch.cdist(old, new).argmin(dim=1)  # k
    if by == "frequency":
        ranked = used[counts[used].argsort(descending=True, stable=True)][: len(palette)]
        becomes[ranked] = torch.arange(len(ranked))
    elif by == "lightness" and len(used) > 1:
        ranked = used[old[used, 0].argsort(stable=True)]
        places = torch.linspace(0, len(palette) - 1, len(ranked)).round().long()
        becomes[ranked] = new[:, 0].argsort(stable=True)[places]
    elif by == "hue":
        becomes = torch.cdist(_hues(old), _hues(new)).argmin(dim=1)
    if len(pinned) == 0:
        return remap(picture, becomes, palette)
    same = (palette.colors == chosen[:, None]).all(dim=2)  # n k
    lacking = chosen[~same.any(dim=1)].unique(dim=0)
    wider = Palette(torch.cat([palette.colors, lacking]), palette.name)
    becomes[pinned] = (wider.colors == chosen[:, None]).all(dim=2).int().argmax(dim=1)
    return remap(picture, becomes, wider)


def _hues(lab: Tensor) -> Tensor:
    """Oklab `k 3` to points `k 4` whose distance is mostly that in hue; greys lie at the middle of the circle."""
    chroma = lab[:, 1:].norm(dim=1, keepdim=True)
    direction = lab[:, 1:] / chroma.clamp(min=_GREY)
    return torch.cat([direction, _LIGHTNESS_SHARE * lab[:, :1], _CHROMA_SHARE * chroma], dim=1)


def parse_changes(text: str) -> dict[str, str]:
    """Read "old=new" pairs of hex colours, parted by blanks, commas or lines, as `swap_colors` takes them.

    Raises:
        PaletteError: a part that is no pair, or a colour that is to become two.
    """
    changes: dict[str, str] = {}
    for word in text.replace(",", " ").replace(";", " ").replace("->", "=").split():
        old, equals, new = word.partition("=")
        if not (old and equals and new):
            msg = f"{word!r} is no change of a colour; expected pairs such as #1a1c2c=#000000"
            raise PaletteError(msg)
        if old in changes:
            msg = f"{old} is to become both {changes[old]} and {new}; expected each colour once"
            raise PaletteError(msg)
        changes[old] = new
    return changes


def swap_colors(picture: IndexedImage, changes: Mapping[str, str]) -> IndexedImage:
    """Exchange single colours, all at once, so that `{a: b, b: a}` swaps two.

    The palette changes and the indices stay, so that two colours that become one can be told apart again.

    Args:
        picture: any number of frames.
        changes: hex colours of the palette, and what each becomes.

    Raises:
        PaletteError: no hex colour, the same colour twice, or one that the palette lacks.
    """
    if not changes:
        return picture
    hit, chosen = _pins(picture.palette, changes)
    colors = picture.palette.colors.clone()
    colors[hit] = chosen
    return IndexedImage(picture.indices, Palette(colors, picture.palette.name), picture.transparent)


def _pins(palette: Palette, changes: Mapping[str, str]) -> tuple[Tensor, Tensor]:
    """Where the palette has the old colours of `changes`, `n` int64, and what stands there then, `n 3` uint8."""
    if not changes:
        return torch.zeros(0, dtype=torch.int64), torch.zeros(0, 3, dtype=torch.uint8)
    before, after = Palette.from_hex(list(changes)), Palette.from_hex(list(changes.values()))
    if len(set(before.to_hex())) < len(before):
        msg = f"a colour is to become two at once, got {', '.join(changes)}; expected each colour once"
        raise PaletteError(msg)
    same = (palette.colors[:, None] == before.colors).all(dim=2)  # k n
    if not bool(same.any(dim=0).all()):
        lacking = [code for code, found in zip(before.to_hex(), same.any(dim=0).tolist(), strict=True) if not found]
        msg = f"the palette has no {', '.join(lacking)}; expected colours of {palette}"
        raise PaletteError(msg)
    hit, which = same.nonzero(as_tuple=True)
    return hit, after.colors[which]


def remap(picture: IndexedImage, becomes: Tensor, palette: Palette) -> IndexedImage:
    """Replace every index by another and the palette by the one they mean.

    Args:
        picture: indices in [0, k).
        becomes: `k`, int64: what each index becomes, in [0, n).
        palette: the n colours.

    Raises:
        PaletteError: `becomes` has not one entry for each colour, or an entry outside `palette`.
    """
    if becomes.shape != (len(picture.palette),) or becomes.dtype != torch.int64:
        expected = f"int64 ({len(picture.palette)},)"
        msg = f"becomes: expected one index a colour, {expected}, got {becomes.dtype} {tuple(becomes.shape)}"
        raise PaletteError(msg)
    return IndexedImage(becomes.to(picture.indices.device)[picture.indices], palette, picture.transparent)
