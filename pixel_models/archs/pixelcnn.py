"""Gated PixelCNN over codes: how likely each code is at a place, given those before it in reading order.

van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", NeurIPS 2016,
https://arxiv.org/abs/1606.05328, as Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG
2022, https://arxiv.org/abs/2203.12130, sample sprites with it; state-dict keys are their reference's, and so are the
defaults. Beyond the paper and off by default: `embedding` (a code is a vector and not a number), `context` (a network
without masks that sees place, labels, a palette, a silhouette and codes given in advance, and steers both stacks),
`palettes` of training sprites to draw in, `dropout`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import ShapeError
from ..ops.causal import CausalConv
from ..ops.norms import check_range
from ..spec import ModelSpec, Purpose

TO_FILL = -1
"""What stands in a grid of codes where none is given."""


@dataclass(frozen=True, kw_only=True)
class PixelCNNConfig:
    """Layout of one PixelCNN; the defaults are the paper's, without labels."""

    codes: int = 256
    """Values that a place can have: entries of a codebook, or 256 levels of a colour channel."""

    channels: int = 1
    """1: a grid of codes. 3: RGB pixels, the baseline without VQ-VAE; channels do not see each other."""

    width: int = 256
    """Features of both stacks."""

    kernel: int = 3
    """Side of the kernels before masking; odd."""

    dilations: tuple[int, ...] = (1, 2, 1, 4, 1, 2, 1)
    """One gated layer each."""

    labels: tuple[str, ...] = ()
    """Names of what can be asked for, in the order of the vector of labels; ``group=value``."""

    translate: bool = False
    """The paper's inpainting: what goes in is another picture's codes, and each place sees its own."""

    embedding: int = 0
    """Length of the vector that stands for a code that goes in; 0: the number `2 * code / codes - 1`."""

    context: int = 0
    """Features of the network that steers; 0: none, and labels steer the horizontal stack alone."""

    dropout: float = 0.0
    """Share of the gated features that a step of training drops."""

    codes_of: str = ""
    """Fingerprint of the VQ-VAE whose codes these are; empty: of none."""

    patch: int = 1
    """Pixels along a side of what one of those codes stands for."""

    size: int = 0
    """Places along a side of the grids it was trained on; 0: not known."""

    palettes: int = 0
    """Palettes of training sprites that it holds, one of which a new sprite is drawn in; for networks with context."""

    def __post_init__(self) -> None:
        """Check the values."""
        check_range("codes", self.codes, 2, 16384)
        check_range("channels", self.channels, 1, 3)
        check_range("width", self.width, 1, 1024)
        check_range("kernel", self.kernel, 3, 9)
        check_range("embedding", self.embedding, 0, 1024)
        check_range("context", self.context, 0, 1024)
        check_range("patch", self.patch, 1, 64)
        check_range("size", self.size, 0, 1024)
        check_range("palettes", self.palettes, 0, 65536)
        check_range("number of dilations", len(self.dilations), 1, 64)
        check_range("number of labels", len(self.labels), 0, 4096)
        for dilation in self.dilations:
            check_range("dilation", dilation, 1, 64)
        if self.kernel % 2 == 0:
            msg = f"kernel is {self.kernel}, expected an odd number"
            raise ValueError(msg)
        if len(set(self.labels)) != len(self.labels) or not all(isinstance(n, str) and n for n in self.labels):
            msg = f"labels are {self.labels}, expected names, each once"
            raise ValueError(msg)
        if not isinstance(self.dropout, float | int) or not 0 <= self.dropout < 1:
            msg = f"dropout is {self.dropout!r}, expected a share from 0 to below 1"
            raise ValueError(msg)
        if self.context and (not self.embedding or self.channels != 1 or self.translate):
            msg = "context is for grids of codes with an embedding, without translate; set embedding, or context to 0"
            raise ValueError(msg)
        if self.translate and self.labels:
            msg = "the network that translates takes no labels; leave them out"
            raise ValueError(msg)
        if not isinstance(self.codes_of, str) or len(self.codes_of) > 64:
            msg = f"codes_of is {self.codes_of!r}, expected the fingerprint of a weight file"
            raise ValueError(msg)


class Hints(NamedTuple):
    """What is known of pictures before the first code is drawn; for networks with `context`."""

    known: Tensor
    """`b h w`, int64: codes that are given, `TO_FILL` elsewhere."""

    opaque: Tensor
    """`b h w`, float: share of each place's pixels that is opaque, in [0, 1]; -1: not known."""

    palette: Tensor | None = None
    """`b codes`, float: 1 for codes that may occur, 0 for others; all 0: not known, as is None."""

    def each(self, change: Callable[[Tensor], Tensor]) -> Hints:
        """The hints with every tensor changed."""
        return Hints(change(self.known), change(self.opaque), None if self.palette is None else change(self.palette))


class Steering(NamedTuple):
    """What a gated layer adds before its gates; `b 2C h w`, or `b 2C 1 1` where places are alike; None: nothing."""

    vertical: Tensor | None
    horizontal: Tensor | None


class GatedLayer(nn.Module):
    """One layer of both stacks."""

    context_vert: nn.Conv2d | None

    def __init__(self, config: PixelCNNConfig, dilation: int, *, last: bool) -> None:
        """Build with random weights, PyTorch's own; of the last layer nobody sees the gated vertical features."""
        super().__init__()
        width, kernel = config.width, config.kernel
        self.conv_vert = CausalConv(width, 2 * width, kernel, "vertical", dilation=dilation, first=False)
        self.conv_horiz = CausalConv(width, 2 * width, kernel, "horizontal", dilation=dilation, first=False)
        self.conv_vert_to_horiz = nn.Conv2d(2 * width, 2 * width, 1)
        self.conv_horiz_1x1 = nn.Conv2d(width, width, 1)
        if config.context:
            self.context_vert = None if last else nn.Conv2d(config.context, 2 * width, 1)
            self.context_horiz = nn.Conv2d(config.context, 2 * width, 1)
        elif config.labels:
            self.conditional_fc = nn.Linear(len(config.labels), width)
        self.dropout = config.dropout

    def steering(self, labels: Tensor | None, context: Tensor | None) -> Steering:
        """What labels `b n`, or the context `b g h w` that holds them, add."""
        if context is not None:
            vertical = None if self.context_vert is None else self.context_vert(context)
            return Steering(vertical, self.context_horiz(context))
        if labels is None:
            return Steering(None, None)
        return Steering(None, self.conditional_fc(labels).repeat(1, 2)[:, :, None, None])  # both halves alike

    def forward(self, v: Tensor, h: Tensor, steering: Steering) -> tuple[Tensor, Tensor]:
        """The vertical and the horizontal features, `b c h w` each, after this layer."""
        above = self.conv_vert(v)
        before = self.conv_horiz(h) + self.conv_vert_to_horiz(above)
        v = F.dropout(gate(above, steering.vertical), self.dropout, self.training)
        g = F.dropout(gate(before, steering.horizontal), self.dropout, self.training)
        return v, h + self.conv_horiz_1x1(g)


def gate(x: Tensor, steering: Tensor | None) -> Tensor:
    """`b 2c h w` to `b c h w`: the first half between -1 and 1, times how much of it the second lets through."""
    value, share = (x if steering is None else x + steering).chunk(2, 1)
    return torch.tanh(value) * torch.sigmoid(share)


class ContextBlock(nn.Module):
    """A residual block that sees all ways."""

    def __init__(self, width: int, dilation: int) -> None:
        """Two 3x3 convolutions."""
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """`b g h w`."""
        return x + self.second(F.silu(self.first(F.silu(x))))


class Context(nn.Module):
    """Place, labels, silhouette and given codes as features for every place."""

    def __init__(self, config: PixelCNNConfig) -> None:
        """Given codes come in as their vectors; beside them: given or not, opaque, known or not, down, right."""
        super().__init__()
        self.entry = nn.Conv2d(config.embedding + 5, config.context, 3, padding=1)
        self.label = nn.Linear(len(config.labels), config.context) if config.labels else None
        self.palette = nn.Linear(config.codes, config.context, bias=False)
        self.blocks = nn.Sequential(*(ContextBlock(config.context, dilation) for dilation in (1, 2, 4)))

    def forward(self, vectors: Tensor, hints: Hints, labels: Tensor | None) -> Tensor:
        """Features of every place.

        Args:
            vectors: `b e h w`, of the given codes; 0 elsewhere.
            hints: what is known.
            labels: `b n`.

        Returns:
            `b g h w`.
        """
        given, opaque = (hints.known >= 0).to(vectors.dtype), hints.opaque.to(vectors.dtype)
        place = (torch.linspace(-1, 1, side, device=vectors.device) for side in vectors.shape[2:])
        down, right = (axis.to(vectors.dtype).expand_as(given) for axis in torch.meshgrid(*place, indexing="ij"))
        planes = torch.stack([given, opaque.clamp_min(0), (opaque >= 0).to(vectors.dtype), down, right], 1)
        x = self.entry(torch.cat([vectors, planes], 1))
        if self.label is not None and labels is not None:
            x = x + self.label(labels)[:, :, None, None]
        if hints.palette is not None:
            x = x + self.palette(hints.palette.to(x.dtype))[:, :, None, None]
        return F.silu(self.blocks(x))


class PixelCNN(nn.Module):
    """A number for every code at every place, from the codes before it."""

    palettes: Tensor
    """Which codes training sprites have, as of `to_bytes`; only where `config.palettes` is not 0. See `bank`."""

    palette_labels: Tensor
    """What these sprites are, as of `to_bytes`."""

    def __init__(self, config: PixelCNNConfig) -> None:
        """Build with random weights, PyTorch's own."""
        super().__init__()
        self.config = config
        width = config.width
        inputs = config.channels * max(1, config.embedding)
        self.embed = nn.Embedding(config.codes, config.embedding) if config.embedding else None
        self.context = Context(config) if config.context else None
        self.conv_vstack = CausalConv(inputs, width, config.kernel, "vertical", first=True)
        self.conv_hstack = CausalConv(inputs, width, config.kernel, "horizontal", first=True)
        depth = len(config.dilations)
        self.conv_layers = nn.ModuleList(
            GatedLayer(config, dilation, last=index == depth - 1) for index, dilation in enumerate(config.dilations)
        )
        if config.translate:
            self.image_view = nn.Sequential(nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.conv_out = nn.Conv2d(width * (1 + config.translate), config.channels * config.codes, 1)
        if config.palettes:
            self.register_buffer("palettes", to_bytes(torch.zeros(config.palettes, config.codes, dtype=torch.bool)))
            self.register_buffer(
                "palette_labels", to_bytes(torch.zeros(config.palettes, len(config.labels), dtype=torch.bool))
            )

    def entry(self, codes: Tensor) -> Tensor:
        """Codes as the stacks see them: `b c h w`, int64, to `b i h w`; what is still to fill is masked anyway."""
        if self.embed is None:
            return 2 * codes.to(self.conv_out.weight.dtype) / self.config.codes - 1
        vectors = self.embed(codes.clamp_min(0)) * (codes >= 0)[..., None]
        return vectors.permute(0, 1, 4, 2, 3).flatten(1, 2)

    def steer(self, labels: Tensor | None, hints: Hints | None, like: Tensor) -> list[Steering]:
        """What labels and hints add in each layer; it depends on no code that is drawn.

        Args:
            labels: `b n`, 1 for what is asked for; None: nothing.
            hints: of the same b; None: nothing is known.
            like: codes, `b 1 h w`, whose shape tells the grid's.

        Returns:
            One a layer.

        Raises:
            ShapeError: labels of another length, or hints for a network without `context`.
        """
        count = len(self.config.labels)
        dtype = self.conv_out.weight.dtype
        if labels is not None and (labels.shape != (len(like), count)):
            msg = f"labels are {tuple(labels.shape)}, expected {(len(like), count)}: pictures, names of the model"
            raise ShapeError(msg)
        if count and labels is None:
            labels = torch.zeros(len(like), count, device=like.device)
        labels = None if labels is None or not count else labels.to(dtype)
        context = None
        if self.context is not None:
            hints = hints or no_hints(like, self.config.codes)
            assert self.embed is not None
            vectors = (self.embed(hints.known.clamp_min(0)) * (hints.known >= 0)[..., None]).permute(0, 3, 1, 2)
            context = self.context(vectors.to(dtype), hints, labels)
        elif hints is not None:
            msg = "this model takes no hints (its context is 0); leave silhouette and given codes out"
            raise ShapeError(msg)
        return [layer.steering(labels, context) for layer in self.layers]

    @property
    def layers(self) -> list[GatedLayer]:
        """The gated layers, first to last."""
        return [layer for layer in self.conv_layers if isinstance(layer, GatedLayer)]

    def bank(self) -> tuple[Tensor, Tensor]:
        """The palettes: `p codes`, bool, which codes a training sprite has, and `p labels`, bool, what it is."""
        if not self.config.palettes:
            return torch.zeros(0, self.config.codes, dtype=torch.bool), torch.zeros(0, 0, dtype=torch.bool)
        return from_bytes(self.palettes, self.config.codes), from_bytes(self.palette_labels, len(self.config.labels))

    def fill_bank(self, palettes: Tensor, labels: Tensor) -> None:
        """Keep palettes `p codes` of sprites with labels `p labels`, bool; the inverse of `bank`."""
        self.palettes.copy_(to_bytes(palettes))
        self.palette_labels.copy_(to_bytes(labels))

    def forward(self, codes: Tensor, labels: Tensor | None = None, hints: Hints | None = None) -> Tensor:
        """How likely each code is at each place, given those before it.

        Args:
            codes: `b c h w`, int64 below `config.codes`; a place's own code and those after it have no say, except
                in a network that translates, where every place sees its own.
            labels: `b n`, float, 1 for what is asked for; None: nothing.
            hints: what else is known, for networks with `context`; None: nothing.

        Returns:
            Logits, `b codes c h w`.

        Raises:
            ShapeError: codes, labels or hints of another shape.
        """
        channels = self.config.channels
        if codes.ndim != 4 or codes.shape[1] != channels or codes.is_floating_point():
            msg = f"expected codes `b {channels} h w`, whole numbers, got {codes.dtype} {tuple(codes.shape)}"
            raise ShapeError(msg)
        x = self.entry(codes)
        v, h = self.conv_vstack(x), self.conv_hstack(x)
        for layer, steering in zip(self.layers, self.steer(labels, hints, codes), strict=True):
            v, h = layer(v, h, steering)
        if self.config.translate:
            h = torch.cat([self.image_view(x), h], 1)
        return self.conv_out(F.elu(h)).unflatten(1, (self.config.codes, channels))


def to_bytes(flags: Tensor) -> Tensor:
    """Eight flags to a byte: `p n` bool to `p n/8` uint8, rounded up; the inverse of `from_bytes`."""
    padded = F.pad(flags.to(torch.uint8), (0, -flags.shape[1] % 8)).unflatten(1, (-1, 8))
    return (padded << torch.arange(8, dtype=torch.uint8, device=flags.device)).sum(2).to(torch.uint8)


def from_bytes(packed: Tensor, count: int) -> Tensor:
    """Flags out of bytes: `p n/8` uint8 to `p n` bool; the inverse of `to_bytes`."""
    bits = packed[..., None] >> torch.arange(8, dtype=torch.uint8, device=packed.device)
    return (bits & 1).bool().flatten(1)[:, :count]


def no_hints(like: Tensor, codes: int) -> Hints:
    """Hints that tell nothing, for a grid `b 1 h w` of so many codes."""
    shape, device = like[:, 0].shape, like.device
    known, opaque = torch.full(shape, TO_FILL, device=device), torch.full(shape, -1.0, device=device)
    return Hints(known, opaque, torch.zeros(len(like), codes, device=device))


def bits_per_dim(nats: Tensor) -> Tensor:
    """A cross entropy in bits."""
    return nats * math.log2(math.e)


SPECS = (
    ModelSpec(
        id="pixelcnn",
        purpose=Purpose.SAMPLE,
        config=PixelCNNConfig,
        module=PixelCNN,
        tiny=PixelCNNConfig(
            codes=16,
            width=8,
            dilations=(1, 2),
            labels=("creature=dragon", "color=red"),
            embedding=6,
            context=8,
            codes_of="0123456789abcdef",
            patch=2,
            size=8,
        ),
        paper="https://arxiv.org/abs/1606.05328",
    ),
)
