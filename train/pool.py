"""The image pool: discriminators also see pictures that the generators made some steps ago.

Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial Training", CVPR 2017,
https://arxiv.org/abs/1612.07828, section 2.3, as CycleGAN uses it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Exchange = Callable[[int], "int | None"]
"""Of a full pool of that many pictures: which one to give in exchange for the new one; None: the new one itself."""


def by_chance(generator: torch.Generator) -> Exchange:
    """Every second time exchange, every stored picture with the same chance."""

    def draw(size: int) -> int | None:
        if float(torch.rand((), generator=generator)) <= 0.5:
            return None
        return int(torch.randint(size, (), generator=generator))

    return draw


class ImagePool(nn.Module):
    """Stores the last pictures in buffers, so that a saved run has them; it has no weights and no `forward`."""

    images: Tensor
    """`size c h w`, float32."""

    stored: Tensor
    """How many of `images` are pictures, int64."""

    def __init__(self, size: int, shape: tuple[int, int, int]) -> None:
        """`size` pictures of `shape` (c, h, w); 0 passes everything through."""
        super().__init__()
        self.register_buffer("images", torch.zeros(size, *shape))
        self.register_buffer("stored", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def query(self, made: Tensor, exchange: Exchange) -> Tensor:
        """Give as many pictures as come in, some of them stored ones.

        Args:
            made: `b c h w`, any float type; its gradient ends here.
            exchange: decides for each picture, once the pool is full; `by_chance` in training.

        Returns:
            `b c h w`, of the buffers' type: float32, unless the pool was converted.
        """
        size, given = len(self.images), made.detach().to(self.images.dtype, copy=True)
        for index in range(len(given) if size else 0):
            count = int(self.stored)
            if count < size:
                self.images[count] = given[index]
                self.stored += 1
            elif (chosen := exchange(size)) is not None:
                old = self.images[chosen].clone()
                self.images[chosen] = given[index]
                given[index] = old
        return given
