"""The native-grid CycleGAN: both generators work at the sprite's own size, one output colour a cell.

CycleGAN: Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
ICCV 2017, https://arxiv.org/abs/1703.10593 (its equations 1 to 3 are the losses below). Ours differs where pixel
art does: A is a picture of `CELL` x `CELL` source pixels a cell, B is one colour a cell, so the grid is exact by
construction; and a generator *picks* colours from the source pixels around a cell rather than painting them,
so that colours stay true. Least squares after Mao et al., https://arxiv.org/abs/1611.04076.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from ..errors import ShapeError
from ..ops.blocks import TwoLevelTrunk
from ..spec import ModelSpec, Purpose

CELL = 4
"""Source pixels along a cell's side; a caller resizes its picture to this many a cell."""


_ROWS = 32
"""Rows of cells whose windows are laid out at once; at eight pixels a cell a window has 256 pixels."""


@dataclass(frozen=True, kw_only=True)
class NativeGeneratorConfig:
    """Size of one native-grid generator, either direction."""

    channels: int = 56
    """Features a cell; twice as many at half size."""

    outer_blocks: int = 2
    """Residual blocks at native size, before and again after the half-size level."""

    inner_dilations: tuple[int, ...] = (1, 2, 1, 4)
    """One residual block at half native size for each."""

    settle_rounds: int = 0
    """Times that a cell may take over the colours of its neighbours, pixelating only."""

    cell_sizes: tuple[int, ...] = (CELL,)
    """Source pixels along a cell's side that the network takes as they are, pixelating only."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 1 <= self.channels <= 1024 or not 0 <= self.outer_blocks <= 64:
            msg = f"channels 1..1024 and outer_blocks 0..64 are expected, got {self.channels}, {self.outer_blocks}"
            raise ValueError(msg)
        if len(self.inner_dilations) > 64 or not all(1 <= d <= 64 for d in self.inner_dilations):
            msg = f"inner_dilations holds up to 64 whole numbers of 1..64, got {self.inner_dilations}"
            raise ValueError(msg)
        if not 0 <= self.settle_rounds <= 16:
            msg = f"settle_rounds 0..16 is expected, got {self.settle_rounds}"
            raise ValueError(msg)
        if not 1 <= len(self.cell_sizes) <= 32 or not all(2 <= size <= 32 for size in self.cell_sizes):
            msg = f"cell_sizes holds 1 to 32 whole numbers of 2..32, got {self.cell_sizes}"
            raise ValueError(msg)

    @property
    def reach(self) -> int:
        """How many cells away a cell can still change the output: the overlap that tiles need, even."""
        outer = 2 * 2 * self.outer_blocks
        inner = 2 * (sum(d + 1 for d in self.inner_dilations) + 1)
        return outer + inner + 4 + self.settle_rounds


class Settle(nn.Module):
    """Each cell becomes a mixture of itself and its eight neighbours: the step by which cells agree on a colour.

    Near colours flow together (a bilateral weight of learned strength), and what the features say is added, so that
    a cell may also take over a neighbour it does not resemble: that is how a stray cell goes.
    """

    def __init__(self, width: int) -> None:
        """Build so that it starts nearly as the identity."""
        super().__init__()
        self.vote = nn.Conv2d(width, 9, 3, padding=1)
        self.strictness = nn.Parameter(torch.tensor(3.0))  # log of the weight of colour distance
        with torch.no_grad():
            self.vote.weight.mul_(0.1)
            assert self.vote.bias is not None
            self.vote.bias.zero_()
            self.vote.bias[4] = 2.0  # the cell itself

    def forward(self, cells: Tensor, opaque: Tensor, features: Tensor) -> Tensor:
        """Mix `cells` `b 3 h w` among neighbours; those that are not `opaque` `b 1 h w` lend next to nothing."""
        votes = self.vote(features).float()
        around = F.unfold(F.pad(torch.cat([cells, opaque], dim=1), (1, 1, 1, 1), mode="replicate"), 3)
        around = rearrange(around, "b (c n) (h w) -> b c n h w", n=9, h=cells.shape[2])
        apart = (around[:, :3] - cells[:, :, None]).abs().sum(dim=1)
        weights = torch.softmax(votes - self.strictness.exp() * apart + torch.log(around[:, 3] + 1e-4), dim=1)
        return torch.einsum("bnhw,bcnhw->bchw", weights, around[:, :3])


class PixelateGenerator(nn.Module):
    """Picture to cells: for each cell a softmax over the source pixels around it, then a repaint where needed.

    One network may take cells of several sizes. What it sees of a cell is then brought to `CELL` pixels a side, but it
    picks among the source pixels themselves, so that no colour is a blur of resampling; the size is told to it.
    """

    WINDOW = 2 * CELL
    """Places along the side of the square a cell may pick from: the cell and half a cell around it."""

    def __init__(self, config: NativeGeneratorConfig) -> None:
        """Build with random weights that start as a Gaussian-weighted downscale."""
        super().__init__()
        width = config.channels
        self.config = config
        self.stem = nn.Conv2d(4 * CELL * CELL, width, 3, padding=1)
        self.trunk = TwoLevelTrunk(width, config.outer_blocks, config.inner_dilations)
        self.pick = nn.Conv2d(width, self.WINDOW**2, 3, padding=1)
        self.paint = nn.Conv2d(width, 5, 3, padding=1)  # amount, red, green, blue, alpha
        self.settle = nn.ModuleList(Settle(width) for _ in range(config.settle_rounds))
        if len(config.cell_sizes) > 1:
            self.told = nn.Linear(2, width, bias=False)  # nothing for cells of `CELL` pixels
            nn.init.zeros_(self.told.weight)
        offset = torch.arange(self.WINDOW) - (self.WINDOW - 1) / 2
        gauss = -(offset[:, None] ** 2 + offset[None, :] ** 2) / (2 * 1.2**2)
        with torch.no_grad():
            self.pick.weight.mul_(0.1)
            self.paint.weight.mul_(0.1)
            assert self.pick.bias is not None
            assert self.paint.bias is not None
            self.pick.bias.copy_(gauss.flatten())
            self.paint.bias.copy_(torch.tensor([-2.0, 0.0, 0.0, 0.0, 0.0]))

    def forward(self, picture: Tensor, cell: int = CELL) -> Tensor:
        """Turn a picture into cells.

        Args:
            picture: `b 4 cell*h cell*w`, float32 in [0, 1], straight alpha last.
            cell: source pixels along a cell's side, one of the config's `cell_sizes`.

        Returns:
            `b 4 h w`, float32 in [0, 1]: one colour a cell and how surely the cell is opaque.

        Raises:
            ShapeError: the sides are no multiples of the cell's, or the network does not take such cells.
        """
        cells_h, cells_w = (side // cell for side in picture.shape[2:])
        picture, source = self._source(picture, cell)
        rgb, alpha = picture[:, :3], picture[:, 3:]
        stem = self.stem(source)
        if len(self.config.cell_sizes) > 1:  # at `CELL` too, so that processes with cells of their own share gradients
            octaves = math.log2(cell / CELL)
            stem = stem + self.told(stem.new_tensor([octaves, octaves**2]))[:, None, None]
        features = self.trunk(stem)
        logits, paint = self.pick(features).float().contiguous(), self.paint(features).float()
        cells = self._mix(rgb, alpha, logits, cell)
        amount = torch.sigmoid(paint[:, :1])
        cells = cells + amount * (torch.sigmoid(paint[:, 1:4]) - cells)
        coverage = F.avg_pool2d(alpha, cell)
        opaque = torch.sigmoid(paint[:, 4:] + 8 * (coverage - 0.5))
        for settle in self.settle:
            cells = settle(cells, opaque.detach(), features)
        return torch.cat([cells, opaque], dim=1)[:, :, :cells_h, :cells_w]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that `features` gives, in the order of computation.

        `source` is a cell's own pixels side by side; `inner1` and so on are at half native size.
        """
        inner = (f"inner{number}" for number in range(1, len(self.config.inner_dilations) + 1))
        return ("source", "stem", "before", *inner, "after")

    def features(self, picture: Tensor, names: Sequence[str]) -> list[Tensor]:
        """Activations after some layers; what comes after the last of them is not computed.

        Args:
            picture: as `forward` takes it.
            names: of `layers`, in any order.

        Returns:
            One `b c h w` for each name, in the order of `names`; `h` and `w` in cells, rounded up to even, or half.

        Raises:
            ShapeError: as `forward`, or there is no such layer.
        """
        if unknown := [name for name in names if name not in self.layers]:
            msg = f"there is no layer {' '.join(unknown)}; expected of {' '.join(self.layers)}"
            raise ShapeError(msg)
        found: dict[str, Tensor] = {}
        for name, activation in self._walk(picture):
            if name in names:
                found[name] = activation
                if len(found) == len(set(names)):
                    break
        return [found[name] for name in names]

    def _walk(self, picture: Tensor) -> Iterator[tuple[str, Tensor]]:
        """The named layers, computed one after another as `forward` does."""
        _, x = self._source(picture)
        yield "source", x
        x = self.stem(x)
        yield "stem", x
        x = outer = self.trunk.before(x)
        yield "before", x
        x = self.trunk.down(x)
        for number, block in enumerate(self.trunk.inner, 1):
            x = block(x)
            yield f"inner{number}", x
        yield "after", torch.relu(self.trunk.after(outer + self.trunk.up(x)))

    def _source(self, picture: Tensor, cell: int = CELL) -> tuple[Tensor, Tensor]:
        """The picture with even sides in cells, and what the network sees of each of its cells."""
        if cell not in self.config.cell_sizes:
            msg = f"cells of {cell} pixels are asked for, this network takes {self.config.cell_sizes}"
            raise ShapeError(f"{msg}; resize the picture")
        _, channels, height, width = picture.shape
        if channels != 4 or height % cell or width % cell or not height or not width:
            msg = f"expected `b 4 h w` with sides that are multiples of {cell}, got {tuple(picture.shape)}"
            raise ShapeError(msg)
        picture = F.pad(picture, (0, width % (2 * cell), 0, height % (2 * cell)), mode="replicate")
        rgb, alpha = picture[:, :3], picture[:, 3:]
        seen = torch.cat([(rgb - 0.5) * alpha, alpha - 0.5], dim=1)
        if cell != CELL:
            size = [side // cell * CELL for side in seen.shape[2:]]
            seen = F.interpolate(seen, size, mode="bilinear", align_corners=False, antialias=True)
        return picture, F.pixel_unshuffle(seen, CELL)

    def _mix(self, rgb: Tensor, alpha: Tensor, logits: Tensor, cell: int = CELL) -> Tensor:
        """Mix each cell's colour from its window, a few rows of cells at a time where no gradient has to be kept."""
        edge, rows = cell // 2, logits.shape[2]
        padded = F.pad(torch.cat([rgb, alpha], dim=1), (edge,) * 4, mode="replicate")
        at_once = rows if torch.is_grad_enabled() else _ROWS
        made = []
        for top in range(0, rows, at_once):
            bottom = min(rows, top + at_once)
            seen = padded[:, :, top * cell : bottom * cell + 2 * edge]
            made.append(self._mix_rows(seen, logits[:, :, top:bottom], cell))
        return torch.cat(made, dim=2)

    def _mix_rows(self, padded: Tensor, logits: Tensor, cell: int) -> Tensor:
        """Mix the windows of `padded`, RGBA, whose edges reach half a cell beyond; transparent pixels hardly weigh."""
        window = cell + 2 * (cell // 2)
        if cell != CELL:
            along = _between(window, cell, self.WINDOW).to(logits)
            places = rearrange(logits, "b (y x) h w -> b y x h w", y=self.WINDOW)
            logits = torch.einsum("py,qx,byxhw->bpqhw", along, along, places).flatten(1, 2)
        windows = F.unfold(padded, window, stride=cell)
        windows = rearrange(windows, "b (c p) (h w) -> b c p h w", c=4, h=logits.shape[2])
        weights = torch.softmax(logits + torch.log(windows[:, 3] + 1e-4), dim=1)  # b p h w
        return torch.einsum("bphw,bcphw->bchw", weights, windows[:, :3])


def _between(window: int, cell: int, places: int) -> Tensor:
    """How the network's `places` along two cells' length lend to `window` source pixels: `window places`.

    Rows sum to 1. It is linear interpolation, of several places at once where pixels are wider than a place.
    """
    at = (torch.arange(window) - (window - 1) / 2) * (places / 2 / cell) + (places - 1) / 2
    reach = max(1.0, places / 2 / cell)
    lent = (1 - (at[:, None] - torch.arange(places)).abs() / reach).clamp_min(0)
    return lent / lent.sum(dim=1, keepdim=True)


class DepixelateGenerator(nn.Module):
    """Cells to a smooth picture of `CELL` x the size: every pixel is a mixture of the nine nearest cells.

    A mixture cannot leave the span of its neighbours, so colours do not shift and alpha follows the same edge.
    """

    def __init__(self, config: NativeGeneratorConfig) -> None:
        """Build with random weights that start as a soft enlargement."""
        super().__init__()
        width = config.channels
        self.config = config
        self.stem = nn.Conv2d(4, width, 3, padding=1)
        self.trunk = TwoLevelTrunk(width, config.outer_blocks, config.inner_dilations)
        self.pick = nn.Conv2d(width, 9 * CELL * CELL, 3, padding=1)
        place = (torch.arange(CELL) + 0.5) / CELL - 0.5
        distance = (place[:, None] - torch.arange(-1, 2)) ** 2  # subpixel, neighbour
        near = -(distance[:, None, :, None] + distance[None, :, None, :]) * 6  # y x v u
        with torch.no_grad():
            self.pick.weight.mul_(0.1)
            assert self.pick.bias is not None
            self.pick.bias.copy_(rearrange(near, "y x v u -> (v u y x)"))

    def forward(self, cells: Tensor) -> Tensor:
        """Turn cells into a smooth picture.

        Args:
            cells: `b 4 h w`, float32 in [0, 1], straight alpha last.

        Returns:
            `b 4 4h 4w`, float32 in [0, 1], straight alpha last.

        Raises:
            ShapeError: there are not four channels.
        """
        rgb, alpha = cells[:, :3], cells[:, 3:]
        shares = self.shares(cells)
        padded = F.pad(torch.cat([rgb * alpha, alpha], dim=1), (1,) * 4, mode="replicate")
        neighbours = rearrange(F.unfold(padded, 3), "b (c n) (h w) -> b c n h w", n=9, h=shares.shape[3])
        mixed = torch.einsum("bnphw,bcnhw->bcphw", shares, neighbours)
        mixed = rearrange(mixed, "b c (y x) h w -> b c (h y) (w x)", y=CELL)
        alpha = mixed[:, 3:]
        return torch.cat([mixed[:, :3] / alpha.clamp_min(1e-4), alpha], dim=1).clamp(0, 1)

    def shares(self, cells: Tensor) -> Tensor:
        """How much each of the nine nearest cells counts in each part of a cell.

        Args:
            cells: as `forward` takes them.

        Returns:
            `b 9 (y x) h w`, float32, of sum 1 over the neighbours: these row by row, the cell's parts row by row.

        Raises:
            ShapeError: as `forward`.
        """
        _, channels, height, width = cells.shape
        if channels != 4 or not height or not width:
            msg = f"expected `b 4 h w`, got {tuple(cells.shape)}"
            raise ShapeError(msg)
        cells = F.pad(cells, (0, width % 2, 0, height % 2), mode="replicate")
        rgb, alpha = cells[:, :3], cells[:, 3:]
        seen = torch.cat([(rgb - 0.5) * alpha, alpha - 0.5], dim=1)
        logits = self.pick(self.trunk(self.stem(seen))).float().contiguous()
        logits = rearrange(logits, "b (n p) h w -> b n p h w", n=9)
        return torch.softmax(logits, dim=1)[..., :height, :width]


@dataclass(frozen=True, kw_only=True)
class NativeDiscriminatorConfig:
    """Size of a native-grid discriminator."""

    channels: int = 48
    """Features of the first layer."""

    strides: tuple[int, ...] = (1, 2, 1, 2, 1)
    """Stride of each 3x3 (stride 1) or 4x4 (stride 2) layer; features double at a later stride of 2."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 1 <= self.channels <= 1024 or len(self.strides) > 16 or not set(self.strides) <= {1, 2}:
            msg = f"channels 1..1024 and up to 16 strides of 1 or 2 are expected, got {self.channels}, {self.strides}"
            raise ValueError(msg)


class NativeDiscriminator(nn.Module):
    """PatchGAN with spectral norm on colours as they are: `b 3 h w` to a map of scores, higher is more real."""

    def __init__(self, config: NativeDiscriminatorConfig) -> None:
        """Build with random weights."""
        super().__init__()
        layers: list[nn.Module] = []
        before, width = 3, config.channels
        for index, stride in enumerate(config.strides):
            if index and stride == 2:
                width *= 2
            kernel = 4 if stride == 2 else 3
            layers += [spectral_norm(nn.Conv2d(before, width, kernel, stride, 1)), nn.LeakyReLU(0.2)]
            before = width
        layers.append(spectral_norm(nn.Conv2d(before, 1, 3, 1, 1)))
        self.config = config
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """`b 3 h w`, float32 in [0, 1], to scores `b 1 h' w'`, float32."""
        return self.layers(x * 2 - 1).float()


def lsgan_loss(score: Tensor, real: bool) -> Tensor:
    """Least-squares adversarial loss: mean squared distance of `score` to 1 (real) or 0 (fake)."""
    return F.mse_loss(score, torch.full_like(score, float(real)))


SPECS = (
    ModelSpec(
        id="native_pixelate",
        purpose=Purpose.PIXELATE,
        config=NativeGeneratorConfig,
        module=PixelateGenerator,
        tiny=NativeGeneratorConfig(channels=8, outer_blocks=1, inner_dilations=(1,), settle_rounds=2),
        paper="https://arxiv.org/abs/1703.10593",
    ),
    ModelSpec(
        id="native_depixelate",
        purpose=Purpose.DEPIXELATE,
        config=NativeGeneratorConfig,
        module=DepixelateGenerator,
        tiny=NativeGeneratorConfig(channels=8, outer_blocks=1, inner_dilations=(1,)),
        paper="https://arxiv.org/abs/1703.10593",
    ),
    ModelSpec(
        id="native_discriminator",
        purpose=Purpose.DISCRIMINATOR,
        config=NativeDiscriminatorConfig,
        module=NativeDiscriminator,
        tiny=NativeDiscriminatorConfig(channels=8, strides=(1, 2)),
        paper="https://arxiv.org/abs/1703.10593",
    ),
)
