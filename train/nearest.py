"""How near sprites of codes come to training sprites: the check against copying."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .codeset import CodeSet

_AT_ONCE = 512


class Nearest(NamedTuple):
    """The training sprite most like each of n sprites."""

    shares: Tensor
    """`n`, float: places in which the two differ, of those at which either shows something."""

    sprites: Tensor
    """`n`, int64: which training sprite."""

    variants: Tensor
    """`n`, int64: which of its variants."""


def nearest_shares(codes: Tensor, train: CodeSet) -> Nearest:
    """Compare with every variant of every training sprite.

    A place where both show the commonest code of the set, which is nothing, says nothing and does not count.

    Args:
        codes: `n c h w`, int64.
        train: of the same codebook and size.

    Returns:
        The nearest ones.
    """
    nothing = int(torch.bincount(train.codes[:, 0].flatten().long()).argmax())
    found = []
    rows = train.codes.flatten(0, 1).flatten(1)  # nv chw
    for one in codes.flatten(1).to(rows.dtype):
        shares = []
        for part in rows.split(_AT_ONCE * 16):
            differ = (part != one).sum(1)
            shows = ((part != nothing) | (one != nothing)).sum(1).clamp_min(1)
            shares.append(differ / shows)
        share = torch.cat(shares)
        index = int(share.argmin())
        found.append((share[index], *divmod(index, train.codes.shape[1])))
    shares, sprites, variants = zip(*found, strict=True)
    return Nearest(torch.stack(list(shares)), torch.tensor(sprites), torch.tensor(variants))
