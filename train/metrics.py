"""Measures of sets and of cells: distance to real sprites, outlines kept, orphans, colour error. None is beauty."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.cleanup import orphans
from pixel_models.color import srgb_to_oklab
from pixel_models.palette import IndexedImage

from .pairs import CELL

FEATURES = "random-conv-1"
"""The features of `kernel_distance`: seeded random convolutions on Oklab lightness; not Inception, so no FID."""


class RandomFeatures(nn.Module):
    """Three random 3x3 convolutions on lightness, mean and largest response over a patch: `b 3 h w` to `b 256`."""

    def __init__(self) -> None:
        """Build from a fixed seed."""
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.kernels = nn.ParameterList()
        for before, after in ((1, 32), (32, 64), (64, 128)):
            kernel = torch.randn(after, before, 3, 3, generator=generator) / (9 * before) ** 0.5
            self.kernels.append(nn.Parameter(kernel - kernel.mean(dim=(2, 3), keepdim=True), requires_grad=False))

    @torch.no_grad()
    def forward(self, rgb: Tensor) -> Tensor:
        """`b 3 h w`, float32 in [0, 1], to `b 256`."""
        x = srgb_to_oklab(rgb)[:, :1]
        for kernel in self.kernels:
            x = torch.relu(F.conv2d(x, kernel)) * 2**0.5
        return torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1)


def patches(rgb: Tensor, side: int = 16) -> Tensor:
    """Every half-overlapping square patch that is not one flat colour: `b 3 h w` to `n 3 side side`."""
    squares = F.unfold(rgb, side, stride=side // 2).transpose(1, 2).reshape(-1, 3, side, side)
    return squares[squares.flatten(2).std(dim=2).sum(dim=1) > 0.02]


def kernel_distance(x: Tensor, y: Tensor) -> float:
    """Unbiased squared MMD with the kernel (x.y/d + 1)^3, x1000 (Binkowski et al. 2018), of features `n d`, `m d`.

    Features are standardised by those of `y`, the real ones.
    """
    mean, scale = y.mean(dim=0), y.std(dim=0).clamp_min(1e-6)
    x, y = (x - mean) / scale, (y - mean) / scale

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    xx, yy, n, m = kernel(x, x), kernel(y, y), len(x), len(y)
    within = (xx.sum() - xx.trace()) / (n * (n - 1)) + (yy.sum() - yy.trace()) / (m * (m - 1))
    return float(within - 2 * kernel(x, y).mean()) * 1000


def kernel_distance_in_blocks(
    x: Tensor, y: Tensor, *, blocks: int = 50, size: int = 1000, generator: torch.Generator | None = None
) -> tuple[float, float]:
    """Unbiased squared MMD of random blocks, as the kernel inception distance is taken (Binkowski et al. 2018).

    Binkowski et al., https://arxiv.org/abs/1801.01401, kernel (x.y/d + 1)^3. It is called KID where the features are
    Inception's. Unlike in `kernel_distance` the features are taken as they are.

    Args:
        x: `n d`, features of made pictures.
        y: `m d`, features of real ones.
        blocks: how many blocks are drawn.
        size: pictures of a block, of each kind; at most half of what there is, so that blocks differ.
        generator: draws the blocks; None is seeded with 0.

    Returns:
        Mean over the blocks, and the standard deviation over them. The mean is about 0 for two samples of one kind, and
        may be below.

    Raises:
        ValueError: there are fewer than four of either.
    """
    size = min(size, len(x) // 2, len(y) // 2)
    if size < 2:
        msg = f"got {len(x)} and {len(y)} pictures' features, expected four or more of each"
        raise ValueError(msg)
    g = generator or torch.Generator().manual_seed(0)
    x, y = x.double(), y.double()
    found = []
    for _ in range(blocks):
        a, b = (f[torch.randperm(len(f), generator=g)[:size]] for f in (x, y))
        aa, bb, ab = (((p @ q.T) / p.shape[1] + 1) ** 3 for p, q in ((a, a), (b, b), (a, b)))
        within = (aa.sum() - aa.trace() + bb.sum() - bb.trace()) / (size * (size - 1))
        found.append(within - 2 * ab.mean())
    values = torch.stack(found)
    return float(values.mean()), float(values.std()) if blocks > 1 else 0.0


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """Squared distance of the Gaussians of two sets of features (Dowson and Landau 1982).

    Heusel et al., https://arxiv.org/abs/1706.08500, equation 6. It is called FID where the features are Inception's.
    It is biased: of fewer pictures than some thousands it is too large, so compare equal numbers alone.

    Args:
        x: `n d`, features of made pictures, `n` from 2.
        y: `m d`, features of real ones, `m` from 2.

    Returns:
        0 or more.
    """
    x, y = x.double(), y.double()
    mean = (x.mean(dim=0) - y.mean(dim=0)).square().sum()
    one, two = (torch.cov(f.T).reshape(f.shape[1], f.shape[1]) for f in (x, y))
    values, vectors = torch.linalg.eigh(one)
    root = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    # the eigenvalues of S1 S2 are those of the symmetric root(S1) S2 root(S1), which are real and not negative
    shared = torch.linalg.eigvalsh(root @ two @ root).clamp_min(0).sqrt().sum()
    return max(0.0, float(mean + one.trace() + two.trace() - 2 * shared))


def dark_lines(lightness: Tensor, reach: int) -> Tensor:
    """Black top-hat: how much darker a spot is than its surroundings, for spots thinner than `2 reach + 1`."""
    size = 2 * reach + 1
    widest = F.max_pool2d(F.pad(lightness, (reach,) * 4, mode="replicate"), size, 1)
    closed = -F.max_pool2d(F.pad(-widest, (reach,) * 4, mode="replicate"), size, 1)
    return closed - lightness


def outline_agreement(picture: Tensor, cells: Tensor, limit: float = 0.15) -> float:
    """F1 of the dark lines of the picture and of the cells, a cell's distance forgiven.

    Args:
        picture: `b 3 4h 4w`, float32 in [0, 1].
        cells: `b 3 h w`, float32 in [0, 1].
        limit: contrast in Oklab lightness from which a line is one.
    """
    there = dark_lines(F.avg_pool2d(srgb_to_oklab(picture)[:, :1], 2), CELL)
    there = F.max_pool2d(there, 2) > limit
    here = dark_lines(srgb_to_oklab(cells)[:, :1], 1) > limit
    near_there, near_here = (F.max_pool2d(mask.float(), 3, 1, 1) > 0 for mask in (there, here))
    precision = (here & near_there).sum() / here.sum().clamp_min(1)
    recall = (there & near_here).sum() / there.sum().clamp_min(1)
    return float(2 * precision * recall / (precision + recall).clamp_min(1e-6))


def orphan_share(sprite: IndexedImage) -> float:
    """Share of opaque cells that share their colour with none of their eight neighbours."""
    opaque = sprite.alpha()[:, 0] > 0
    return float(orphans(sprite.indices, opaque).sum() / opaque.sum().clamp_min(1))


def oklab_error(x: Tensor, y: Tensor) -> float:
    """Mean Oklab distance x100 of `b 3 h w`."""
    return float((srgb_to_oklab(x) - srgb_to_oklab(y)).norm(dim=1).mean()) * 100
