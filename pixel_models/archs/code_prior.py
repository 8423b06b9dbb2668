"""A prior over the codes of two pictures' fusion: for each place, how likely each code of a VQ-VAE is.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130: the CNN prior of the fusion experiments in the paper's repository.

Every convolution's stride is its side, as in the VQ-VAE that the codes are of, so a place's codes depend on the two
patches at this place alone: it can lay one over the other or blend their colours, and knows nothing of heads and legs.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from torch import Tensor, nn

from ..errors import ShapeError
from ..ops.norms import check_range
from ..ops.pixelsight import pixel_sight
from ..spec import ModelSpec, Purpose


@dataclass(frozen=True, kw_only=True)
class CodePriorConfig:
    """Layout of one prior; it fits one VQ-VAE."""

    codes: int = 256
    """Entries of the VQ-VAE's codebook."""

    layers: int = 0
    """Halvings of the VQ-VAE; a code stands for `2**layers` pixels a side."""

    widths: tuple[int, ...] = (128, 128, 128)
    """Features of the blocks: the first sees pixels, `layers` halve, those that are left see places."""

    channels: int = 4
    """Of each picture, as the VQ-VAE sees it. 3: RGB in [0, 1]. 4: RGB times alpha, and alpha."""

    codes_of: str = ""
    """Fingerprint of the VQ-VAE's weight file, `LoadedModel.fingerprint`; empty: of none yet."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("codes", self.codes, 2, 16384)
        check_range("layers", self.layers, 0, 4)
        check_range("channels", self.channels, 3, 4)
        check_range("number of widths", len(self.widths), self.layers + 1, 16)
        for width in self.widths:
            check_range("widths", width, 1, 2048)
        if not isinstance(self.codes_of, str) or len(self.codes_of) > 64:
            msg = f"codes_of is {self.codes_of!r}, expected the fingerprint of a weight file"
            raise ValueError(msg)

    @property
    def patch(self) -> int:
        """Side of the patch that a code stands for, pixels."""
        return 2**self.layers


class CodePrior(nn.Module):
    """Pixels by themselves, halvings, places by themselves, then a number for each code."""

    def __init__(self, config: CodePriorConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        self.config = config
        blocks = pixel_sight(2 * config.channels, config.widths[0])
        for index, (source, width) in enumerate(itertools.pairwise(config.widths)):
            side = 2 if index < config.layers else 1
            blocks += [nn.Conv2d(source, width, side, stride=side, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        self.blocks = nn.Sequential(*blocks, nn.Conv2d(config.widths[-1], config.codes, 1))

    def forward(self, pair: Tensor) -> Tensor:
        """How likely each code is at each place.

        Args:
            pair: `b 2c h w`, float in [0, 1]: the base, then the second picture; sides multiples of `config.patch`.

        Returns:
            Logits, `b codes h/p w/p`.

        Raises:
            ShapeError: another rank, channel count or side.
        """
        patch, channels = self.config.patch, 2 * self.config.channels
        if pair.ndim != 4 or pair.shape[1] != channels or pair.shape[2] % patch or pair.shape[3] % patch:
            msg = f"expected `b {channels} h w` with sides that are multiples of {patch}, got {tuple(pair.shape)}"
            raise ShapeError(msg)
        return self.blocks(pair)


SPECS = (
    ModelSpec(
        id="code_prior",
        purpose=Purpose.FUSE,
        config=CodePriorConfig,
        module=CodePrior,
        tiny=CodePriorConfig(codes=16, layers=1, widths=(8, 16, 16), codes_of="0123456789abcdef"),
        paper="https://arxiv.org/abs/2203.12130",
    ),
)
