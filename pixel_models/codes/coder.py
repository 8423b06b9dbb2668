"""Pictures to codes and back, as the network does it and many times as fast: `encode`, `decode`.

A code decodes to one fixed patch, so decoding looks patches up; an encoder's patch depends on itself alone, so each
distinct patch (and each distinct pixel, 2x2 block and so on within) goes through the network once; see `distinct`.
"""

from __future__ import annotations

import itertools
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..archs.vqvae import VQVAE
from ..checkpoint import LoadedModel
from ..errors import CodesError, PixelModelError, ShapeError
from ..image import check_image, enlarge, pad_to_multiple
from ..sampling import StepCallback
from .core import CodeGrid
from .distinct import PatchEncoder, distinct_rows, in_patch_order
from .table import CodeTable, network_of, table_of

NearestBy = Literal["features", "picture"]
"""What the nearest code is near to."""

NEAREST_BYS: tuple[NearestBy, ...] = get_args(NearestBy)
"""Every `NearestBy`."""

_PIXELS_AT_ONCE = 2**18
# What goes through the network at once: its widest layer takes 128 MiB for so many pixels.
_DISTINCT_AT_ONCE = 2**16
_PAIRS_AT_ONCE = 2**23


@torch.no_grad()
def encode(
    model: LoadedModel,
    rgb: Tensor,
    alpha: Tensor | None = None,
    *,
    keep_alpha: bool = True,
    nearest: NearestBy = "features",
    callback: StepCallback | None = None,
) -> CodeGrid:
    """Turn pictures into codes.

    Pictures whose sides the patch does not divide are continued with their last row and column, under transparency
    where there is any. Models with alpha see RGB times alpha, and alpha. For others, transparent pixels get the mean
    colour of the visible ones of their patch, white where there are none.

    Args:
        model: a VQ-VAE.
        rgb: `b 3 h w`, floating point in [0, 1].
        alpha: `b 1 h w` in [0, 1], straight, 1 = opaque; None: everything is.
        keep_alpha: let hard alpha (a half and more is opaque) travel beside the codes, so that decoding gives it back
            exactly; otherwise the codes alone say what is transparent, which codes without alpha cannot.
        nearest: "features": the code that the network chooses. "picture": the code whose patch differs least from the
            visible pixels, by the mean square; that is never worse.
        callback: called after each part; may raise to cancel.

    Returns:
        The codes, one for each patch.

    Raises:
        ShapeError, ImageError: `rgb` or `alpha` is not as above.
        ModelKindError: the model makes no codes.
        PixelModelError: no such `nearest`.
    """
    network = network_of(model)
    if nearest not in NEAREST_BYS:
        msg = f"nearest is {nearest!r}, expected one of {', '.join(NEAREST_BYS)}"
        raise PixelModelError(msg)
    check_image(rgb, "rgb")
    if alpha is not None:
        check_image(alpha, "alpha", (1,))
        if alpha.shape != (len(rgb), 1, *rgb.shape[2:]):
            msg = f"alpha is {tuple(alpha.shape)}, expected {(len(rgb), 1, *rgb.shape[2:])}, as the picture has it"
            raise ShapeError(msg)
    rgb, alpha = _plain(rgb), None if alpha is None else _plain(alpha)
    clear = _kept_alpha(alpha, rgb, network.config.channels) if keep_alpha else None
    patch = network.config.patch
    padded, (height, width) = pad_to_multiple(rgb, patch)
    covered = None if alpha is None else pad_to_multiple(alpha, patch, "constant")[0]
    if nearest == "features":
        found = _by_features(network, network_input(padded, covered, network.config.channels, patch), callback)
    else:
        inside = pad_to_multiple(torch.ones_like(rgb[:, :1]), patch, "constant")[0]
        whole = network.config.channels == 4 and not keep_alpha
        found = _by_picture(table_of(model), padded, covered, inside, whole=whole, callback=callback)
    indices = found.view(len(rgb), padded.shape[2] // patch, padded.shape[3] // patch)
    return CodeGrid(indices, network.config.codes, model.fingerprint, patch, height, width, clear)


def decode(model: LoadedModel, codes: CodeGrid) -> tuple[Tensor, Tensor]:
    """Turn codes into pictures, by looking their patches up.

    Where `codes.transparent` is given it decides, except that a patch that is wholly transparent stays so; pixels that
    are then opaque and that the patch holds as transparent get the mean colour of its opaque ones.

    Args:
        model: the one that made the codes.
        codes: for b pictures of `height` by `width` pixels.

    Returns:
        `b 3 height width`, float32 in [0, 1], 0 where transparent; and alpha `b 1 height width`, 0 or 1.

    Raises:
        CodesError: another model made these codes.
        ModelKindError: the model makes no codes.
    """
    table = table_of(model)
    codes.require(model)
    if (codes.codebook_size, codes.patch) != (len(table), table.patch):
        msg = (
            f"these are codes of {codes.codebook_size} for {codes.patch}x{codes.patch} pixels, and the model has "
            f"{len(table)} for {table.patch}x{table.patch}; they are damaged: encode the picture again"
        )
        raise CodesError(msg)
    rgb = _look_up(table.rgb, codes)
    if codes.transparent is None and bool(table.opaque.all()):
        return rgb, torch.ones_like(rgb[:, :1])
    if codes.transparent is None:
        alpha = _look_up(table.opaque[:, None].float(), codes)
    else:
        shown = ~codes.transparent[:, None]
        if bool(table.clear.any()):
            shown &= ~enlarge(table.clear[codes.indices], table.patch)[:, None, : codes.height, : codes.width]
        alpha = shown.float()
    return rgb.mul_(alpha), alpha


def _look_up(patches: Tensor, codes: CodeGrid) -> Tensor:
    """The patches `k c p p` of codes as pictures, `b c height width`."""
    b, rows, columns = codes.indices.shape
    _, c, patch, _ = patches.shape
    indices, made = codes.indices.numpy(), np.empty((b, c, codes.height, codes.width), np.float32)
    for channel, row in itertools.product(range(c), range(min(patch, codes.height))):
        line = patches[:, channel, row].contiguous().numpy()  # k p
        target = made[:, channel, row::patch]
        if patch == 1:
            for picture, into in zip(indices, target, strict=True):  # straight into its place
                line.reshape(-1).take(picture, out=into, mode="clip")
        else:
            found = line.take(indices, 0, mode="clip").reshape(b, rows, columns * patch)
            target[:] = found[:, : target.shape[1], : codes.width]
    return torch.from_numpy(made)


def _plain(x: Tensor) -> Tensor:
    return x.detach().float().cpu().clamp(0, 1)


def _kept_alpha(alpha: Tensor | None, rgb: Tensor, channels: int) -> Tensor | None:
    """The mask that travels. Codes with alpha could make holes in a picture that has none, so it says so then."""
    if alpha is not None:
        return alpha[:, 0] < 0.5
    return torch.zeros_like(rgb[:, 0], dtype=torch.bool) if channels == 4 else None


def network_input(rgb: Tensor, alpha: Tensor | None, channels: int, patch: int) -> Tensor:
    """What a network sees of pictures.

    Args:
        rgb: `b 3 h w` in [0, 1], sides multiples of `patch`.
        alpha: `b 1 h w` in [0, 1], straight; None: opaque.
        channels: 4: RGB times alpha, and alpha. 3: RGB, with the mean of its patch's visible pixels, or white, where
            alpha is below a half.
        patch: pixels a side.

    Returns:
        `b channels h w`.
    """
    if channels == 4:
        return F.pad(rgb, (0, 0, 0, 0, 0, 1), value=1.0) if alpha is None else torch.cat([rgb * alpha, alpha], 1)
    if alpha is None:
        return rgb
    seen = (alpha >= 0.5).float()
    share = F.avg_pool2d(seen, patch)
    mean = F.avg_pool2d(rgb * seen, patch) / share.clamp_min(1e-6)
    mean = torch.where(share > 0, mean.clamp(0, 1), 1.0)
    return torch.where(seen > 0, rgb, enlarge(mean, patch))


def _by_features(network: VQVAE, x: Tensor, callback: StepCallback | None) -> Tensor:
    """The network's own choice for each patch, `n`."""
    blocks = in_patch_order(x, network.config.layers).split(_PIXELS_AT_ONCE, dim=1)
    encoder = PatchEncoder(network.encoder)
    found: list[Tensor] = []
    for step, block in enumerate(blocks, 1):
        parts = [(block, distinct_rows(block))]
        if len(parts[0][1].first) > _DISTINCT_AT_ONCE:
            parts = [(part, distinct_rows(part)) for part in block.split(_DISTINCT_AT_ONCE, dim=1)]
        for pixels, rows in parts:
            features, inverse = encoder.features(pixels, rows)
            found.append(network.vq_vae.encode(features.T[None, :, :, None]).view(-1).cpu()[inverse])
        if callback:
            callback(step, len(blocks))
    return torch.cat(found)


def _by_picture(
    table: CodeTable,
    rgb: Tensor,
    alpha: Tensor | None,
    inside: Tensor,
    *,
    whole: bool,
    callback: StepCallback | None,
) -> Tensor:
    """The code with the nearest patch for each patch, `n`; with `whole`, alpha too has to be the code's."""
    seen = inside if alpha is None else (alpha >= 0.5).float()
    layers = table.patch.bit_length() - 1
    hard = torch.cat([rgb * seen, seen, inside], 1)  # b 5 h w
    patches = in_patch_order(hard, layers).view(5, -1, table.patch**2)  # 5 n pp
    first, inverse = distinct_rows(patches.transpose(1, 2).flatten(0, 1))
    patches = patches[:, first].double()
    shown = table.opaque[:, None].double()
    faces = torch.cat([table.rgb * shown if whole else table.rgb, shown], 1)  # k 4 p p
    faces = in_patch_order(faces, layers).view(4, len(table), -1).double()  # 4 k pp
    step = max(1, _PAIRS_AT_ONCE // len(table))
    starts = range(0, patches.shape[1], step)
    found: list[Tensor] = []
    for count, start in enumerate(starts, 1):
        found.append(_nearest_faces(patches[:, start : start + step], faces, table.clear, whole=whole))
        if callback:
            callback(count, len(starts))
    return torch.cat(found)[inverse]


def _nearest_faces(patches: Tensor, faces: Tensor, clear: Tensor, *, whole: bool) -> Tensor:
    """`5 n pp` and `4 k pp` to the codes `n`."""
    colors, seen, inside = patches[:3], patches[3], patches[4]
    visible = seen.any(1)
    alpha_counts = inside @ faces[3].T - 2 * seen @ faces[3].T  # n k, up to a constant of each patch
    color_weight = inside if whole else seen
    away = color_weight @ faces[:3].square().sum(0).T
    for color, face in zip(colors, faces, strict=False):
        away -= 2 * color @ face.T
    if whole:
        return (away + alpha_counts).argmin(1)
    if not bool(clear.all()):
        away[:, clear] = float("inf")  # where something shows it must not vanish
    return torch.where(visible, away.argmin(1), alpha_counts.argmin(1))
