"""Two sprites made one in latents: weighed against each other, or some numbers taken from the second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor

from ..archs.dcgan import DCGANGenerator
from ..checkpoint import LoadedModel
from ..errors import PixelModelError, ShapeError
from ..palette import IndexedImage, Palette, extract_palette, index_exactly
from ..sampling import StepCallback
from .art import DEFAULT_COLORS, Share, check_colors, to_art
from .encode import Gaussian, encode_sprites
from .find import STEPS
from .networks import decode_latents, generator_of, in_turn
from .noise import check_temperature
from .paths import slerp

FuseHow = Literal["blend", "mix"]
"""The weighted mean of both, or the first with some latent numbers of the second."""

FUSE_HOWS: tuple[FuseHow, ...] = get_args(FuseHow)

MOST_RESULTS = 256


def blend(parts: Sequence[Gaussian], weights: Sequence[float]) -> Gaussian:
    """The weighted mean of the means and of the log variances, as the Pixel VQ-VAE paper's authors fuse with a VAE.

    Saravanan and Guzdial, EXAG 2022, https://arxiv.org/abs/2203.12130.

    Args:
        parts: one or more, of the same shape.
        weights: one each, 0 or more, not all 0; divided by their sum.

    Raises:
        PixelModelError: other weights.
        ShapeError: parts of other shapes.
    """
    total = math.fsum(weights)
    if len(weights) != len(parts) or not all(0 <= weight < math.inf for weight in weights) or not total > 0:
        msg = f"weights are {list(weights)}, expected {len(parts)} numbers of 0 or more, at least one above 0"
        raise PixelModelError(msg)
    if len({part.mean.shape for part in parts} | {part.log_variance.shape for part in parts}) != 1:
        msg = f"latents are {[tuple(part.mean.shape) for part in parts]}, expected as many of one size"
        raise ShapeError(msg)
    shares = [weight / total for weight in weights]
    mean = torch.stack([share * part.mean for share, part in zip(shares, parts, strict=True)]).sum(0)
    spread = torch.stack([share * part.log_variance for share, part in zip(shares, parts, strict=True)]).sum(0)
    return Gaussian(mean, spread)


def mix_dims(a: Tensor, b: Tensor, num_dims: int, generator: torch.Generator) -> Tensor:
    """Latents `a` with some numbers of `b`; a latent's places are drawn with replacement, as in the paper's code.

    Args:
        a: `b latent`, float32.
        b: the same shape.
        num_dims: draws for each, 0 or more; since a place may be drawn again, fewer numbers may change.
        generator: on the CPU.

    Raises:
        ShapeError: the shapes differ.
        PixelModelError: a negative number of draws.
    """
    if a.shape != b.shape or a.ndim != 2:
        msg = f"latents are {tuple(a.shape)} and {tuple(b.shape)}, expected `b latent` twice"
        raise ShapeError(msg)
    if num_dims < 0:
        msg = f"num_dims is {num_dims}, expected 0 or more"
        raise PixelModelError(msg)
    mixed = a.clone()
    for row, other in zip(mixed, b, strict=True):
        places = torch.randint(len(row), (num_dims,), generator=generator)
        row[places] = other[places]
    return mixed


def fuse_sprites(
    model: LoadedModel,
    a: Tensor,
    b: Tensor,
    generator: torch.Generator,
    *,
    how: FuseHow = "blend",
    share: float = 0.5,
    count: int = 1,
    temperature: float = 1.0,
    colors: int = DEFAULT_COLORS,
    palette: Palette | None = None,
    sharing: Share = "each its own",
    clean: bool = True,
    callback: StepCallback | None = None,
) -> IndexedImage:
    """Fuse sprites in pairs.

    Args:
        model: a VAE; or a DCGAN, for sprites that it can draw, see `find_latents`. Since its latents are no
            distributions but points near a sphere, it blends along the sphere, and draws close around.
        a: `b 4 h w`, float32 in [0, 1], at native size; fitted by `fit_sprites`.
        b: as many, or one of the two is one for all.
        generator: a CPU generator, for what is drawn; of more results the first stay the same.
        how: "blend": mean and log variance weighed `1 - share` to `share`, then one draw. "mix": one draw of each, then
            `share` of the latent's places, drawn with replacement, are taken from `b`.
        share: of `b`, 0 to 1.
        count: results for each pair, 1 to 256.
        temperature: how far draws go from the mean, 0 to 4; 0: with "blend" all results are equal.
        colors: as for `to_art`; 0: the colours of the two sprites, for each pair its own.
        palette: as for `to_art`.
        sharing: as for `to_art`.
        clean: as for `to_art`.
        callback: called after each part; may raise to cancel.

    Returns:
        All results of a pair one after another.

    Raises:
        ModelKindError: the model makes no sprites of latents.
        ImageError: a sprite shows nothing, is too large, or nothing like it is found.
        ShapeError: numbers of sprites that make no pairs.
        PixelModelError: a number out of range, or no such `how`.
    """
    _check(how, share, count, temperature)
    check_colors(colors, palette)
    pairs, dcgan = max(len(a), len(b)), isinstance(generator_of(model), DCGANGenerator)
    if min(len(a), len(b)) not in (1, pairs):
        msg = f"{len(a)} and {len(b)} sprites cannot be paired; expected as many, or one for all"
        raise ShapeError(msg)
    finding, drawing = in_turn(callback, STEPS * (len(a) + len(b)) if dcgan else 0, 2 * pairs * count)
    of_each = zip((a, b), ("first sprite", "second sprite"), in_turn(finding, len(a), len(b)), strict=True)
    dice = _dice(generator, pairs, count)
    parts = [encode_sprites(model, one, generator, name=name, callback=step) for one, name, step in of_each]
    parts = [Gaussian(*(part.expand(pairs, -1).repeat_interleave(count, 0) for part in one)) for one in parts]
    latents = _fused(how, parts, share, temperature, dice, on_sphere=dcgan)
    decoding, deciding = in_turn(drawing, len(latents), len(latents))
    pictures = decode_latents(model, latents, callback=decoding)
    if palette is not None or colors:
        return to_art(pictures, colors=colors, palette=palette, share=sharing, clean=clean, callback=deciding)
    made = []
    for index in range(pairs):
        part = pictures.part(slice(index * count, (index + 1) * count))
        made.append(to_art(part, palette=_colors_of(a[index % len(a)], b[index % len(b)]), clean=clean))
        if deciding is not None:
            deciding(index + 1, pairs)
    return index_exactly(torch.cat([one.to_rgb() for one in made]), torch.cat([one.alpha() for one in made]))


def _fused(
    how: FuseHow,
    parts: Sequence[Gaussian],
    share: float,
    temperature: float,
    dice: Sequence[torch.Generator],
    *,
    on_sphere: bool,
) -> Tensor:
    """Latents `b n` of two parts with b rows, by a generator for each."""
    noise = torch.stack([torch.randn(2, parts[0].mean.shape[1], generator=one) for one in dice])  # b 2 n
    noise = temperature * noise
    if how == "mix":
        first, second = (part.drawn(noise[:, index]).split(1) for index, part in enumerate(parts))
        rows, num_dims = zip(first, second, dice, strict=True), round(share * noise.shape[2])
        return torch.cat([mix_dims(one, other, num_dims, own) for one, other, own in rows])
    both = blend(parts, (1 - share, share))
    if on_sphere:
        rows = zip(parts[0].mean, parts[1].mean, strict=True)
        both = both._replace(mean=torch.stack([slerp(one, other, share) for one, other in rows]))
    return both.drawn(noise[:, 0])


def _check(how: FuseHow, share: float, count: int, temperature: float) -> None:
    """Refuse what cannot be.

    Raises:
        PixelModelError: says which.
    """
    if how not in FUSE_HOWS:
        msg = f"how is {how!r}, expected one of {', '.join(FUSE_HOWS)}"
        raise PixelModelError(msg)
    if not 0 <= share <= 1:
        msg = f"share is {share}, expected 0 (the first sprite) to 1 (the second)"
        raise PixelModelError(msg)
    if not 1 <= count <= MOST_RESULTS:
        msg = f"count is {count}, expected 1 to {MOST_RESULTS} results for each pair"
        raise PixelModelError(msg)
    check_temperature(temperature)


def _dice(generator: torch.Generator, pairs: int, count: int) -> list[torch.Generator]:
    """A generator for each result, so that those of a pair do not depend on how many there are."""
    made = []
    for _ in range(pairs):
        own = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
        seeds = [int(torch.randint(2**62, (), generator=own)) for _ in range(count)]
        made += [torch.Generator().manual_seed(seed) for seed in seeds]
    return made


def _colors_of(a: Tensor, b: Tensor) -> Palette:
    """The colours of two sprites `4 h w`, brought to 256 where there are more."""
    pixels = torch.cat([one.float().cpu().flatten(1)[:, one[3].flatten().cpu() >= 0.5] for one in (a, b)], 1)
    return extract_palette(pixels[None, :3, None], 256)
