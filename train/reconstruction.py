"""What is left of sprites that went through codes: reconstructions, errors, codes in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.archs.vqvae import VQVAE
from pixel_models.color import srgb_to_oklab

from .codebook import nearest as nearest_rows
from .codebook import usage
from .sprites import cut, hard, join, laid, without_alpha

Nearest = Literal["features", "picture"]
_AT_ONCE = 4096


@dataclass(frozen=True)
class Reconstructed:
    """Sprites and what their codes give."""

    originals: list[Tensor]
    """Each `4 h w`, float32 in [0, 1], alpha 0 or 1, black where nothing is."""

    pictures: list[Tensor]
    """The same of the reconstructions."""

    indices: list[Tensor]
    """Each `h/p w/p`, int64."""


@torch.no_grad()
def reconstruct(
    net: VQVAE, sprites: Sequence[Tensor], how: Nearest = "features", background: str = "mean"
) -> Reconstructed:
    """Encode and decode sprites, each distinct patch once.

    Args:
        net: in eval mode; of 3 channels, it sees a background, and the mask stays.
        sprites: each `4 h w`, uint8, straight alpha.
        how: `features`: the network's choice. `picture`: the code whose patch is nearest.
        background: of 3 channels: one of `BACKGROUNDS`.

    Returns:
        Sprites in the order given, on the CPU.
    """
    patch, channels, device = net.config.patch, net.config.channels, net.vq_vae.codebook.device
    padded = [laid(hard(sprite), patch) for sprite in sprites]
    grids = [(p.shape[1] // patch, p.shape[2] // patch) for p in padded]
    whole = torch.cat([cut(p, patch) for p in padded])
    shown = whole if channels == 4 else without_alpha(whole, background)
    rows, back = shown.flatten(1).unique(dim=0, return_inverse=True)
    x = rows.to(device).float().view(-1, channels, patch, patch) / 255
    table = net.table()
    if how == "picture":
        chosen = nearest_rows(x.flatten(1), table.flatten(1))[0]
    else:
        chosen = torch.cat([net.encode(part).flatten() for part in x.split(_AT_ONCE)])
    indices, made = chosen.cpu()[back], table[chosen].cpu()[back]
    made = _straight(made) if channels == 4 else torch.cat([made, (whole[:, 3:] > 0).float()], 1)
    sizes = [h * w for h, w in grids]
    pictures = [join(part, w) for part, (_, w) in zip(made.split(sizes), grids, strict=True)]
    return Reconstructed(
        [hard(sprite).float() / 255 for sprite in sprites],
        [_cropped(p, s) for p, s in zip(pictures, sprites, strict=True)],
        [part.view(grid) for part, grid in zip(indices.split(sizes), grids, strict=True)],
    )


def _straight(patches: Tensor) -> Tensor:
    """RGB times alpha, and alpha, to RGB and alpha of 0 or 1."""
    opaque = (patches[:, 3:] >= 0.5).float()
    return torch.cat([(patches[:, :3] / patches[:, 3:].clamp_min(0.5)).clamp(0, 1) * opaque, opaque], 1)


def _cropped(picture: Tensor, sprite: Tensor) -> Tensor:
    rgba = picture[:, : sprite.shape[1], : sprite.shape[2]]
    return torch.cat([rgba[:3] * rgba[3:], rgba[3:]])


def measures(made: Reconstructed, codes: int) -> dict[str, float]:
    """Errors over all pixels of all sprites, on white, and over visible ones alone; and the use of the codes.

    Returns:
        `mse` and `oklab` (mean distance x100) on white; `mse_visible` and `oklab_visible` where the original is
        opaque, a reconstruction without alpha there counting as white; `worst`: the mean of each sprite's largest
        Oklab distance x100; `alpha`: share of pixels whose alpha is wrong; `used`: share of the codes in use;
        `perplexity`.
    """
    truth, ours = (torch.cat([p.flatten(1) for p in part], 1) for part in (made.originals, made.pictures))
    white = [(rgba[:3] * rgba[3:] + 1 - rgba[3:])[None, :, :, None] for rgba in (truth, ours)]
    square = (white[0] - white[1]).square().mean(1).flatten()
    distance = 100 * (srgb_to_oklab(white[0]) - srgb_to_oklab(white[1])).norm(dim=1).flatten()
    seen = truth[3] > 0
    worst = torch.stack([part.max() for part in distance.split([p[0].numel() for p in made.originals])])
    indices = torch.cat([i.flatten() for i in made.indices])
    used = usage(indices, torch.ones(len(indices)), codes)
    return {
        "mse": float(square.mean()),
        "mse_visible": float(square[seen].mean()),
        "oklab": float(distance.mean()),
        "oklab_visible": float(distance[seen].mean()),
        "worst": float(worst.mean()),
        "alpha": float((truth[3] != ours[3]).float().mean()),
        **{name: float(value) for name, value in used.items()},
    }


def rows_of_sheet(made: Reconstructed, side: int = 32) -> list[Tensor]:
    """Originals, reconstructions and their difference x4, centred on canvases: three of `b 3 side side`.

    Sprites are shown on a grey that is neither of the usual backgrounds, so that what is transparent is seen.
    """

    def canvas(rgba: Tensor) -> Tensor:
        height, width = rgba.shape[1:]
        top, left = (side - height) // 2, (side - width) // 2
        laid_out = F.pad(rgba, (left, side - width - left, top, side - height - top))
        return laid_out[:3] * laid_out[3:] + 0.6 * (1 - laid_out[3:])

    truth, ours = (torch.stack([canvas(p) for p in part]) for part in (made.originals, made.pictures))
    return [truth, ours, (4 * (truth - ours)).abs().clamp(0, 1)]
