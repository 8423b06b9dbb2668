"""`IndexedImage`: palette indices and a transparency mask; matching colours to a palette."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from ..color import srgb_to_oklab
from ..errors import PaletteError, ShapeError
from ..image import check_image, enlarge, from_uint8, to_uint8
from .core import Palette
from .distance import Space, check_space, coordinates, nearest_ciede2000
from .nearest import table_of

# Distances that are held at once: 64 MiB of float32.
_CHUNK = 2**24
# From this many comparisons on a table is quicker; turning a pixel into Oklab costs as much as so many of them.
_TABLE_WORK = 2**21
_PIXEL_WORK = 50
_LEVELS_AT_ONCE = 2**17


@dataclasses.dataclass(frozen=True, eq=False)
class IndexedImage:
    """Pictures whose every pixel is a palette colour, or transparent.

    Transparency is a mask here; files write it as one more palette entry.
    """

    indices: Tensor
    """`b h w`, int64, in [0, k); what stands under transparent pixels does not matter."""

    palette: Palette
    """The k colours."""

    transparent: Tensor | None = None
    """`b h w`, bool, True = transparent; None when every pixel is opaque."""

    def __post_init__(self) -> None:
        """Check that the parts fit together.

        Raises:
            ShapeError: wrong types or shapes.
            PaletteError: an index outside the palette.
        """
        indices, clear = self.indices, self.transparent
        if indices.dtype != torch.int64 or indices.ndim != 3 or indices.numel() == 0:
            msg = f"indices are a non-empty int64 tensor `b h w`, got {indices.dtype} {tuple(indices.shape)}"
            raise ShapeError(msg)
        if clear is not None and (clear.dtype != torch.bool or clear.shape != indices.shape):
            msg = f"transparent is a bool tensor {tuple(indices.shape)}, got {clear.dtype} {tuple(clear.shape)}"
            raise ShapeError(msg)
        low, high = (int(value) for value in indices.aminmax())
        if low < 0 or high >= len(self.palette):
            msg = f"indices of a palette of {len(self.palette)} are 0 to {len(self.palette) - 1}, got {low} to {high}"
            raise PaletteError(msg)

    def to_rgb(self) -> Tensor:
        """Colours, `b 3 h w`, float32 in [0, 1]; transparent pixels are 0."""
        colors = from_uint8(self.palette.colors).to(self.indices.device)
        rgb = colors[self.indices].permute(0, 3, 1, 2)  # b 3 h w
        return rgb.contiguous() if self.transparent is None else rgb * self.alpha()

    def alpha(self) -> Tensor:
        """Opacity, `b 1 h w`, float32, 0 or 1."""
        if self.transparent is None:
            return torch.ones_like(self.indices, dtype=torch.float32)[:, None]
        return (~self.transparent).float()[:, None]

    def to_rgba(self) -> Tensor:
        """Colours and opacity, `b 4 h w`, float32 in [0, 1]; transparent pixels are 0."""
        return torch.cat([self.to_rgb(), self.alpha()], dim=1)

    def __len__(self) -> int:
        """Number of pictures, b."""
        return len(self.indices)

    def frame(self, index: int) -> IndexedImage:
        """One picture of the batch, as a batch of one; negative counts from the end.

        Raises:
            ShapeError: there is no such picture.
        """
        if not -len(self) <= index < len(self):
            msg = f"there is no frame {index}; expected 0 to {len(self) - 1}"
            raise ShapeError(msg)
        index %= len(self)
        clear = None if self.transparent is None else self.transparent[index : index + 1]
        return IndexedImage(self.indices[index : index + 1], self.palette, clear)

    def enlarge(self, scale: int) -> IndexedImage:
        """Every pixel `scale` times along both axes: `b h*scale w*scale`, same palette.

        Raises:
            ShapeError: `scale` is no whole number of at least 1.
        """
        clear = None if self.transparent is None else enlarge(self.transparent, scale)
        return IndexedImage(enlarge(self.indices, scale), self.palette, clear)


def nearest_indices(rgb: Tensor, palette: Palette, *, chroma: float = 1.0, space: Space = "oklab") -> Tensor:
    """Find, for every pixel, the palette colour at the least distance; exact for any palette length.

    Large pictures on the CPU whose values are 8-bit levels, as files hold them, are looked up in a `NearestTable`.

    Args:
        rgb: `b 3 h w`, floating point in [0, 1].
        palette: k colours; colours of the palette map to themselves.
        chroma: how much more a difference in hue or saturation counts than one in lightness; for "oklab" alone.
        space: which difference decides.

    Returns:
        `b h w`, int64, on the device of `rgb`.

    Raises:
        ShapeError, ImageError: `rgb` is no picture.
        PaletteError: no such difference.
    """
    check_image(rgb, "rgb")
    check_space(space)
    b, _, h, w = rgb.shape
    large = b * h * w * (len(palette) + _PIXEL_WORK) >= _TABLE_WORK or space == "ciede2000"
    if large and rgb.device.type == "cpu" and (chroma == 1 or space != "oklab"):
        found = table_of(palette, space).indices_of_levels(rgb)
        if found is not None:
            return found
    flat = rgb.detach().clamp(0, 1).permute(1, 0, 2, 3).reshape(3, -1)  # 3 n
    colors = from_uint8(palette.colors).to(rgb.device)
    step = max(1, _CHUNK // len(palette))
    if space == "ciede2000":
        wanted = coordinates(colors, space)  # k 3
        parts = [coordinates(part.T.float(), space) for part in flat.split(max(1, step // 32), dim=1)]
        return torch.cat([nearest_ciede2000(part, wanted) for part in parts]).view(b, h, w)
    flat = srgb_to_oklab(flat, dim=0) if space == "oklab" else flat
    wanted = srgb_to_oklab(colors, dim=1) if space == "oklab" else colors
    if space == "oklab" and chroma != 1:
        flat[1:] *= chroma
        wanted[:, 1:] *= chroma
    return torch.cat([_nearest(chunk, wanted) for chunk in flat.split(step, dim=1)]).view(b, h, w)


def eight_bit(rgb: Tensor) -> Tensor | None:
    """The picture as uint8 if every value lies exactly on an 8-bit level, else None."""
    exact = rgb.detach().float().contiguous().view(-1)
    levels = torch.empty(exact.shape, dtype=torch.uint8, device=exact.device)
    for part, into in zip(exact.split(_LEVELS_AT_ONCE), levels.split(_LEVELS_AT_ONCE), strict=True):
        into.copy_(to_uint8(part))
        if not torch.equal(from_uint8(into), part):
            return None
    return levels.view(rgb.shape)


def _nearest(pixels: Tensor, wanted: Tensor) -> Tensor:
    """`3 n` and `k 3` to `n`. Differences, not a matrix product: that rounds away close colours."""
    distance = (pixels[0] - wanted[:, 0:1]).square_()  # k n
    for axis in (1, 2):
        distance += (pixels[axis] - wanted[:, axis : axis + 1]).square_()
    return distance.min(dim=0).indices
