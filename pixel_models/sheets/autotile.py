"""Autotiles: which tile a cell takes for its neighbours, and whole sets of 47 or 16 tiles made from a few pieces."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args

import torch
from torch import Tensor

from ..errors import ShapeError, SheetError
from ..image import check_image

AutotileKind = Literal["blob 47", "edge 16"]

AUTOTILE_KINDS: tuple[AutotileKind, ...] = get_args(AutotileKind)

N, NE, E, SE, S, SW, W, NW = (1 << bit for bit in range(8))
"""The neighbours' bits, clockwise from north: set where the neighbour is of the same ground."""


def blob_mask(neighbours: int) -> int:
    """Forget diagonal neighbours that cannot be seen: those without both edges beside them. 256 masks become 47."""
    for corner, edges in ((NE, N | E), (SE, S | E), (SW, S | W), (NW, N | W)):
        if neighbours & edges != edges:
            neighbours &= ~corner
    return neighbours


def edge_mask(neighbours: int) -> int:
    """The four edges alone: N = 1, E = 2, S = 4, W = 8 (Wang's two-edge tiles). 256 masks become 16."""
    return sum(1 << bit for bit, edge in enumerate((N, E, S, W)) if neighbours & edge)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TileLayout:
    """How the tiles of a set lie on their sheet: row by row, in ascending order of their masks."""

    kind: AutotileKind
    columns: int
    rows: int
    masks: tuple[int, ...]
    """The mask of every tile; cells after the last are empty."""

    def mask(self, neighbours: int) -> int:
        """The mask that eight neighbours (N = 1, NE = 2, E = 4 … NW = 128) come to in this set."""
        return blob_mask(neighbours) if self.kind == "blob 47" else edge_mask(neighbours)

    def indices(self) -> Tensor:
        """For each of the 256 neighbourhoods the number of the tile; `256`, int64."""
        return torch.tensor([self.masks.index(self.mask(neighbours)) for neighbours in range(256)])


BLOB_47 = TileLayout(
    kind="blob 47", columns=8, rows=6, masks=tuple(sorted({blob_mask(neighbours) for neighbours in range(256)}))
)
"""Edges and inner corners: 0, 1, 4, 5, 7, 16 … 255, in the bits N = 1, NE = 2, E = 4, SE = 8, S = 16 … NW = 128."""

BLOB_16 = TileLayout(kind="edge 16", columns=4, rows=4, masks=tuple(range(16)))
"""Edges alone: 0 to 15, in the bits N = 1, E = 2, S = 4, W = 8."""

TILE_LAYOUTS: dict[AutotileKind, TileLayout] = {"blob 47": BLOB_47, "edge 16": BLOB_16}

# For the quarters NW, NE, SW, SE: their two edges (the one above or below first) and the corner between.
_QUARTERS = ((N, W, NW), (N, E, NE), (S, W, SW), (S, E, SE))

# From which tile a quarter comes, the same quarter of it, when it is: an outer corner; an edge above or below; an edge
# beside; an inner corner; inside. None: made from the two edges.
_SOURCES: dict[int, tuple[tuple[int, int, int, int | None, int], ...]] = {
    5: ((0, 2, 1, 3, 4),) * 4,
    6: ((2, 3, 4, 1, 5), (3, 2, 5, 1, 4), (4, 5, 2, 1, 3), (5, 4, 3, 1, 2)),
    13: ((0, 1, 3, 9, 4), (2, 1, 5, 10, 4), (6, 7, 3, 11, 4), (8, 7, 5, 12, 4)),
    16: ((6, 14, 7, None, 15), (12, 14, 13, None, 15), (3, 11, 7, None, 15), (9, 11, 13, None, 15)),
}

TILE_COUNTS = (*_SOURCES, 47)
"""How many tiles `autotile` takes."""


def autotile(tiles: Tensor, kind: AutotileKind = "blob 47") -> Tensor:
    """Lay out a whole set of autotiles, making from quarters what is not there.

    Args:
        tiles: `n 4 s t`, float32 in [0, 1]; n says what they are, row by row:
            47: the set itself, in the order of `BLOB_47`.
            16: the set of edges, in the order of `BLOB_16`; inner corners are made where two edges cross.
            13: a patch of 3x3 (corners, edges, inside), then the inner corners NW, NE, SW, SE.
            6: RPG Maker's A2, two columns of three: a sample, the four inner corners, and a patch of 2x2.
            5: an island, a way up and down, a way across, a crossing, and inside (masks 0, 17, 68, 85 and 255).
        kind: one of `AUTOTILE_KINDS`.

    Returns:
        `4 H W`: 8x6 tiles in the order of `BLOB_47` (the last is empty), or 4x4 in that of `BLOB_16`.

    Raises:
        ShapeError, ImageError: `tiles` are no pictures.
        SheetError: another number of tiles, or an unknown kind.
    """
    layout = _layout(kind)
    made = tile_set(tiles, kind)
    _, _, height, width = made.shape
    sheet = torch.zeros(4, layout.rows * height, layout.columns * width, device=made.device)
    for index, tile in enumerate(made):
        y, x = index // layout.columns * height, index % layout.columns * width
        sheet[:, y : y + height, x : x + width] = tile
    return sheet


def tile_set(tiles: Tensor, kind: AutotileKind = "blob 47") -> Tensor:
    """The tiles of a whole set, as `autotile` lays them out: `47 4 s t` or `16 4 s t`.

    Raises:
        ShapeError, ImageError, SheetError: as `autotile`.
    """
    layout = _layout(kind)
    check_image(tiles, "tiles", channels=(4,))
    if len(tiles) not in TILE_COUNTS:
        msg = f"got {len(tiles)} tiles, expected {', '.join(map(str, TILE_COUNTS))}"
        raise SheetError(msg)
    tiles = tiles.detach().float().clamp(0, 1)
    return torch.stack([_tile(tiles, _neighbours(layout, mask)) for mask in layout.masks])


def choose_tiles(ground: Tensor, kind: AutotileKind = "blob 47", *, outside: bool = True) -> Tensor:
    """Which tile each cell of a map takes.

    Args:
        ground: `h w`, bool, True = this ground.
        kind: one of `AUTOTILE_KINDS`.
        outside: whether the ground goes on beyond the map.

    Returns:
        `h w`, int64: the tile's number in the set, -1 where there is none.

    Raises:
        ShapeError: `ground` is no bool map.
    """
    layout = _layout(kind)
    if not isinstance(ground, Tensor) or ground.dtype != torch.bool or ground.ndim != 2 or ground.numel() == 0:
        msg = "the ground is expected as a bool tensor `h w`"
        raise ShapeError(msg)
    height, width = ground.shape
    around = torch.nn.functional.pad(ground.long(), (1, 1, 1, 1), value=int(outside))
    neighbours = torch.zeros_like(ground, dtype=torch.int64)
    offsets = {N: (0, 1), NE: (0, 2), E: (1, 2), SE: (2, 2), S: (2, 1), SW: (2, 0), W: (1, 0), NW: (0, 0)}
    for bit, (down, right) in offsets.items():
        neighbours += bit * around[down : down + height, right : right + width]
    return layout.indices().to(ground.device)[neighbours].masked_fill(~ground, -1)


def draw_map(ground: Tensor, tiles: Tensor, kind: AutotileKind = "blob 47", *, outside: bool = True) -> Tensor:
    """Draw a map with a set of tiles, to look at.

    Args:
        ground: `h w`, bool.
        tiles: as for `autotile`.
        kind: one of `AUTOTILE_KINDS`.
        outside: whether the ground goes on beyond the map.

    Returns:
        `4 h*s w*t`; cells of another ground are transparent.

    Raises:
        ShapeError, ImageError, SheetError: as `autotile` and `choose_tiles`.
    """
    chosen = choose_tiles(ground, kind, outside=outside)
    made = tile_set(tiles, kind)
    made = torch.cat([made, torch.zeros_like(made[:1])])  # -1 takes the last
    rows, columns = chosen.shape
    height, width = made.shape[2:]
    drawn = made[chosen.to(made.device)]  # h w 4 s t
    return drawn.permute(2, 0, 3, 1, 4).reshape(4, rows * height, columns * width)


def example_map(size: tuple[int, int] = (16, 12), seed: int = 0) -> Tensor:
    """A map with bays, holes and lone cells that shows most tiles of a set.

    Args:
        size: width and height in cells.
        seed: of the map.

    Returns:
        `h w`, bool.
    """
    noise = torch.rand(1, 1, size[1], size[0], generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.avg_pool2d(noise, 3, 1, 1, count_include_pad=False) * 0.6 + noise * 0.4
    return (smooth > smooth.median())[0, 0]


def _layout(kind: AutotileKind) -> TileLayout:
    if kind not in TILE_LAYOUTS:
        msg = f"the kind is {kind!r}, expected one of {', '.join(AUTOTILE_KINDS)}"
        raise SheetError(msg)
    return TILE_LAYOUTS[kind]


def _neighbours(layout: TileLayout, mask: int) -> int:
    """A blob's mask for a tile of a layout; where the layout knows edges alone, corners are filled."""
    if layout.kind == "blob 47":
        return mask
    edges = sum(edge for bit, edge in enumerate((N, E, S, W)) if mask & 1 << bit)
    return blob_mask(edges | NE | SE | SW | NW)


def _tile(tiles: Tensor, mask: int) -> Tensor:
    """The tile of one blob mask, `4 s t`, whole where there is one, else from quarters."""
    if len(tiles) == 47:
        return tiles[BLOB_47.masks.index(mask)]
    height, width = tiles.shape[2:]
    # The artist's own tile is the ground of what is made of it.
    tile = tiles[edge_mask(mask)].clone() if len(tiles) == 16 else torch.zeros_like(tiles[0])
    halves = (slice(0, height // 2), slice(height // 2, height)), (slice(0, width // 2), slice(width // 2, width))
    for index, (upright, beside, corner) in enumerate(_QUARTERS):
        part = (slice(None), halves[0][index // 2], halves[1][index % 2])
        outer, flat, steep, inner, inside = _SOURCES[len(tiles)][index]
        if not mask & upright:
            source = flat if mask & beside else outer
        elif not mask & beside:
            source = steep
        else:
            source = inside if mask & corner else inner
        if source is None:
            tile[part] = _inner_corner(tiles[flat], tiles[steep], tiles[inside], index)[part]
        elif len(tiles) != 16:
            tile[part] = tiles[source][part]
    return tile


def _inner_corner(flat: Tensor, steep: Tensor, inside: Tensor, quarter: int) -> Tensor:
    """A tile whose inner corner is where two edges cross: where both differ from the inside, the one farther in."""
    height, width = inside.shape[1:]
    rows = torch.arange(height, device=inside.device)[:, None]
    columns = torch.arange(width, device=inside.device)
    down = (rows if quarter < 2 else height - 1 - rows) * width
    right = (columns if quarter % 2 == 0 else width - 1 - columns) * height
    crossing = (flat != inside).any(dim=0) & (steep != inside).any(dim=0)
    return torch.where(crossing, torch.where(down >= right, flat, steep), inside)
