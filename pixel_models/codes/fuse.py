"""Two pictures fused into codes by a trained prior, place by place: `fuse`, `fuse_codes`."""

from __future__ import annotations

import torch
from torch import Tensor

from ..archs.code_prior import CodePrior
from ..checkpoint import LoadedModel
from ..errors import CodesError, ModelKindError, ShapeError
from ..image import check_image, pad_to_multiple
from ..sampling import StepCallback
from ..spec import Purpose
from .coder import decode, network_input
from .core import CodeGrid
from .table import network_of

_PIXELS_AT_ONCE = 2**16
# What goes through the network at once; 256 codes a pixel then take 64 MiB.


def fuse_codes(
    prior: LoadedModel, model: LoadedModel, a: CodeGrid, b: CodeGrid, *, callback: StepCallback | None = None
) -> CodeGrid:
    """Fuse two grids of codes: both are decoded, and the prior says the codes of what they make together.

    Args:
        prior: trained for the codes of `model`.
        model: the VQ-VAE that made the codes.
        a: codes of b pictures, the base, or of one for all of the other's.
        b: codes of the second ones, for pictures of the same size, as many or one.
        callback: called after each part; may raise to cancel.

    Returns:
        The codes; see `fuse` for what is transparent.

    Raises:
        CodesError: the prior belongs to another VQ-VAE, or another one made the codes.
        ShapeError: sizes or numbers of pictures differ.
        ModelKindError: `prior` is no prior, or `model` makes no codes.
    """
    a.require_like(b)
    check_prior(prior, model)
    (first, one), (second, two) = decode(model, a), decode(model, b)
    alphas = [None if bool(alpha.all()) else alpha for alpha in (one, two)]
    return fuse(prior, model, first, alphas[0], second, alphas[1], callback=callback)


@torch.no_grad()
def fuse(
    prior: LoadedModel,
    model: LoadedModel,
    a_rgb: Tensor,
    a_alpha: Tensor | None,
    b_rgb: Tensor,
    b_alpha: Tensor | None,
    *,
    callback: StepCallback | None = None,
) -> CodeGrid:
    """Fuse two pictures into codes, the likeliest for each place by itself.

    Codes with alpha say what is transparent, except that of two pictures without alpha nothing is. Codes without alpha
    leave visible what is so in either picture.

    Args:
        prior: trained for the codes of `model`.
        model: the VQ-VAE.
        a_rgb: `b 3 h w`, floating point in [0, 1]: the base; or `1 3 h w`, one for all of the other's.
        a_alpha: `b 1 h w` in [0, 1], straight, 1 = opaque; None: everything is.
        b_rgb: the second picture, of the same size, as many or one.
        b_alpha: its alpha.
        callback: called after each part; may raise to cancel.

    Returns:
        The codes, one for each patch.

    Raises:
        CodesError: the prior belongs to another VQ-VAE.
        ShapeError, ImageError: a tensor is not as above, or sizes or numbers of pictures differ.
        ModelKindError: `prior` is no prior, or `model` makes no codes.
    """
    network, config = check_prior(prior, model), network_of(model).config
    for name, rgb, alpha in (("a", a_rgb, a_alpha), ("b", b_rgb, b_alpha)):
        check_image(rgb, f"{name}_rgb")
        if alpha is not None:
            check_image(alpha, f"{name}_alpha", (1,))
            if alpha.shape != (len(rgb), 1, *rgb.shape[2:]):
                wanted = (len(rgb), 1, *rgb.shape[2:])
                msg = f"{name}_alpha is {tuple(alpha.shape)}, expected {wanted}, as the picture has it"
                raise ShapeError(msg)
    height, width = a_rgb.shape[2:]
    if a_rgb.shape[2:] != b_rgb.shape[2:]:
        msg = f"the pictures are {width}x{height} and {b_rgb.shape[3]}x{b_rgb.shape[2]}; bring them to one size"
        raise ShapeError(msg)
    count = max(len(a_rgb), len(b_rgb))
    if len(a_rgb) != len(b_rgb) and 1 not in (len(a_rgb), len(b_rgb)):
        msg = f"{len(a_rgb)} and {len(b_rgb)} pictures cannot be paired; expected as many, or one for all"
        raise ShapeError(msg)
    seen = [
        _seen(*part, config.channels, config.patch).expand(count, -1, -1, -1)
        for part in ((a_rgb, a_alpha), (b_rgb, b_alpha))
    ]
    clear = None
    if config.channels == 3 and a_alpha is not None and b_alpha is not None:
        hidden = [alpha[:, 0].detach().cpu() < 0.5 for alpha in (a_alpha, b_alpha)]
        clear = (hidden[0] & hidden[1]).expand(count, -1, -1).contiguous()
    elif config.channels == 4 and a_alpha is None and b_alpha is None:
        clear = torch.zeros(count, height, width, dtype=torch.bool)
    indices = _likeliest(network, seen[0], seen[1], callback)
    return CodeGrid(indices, config.codes, model.fingerprint, config.patch, height, width, clear)


def check_prior(prior: LoadedModel, model: LoadedModel) -> CodePrior:
    """The network of `prior`, if it was trained for the codes of `model`.

    Raises:
        CodesError: it was trained for another VQ-VAE's; names both.
        ModelKindError: `prior` is no prior, or `model` makes no codes.
    """
    module, config = prior.require(Purpose.FUSE).module, network_of(model).config
    if not isinstance(module, CodePrior):
        msg = f"a code_prior is needed to fuse codes, and this model is a {prior.spec.id}"
        raise ModelKindError(msg)
    own = module.config
    if own.codes_of != model.fingerprint:
        msg = (
            f"this prior says codes of the model {own.codes_of or 'of nobody'}, and this one ({model.spec.id}) is "
            f"{model.fingerprint}; codes mean nothing to another model: load the one it was trained for, or train "
            "one for this (python -m train.fusion)"
        )
        raise CodesError(msg)
    theirs = (config.codes, config.layers, config.channels)
    if (own.codes, own.layers, own.channels) != theirs:
        msg = (
            f"this prior is for {own.codes} codes, {own.layers} halvings and {own.channels} channels, and the VQ-VAE "
            f"{model.fingerprint} has {', '.join(map(str, theirs))}; its file is damaged: train it again"
        )
        raise CodesError(msg)
    return module


def _seen(rgb: Tensor, alpha: Tensor | None, channels: int, patch: int) -> Tensor:
    """A picture as the VQ-VAE sees it, `b c H W`; sides are multiples of the patch."""
    padded = pad_to_multiple(rgb.detach().float().cpu().clamp(0, 1), patch)[0]
    if alpha is not None:
        alpha = pad_to_multiple(alpha.detach().float().cpu().clamp(0, 1), patch, "constant")[0]
    return network_input(padded, alpha, channels, patch)


def _likeliest(network: CodePrior, a: Tensor, b: Tensor, callback: StepCallback | None) -> Tensor:
    """`b c H W` each to codes `b h w`, in strips, for places know nothing of each other."""
    patch, device = network.config.patch, next(network.parameters()).device
    rows = max(1, _PIXELS_AT_ONCE // (a.shape[3] * patch)) * patch
    strips = [(n, top) for n in range(len(a)) for top in range(0, a.shape[2], rows)]
    found = torch.empty(len(a), a.shape[2] // patch, a.shape[3] // patch, dtype=torch.int64)
    for step, (n, top) in enumerate(strips, 1):
        pair = torch.cat([x[n : n + 1, :, top : top + rows] for x in (a, b)], 1)
        found[n, top // patch : (top + rows) // patch] = network(pair.to(device)).argmax(1)[0].cpu()
        if callback:
            callback(step, len(strips))
    return found
