"""The vector quantizer of the VQ-VAE, whose codes follow running means of what falls to them.

van den Oord et al., "Neural Discrete Representation Learning", NeurIPS 2017, https://arxiv.org/abs/1711.00937, with the
exponential moving averages of its appendix A.1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

DECAY = 0.99
_EPSILON = 1e-5
_ROWS_AT_ONCE = 2**16


class Quantized(NamedTuple):
    """What the quantizer makes of features."""

    values: Tensor
    """`b d h w`: the codes' vectors; the gradient passes straight through to the features."""

    indices: Tensor
    """`b h w`, int64."""

    distance: Tensor
    """Scalar: mean squared difference of features and vectors, with gradient to the features alone."""


class VectorQuantizer(nn.Module):
    """A codebook: `encode` and `lookup` are the named pair between features and codes.

    State-dict keys are the paper's reference's. The running sums and counts are what training needs; of a finished
    model only `_embedding` is used.
    """

    _ema_cluster_size: Tensor

    def __init__(self, codes: int, width: int, decay: float = DECAY) -> None:
        """Start as the reference does: codes and running sums drawn apart from each other, counts of zero.

        What starts like this and is trained on loses every code that wins nothing in the first batch; `start_from`
        starts from data instead.

        Args:
            codes: entries of the codebook.
            width: length of a code's vector.
            decay: share of the running sums and counts that an update keeps.
        """
        super().__init__()
        self.decay = decay
        self._embedding = nn.Embedding(codes, width)
        self._ema_w = nn.Parameter(torch.empty(codes, width), requires_grad=False)
        self.register_buffer("_ema_cluster_size", torch.empty(codes))
        with torch.no_grad():
            self._embedding.weight.normal_()
            self._ema_w.normal_()
            self._ema_cluster_size.zero_()
        self._embedding.weight.requires_grad_(False)

    @property
    def codebook(self) -> Tensor:
        """`k d`, float: the codes' vectors."""
        return self._embedding.weight

    @property
    def counts(self) -> Tensor:
        """`k`, float: running mean of how many features of an update fall to each code."""
        return self._ema_cluster_size

    def encode(self, z: Tensor) -> Tensor:
        """Nearest codes; of equally near ones the first.

        Args:
            z: `b d h w`, features.

        Returns:
            `b h w`, int64.
        """
        rows = z.permute(0, 2, 3, 1)
        return self._nearest(rows.reshape(-1, z.shape[1])).view(rows.shape[:3])

    def lookup(self, indices: Tensor) -> Tensor:
        """Vectors of codes: `b h w`, int64, to `b d h w`."""
        return F.embedding(indices, self.codebook).permute(0, 3, 1, 2)

    def forward(self, z: Tensor) -> Quantized:
        """Quantize features `b d h w`."""
        indices = self.encode(z)
        values = self.lookup(indices)
        distance = F.mse_loss(values.detach(), z)
        return Quantized(z + (values - z).detach(), indices, distance)

    def _nearest(self, rows: Tensor) -> Tensor:
        """`n d` to `n`."""
        code_squares = self.codebook.square().sum(1)
        found = [
            torch.addmm(part.square().sum(1, keepdim=True) + code_squares, part, self.codebook.T, alpha=-2).argmin(1)
            for part in rows.split(_ROWS_AT_ONCE)
        ]
        return torch.cat(found) if found else rows.new_zeros(0, dtype=torch.int64)

    @torch.no_grad()
    def update(self, rows: Tensor, indices: Tensor, weights: Tensor | None = None) -> None:
        """Let the codes follow what fell to them.

        Args:
            rows: `n d`, features.
            indices: `n`, int64, the code of each.
            weights: `n`, how many times each counts; None counts each once.
        """
        rows, k = rows.detach(), len(self.codebook)
        weights = rows.new_ones(len(rows)) if weights is None else weights.to(rows.dtype)
        self._ema_cluster_size.lerp_(
            torch.zeros_like(self._ema_cluster_size).index_add_(0, indices, weights), 1 - self.decay
        )
        total = self._ema_cluster_size.sum()
        self._ema_cluster_size.add_(_EPSILON).mul_(total / (total + k * _EPSILON))
        sums = torch.zeros_like(self._ema_w).index_add_(0, indices, rows * weights[:, None])
        self._ema_w.lerp_(sums, 1 - self.decay)
        self.codebook.copy_(self._ema_w / self._ema_cluster_size[:, None])

    @torch.no_grad()
    def start_from(self, vectors: Tensor, count: float = 1.0) -> None:
        """Begin with codes that are known to be of use.

        Args:
            vectors: `k d`.
            count: features of an update that each of them is taken to have won so far.
        """
        self.codebook.copy_(vectors)
        self._ema_cluster_size.fill_(count)
        self._ema_w.copy_(vectors * count)

    @torch.no_grad()
    def replace(self, codes: Tensor, vectors: Tensor, count: float) -> None:
        """Give some codes new vectors, and the running count that keeps them for a while.

        Args:
            codes: `n`, int64.
            vectors: `n d`.
            count: features of an update that each of them is taken to have won so far.
        """
        self.codebook[codes] = vectors
        self._ema_cluster_size[codes] = count
        self._ema_w[codes] = vectors * count


def perplexity(counts: Tensor) -> Tensor:
    """Exponential of the entropy of code usage: k when all of k codes are used alike, 1 when one is used alone.

    Args:
        counts: `k`, how many times each code is used.
    """
    share = counts.double() / counts.sum().clamp_min(1)
    return torch.exp(-(share * torch.log(share + 1e-10)).sum())
