"""A codebook that stays in use: begun from data, dead codes restarted where the pictures are worst, usage counted."""

from __future__ import annotations

import torch
from torch import Tensor

from pixel_models.ops.quantizer import VectorQuantizer, perplexity

_ROWS_AT_ONCE = 2**15


def squares(rows: Tensor, centres: Tensor) -> Tensor:
    """Squared distances of `n d` to `k d`: `n k`."""
    size = rows.square().sum(1, keepdim=True) + centres.square().sum(1)
    return torch.addmm(size, rows, centres.T, alpha=-2).clamp_min(0)


def nearest(rows: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """For each of `n d` the nearest of `k d`, and the squared distance: `n` int64, `n` float."""
    found = [squares(part, centres).min(1) for part in rows.split(_ROWS_AT_ONCE)]
    return torch.cat([f.indices for f in found]), torch.cat([f.values for f in found])


def kmeans(rows: Tensor, weights: Tensor, k: int, generator: torch.Generator, rounds: int = 20) -> Tensor:
    """Centres of weighted k-means, seeded by k-means++ (Arthur and Vassilvitskii 2007).

    Args:
        rows: `n d`, float32.
        weights: `n`, float32, above 0.
        k: how many; where there are fewer distinct rows, some centres are equal.
        generator: CPU generator.
        rounds: of Lloyd's.

    Returns:
        `k d`, float32.
    """
    picks = [_pick(weights, 1, generator)]
    distance = (rows - rows[picks[0]]).square().sum(1)
    for _ in range(k - 1):
        picks.append(_pick(weights * distance, 1, generator))
        distance = torch.minimum(distance, (rows - rows[picks[-1]]).square().sum(1))
    centres = rows[torch.cat(picks)]
    for _ in range(rounds):
        index, distance = nearest(rows, centres)
        count = torch.zeros_like(centres[:, 0]).index_add_(0, index, weights)
        sums = torch.zeros_like(centres).index_add_(0, index, rows * weights[:, None])
        empty = (count == 0).nonzero()[: len(rows), 0]
        centres = torch.where(count[:, None] > 0, sums / count.clamp_min(1e-9)[:, None], centres)
        centres[empty] = rows[_pick(weights * distance, len(empty), generator)]
    return centres


def dead_codes(counts: Tensor, share: float) -> Tensor:
    """Codes that win less than `share` of what a code wins on average: `n`, int64, of running counts `k`."""
    return (counts < share * counts.mean()).nonzero()[:, 0]


@torch.no_grad()
def restart(book: VectorQuantizer, codes: Tensor, features: Tensor, errors: Tensor, generator: torch.Generator) -> None:
    """Move codes to features whose patches are reconstructed badly.

    Args:
        book: changed in place.
        codes: `n`, int64, the codes to move.
        features: `m d`, of distinct patches.
        errors: `m`, how badly each is reconstructed times how often it is there.
        generator: CPU generator.
    """
    codes = codes[: int((errors > 0).sum())]
    if len(codes):
        chosen = _pick(errors, len(codes), generator)
        book.replace(codes, features[chosen].to(book.codebook.dtype), float(book.counts.mean()))


def usage(indices: Tensor, weights: Tensor, k: int) -> dict[str, Tensor]:
    """Share of the `k` codes that are chosen at all, and their perplexity: `n` int64, `n` float, to scalars."""
    counts = torch.zeros(k, device=indices.device).index_add_(0, indices, weights)
    return {"used": (counts > 0).float().mean(), "perplexity": perplexity(counts)}


def _pick(chances: Tensor, number: int, generator: torch.Generator) -> Tensor:
    """Places drawn without replacement, on the CPU, so that every device draws alike; `number`, int64."""
    chances = chances.detach().double().cpu()
    if int((chances > 0).sum()) < number:  # what is left over is as good as anything else
        chances = chances + 1e-9 * chances.sum() + 1e-30
    chances = chances / chances.sum()
    # Exponential races: torch.multinomial takes at most 2**24 chances.
    race = torch.empty_like(chances).exponential_(generator=generator) / chances.clamp_min(1e-300)
    return race.topk(number, largest=False).indices
