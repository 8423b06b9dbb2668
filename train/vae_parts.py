"""Parts of the VAE's training: the loss for sprites, and the latent laid out so that random numbers fall on sprites."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.archs.vae import VAE

_LEAST_SPREAD = 1e-4
# Variance of the means below which the latent holds nothing along a direction; it is never divided by less.
_AT_ONCE = 256


def sprite_losses(logits: Tensor, x: Tensor) -> dict[str, Tensor]:
    """How far pictures are from sprites.

    Colours have the absolute error, not the squared one, for it has flat colours where that has their mean, and the
    cross entropy beyond that of the sprite itself, whose gradient does not die where a colour is stuck at 0 or 1.
    Alpha, which is 0 or 1, has the cross entropy alone.

    Args:
        logits: what `VAE.decode_logits` gives, `b c h w`.
        x: sprites, `b c h w`.
    """
    excess = F.binary_cross_entropy_with_logits(logits, x, reduction="none") - _entropy(x)
    off = (logits.sigmoid() - x).abs() + excess
    if x.shape[1] == 3:
        return {"color": off.mean()}
    seen = x[:, 3:].sum().clamp_min(1)  # colours count by how much is seen, not by how much room is around it
    return {"color": off[:, :3].sum() / (3 * seen), "alpha": excess[:, 3:].mean()}


def _entropy(x: Tensor) -> Tensor:
    """Of each number in [0, 1] as a probability, nats."""
    return -(torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x))


@torch.no_grad()
def with_fitted_latent(net: VAE, pictures: Tensor) -> VAE:
    """A copy that gives the same pictures, whose latents of these have mean 0 and covariance 1.

    The means of sprites are never quite spread as N(0, 1), and numbers drawn from that lie where no sprite is. Ghosh,
    Sajjadi, Vergari, Black and Schölkopf, "From Variational to Deterministic Autoencoders", ICLR 2020,
    https://arxiv.org/abs/1903.12436, section 4, fit a distribution to them after training. Here that is one normal
    distribution with all its covariances, and it goes into the linear layers around the latent: what draws numbers
    from N(0, 1) and decodes them need know nothing of it. Variances become those that a sprite has on average, alike
    for all sprites.

    Args:
        net: a trained one.
        pictures: `n c size size` in [0, 1], the sprites it learned; several times as many as the latent has numbers.

    Raises:
        ValueError: fewer than two pictures.
    """
    if len(pictures) < 2:
        msg = f"a distribution needs 2 pictures or more, got {len(pictures)}"
        raise ValueError(msg)
    net = copy.deepcopy(net).eval()
    device = net.fc_mu.weight.device
    codes = [net.encode(part.to(device)) for part in pictures.split(_AT_ONCE)]
    means = torch.cat([mean for mean, _ in codes]).double().cpu()
    variance = torch.cat([log_variance for _, log_variance in codes]).double().exp().mean(0).cpu()
    middle = means.mean(0)
    spread, axes = torch.linalg.eigh(torch.cov(means.T).reshape(len(middle), len(middle)))
    spread = spread.clamp_min(_LEAST_SPREAD).sqrt()
    widen = axes @ torch.diag(spread) @ axes.T  # the symmetric root, so that numbers keep their places
    narrow = axes @ torch.diag(1 / spread) @ axes.T
    first = net.decoder[0]
    assert isinstance(first, nn.Linear)
    _set(first, first.weight.double().cpu() @ widen, first.bias.double().cpu() + first.weight.double().cpu() @ middle)
    inward = net.fc_mu
    _set(inward, narrow @ inward.weight.double().cpu(), narrow @ (inward.bias.double().cpu() - middle))
    _set(net.fc_log_var, torch.zeros_like(net.fc_log_var.weight), (narrow.square() @ variance).log())
    return net


def _set(layer: nn.Linear, weight: Tensor, bias: Tensor) -> None:
    layer.weight.copy_(weight)
    layer.bias.copy_(bias)
