"""What every classic adversarial recipe needs: starting weights, adversarial losses, the gradient penalty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

InitKind = Literal["normal", "xavier", "kaiming", "orthogonal"]
GanMode = Literal["lsgan", "vanilla", "wgangp", "nonsaturating"]


def init_weights(
    module: nn.Module, kind: InitKind = "normal", gain: float = 0.02, generator: torch.Generator | None = None
) -> None:
    """Give a network its starting weights, in place, as the CycleGAN and CUT programs do.

    Convolutions and linear layers draw from `kind`, their biases are 0; batch norms scale by N(1, gain).

    Args:
        module: any network; layers without weights stay as they are.
        kind: `normal` N(0, gain), CycleGAN's; `xavier` (Glorot and Bengio 2010) times gain, CUT's; `kaiming`
            (He et al., https://arxiv.org/abs/1502.01852), by fan-in, for ReLU; `orthogonal` times gain.
        gain: of all but `kaiming`.
        generator: a CPU generator that the numbers are drawn from; None is PyTorch's own.

    Raises:
        ValueError: there is no such `kind`.
    """
    if kind not in get_args(InitKind):
        msg = f"kind is {kind!r}, expected one of {', '.join(map(repr, get_args(InitKind)))}"
        raise ValueError(msg)
    fill: dict[str, Callable[[Tensor], Tensor]] = {
        "normal": lambda w: nn.init.normal_(w, 0.0, gain, generator=generator),
        "xavier": lambda w: nn.init.xavier_normal_(w, gain, generator=generator),
        "kaiming": lambda w: nn.init.kaiming_normal_(w, a=0, mode="fan_in", generator=generator),
        "orthogonal": lambda w: nn.init.orthogonal_(w, gain, generator=generator),
    }
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            fill[kind](layer.weight)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, gain, generator=generator)
        else:
            continue
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def gan_loss(score: Tensor, real: bool, mode: GanMode = "lsgan") -> Tensor:
    """How far a discriminator's scores are from what `real` says they should be.

    Args:
        score: any shape, unbounded; higher is more real.
        real: what the scores are compared with.
        mode: `lsgan`: mean squared distance to 1 or 0 (Mao et al., https://arxiv.org/abs/1611.04076); `vanilla`:
            binary cross entropy of the logits (Goodfellow et al., https://arxiv.org/abs/1406.2661); `wgangp`: minus
            or plus the mean (Arjovsky et al., https://arxiv.org/abs/1701.07875), to be used with `gradient_penalty`;
            `nonsaturating`: softplus of minus or plus the scores, as StyleGAN2 has it, with `r1_penalty`.

    Returns:
        A scalar.

    Raises:
        ValueError: there is no such `mode`.
    """
    if mode == "lsgan":
        return F.mse_loss(score, torch.full_like(score, float(real)))
    if mode == "vanilla":
        return F.binary_cross_entropy_with_logits(score, torch.full_like(score, float(real)))
    if mode == "wgangp":
        return -score.mean() if real else score.mean()
    if mode == "nonsaturating":
        return F.softplus(-score if real else score).mean()
    msg = f"mode is {mode!r}, expected one of {', '.join(map(repr, get_args(GanMode)))}"
    raise ValueError(msg)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], points: Tensor, *, weight: float = 10.0, target: float = 1.0
) -> Tensor:
    """Hold the slope of a critic near `target`: Gulrajani et al., https://arxiv.org/abs/1704.00028, equation 3.

    Args:
        critic: pictures to scores.
        points: `b ...`, where the slope is measured: real pictures, made ones, or `between` of both.
        weight: factor of the penalty.
        target: slope that costs nothing.

    Returns:
        A scalar; its gradient reaches the critic's weights.
    """
    points = points.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    steep = (slope.flatten(1) + 1e-16).norm(2, dim=1)  # the offset keeps the root's gradient finite at 0
    return ((steep - target) ** 2).mean() * weight


def r1_penalty(score: Tensor, real: Tensor, *, weight: float = 1.0) -> Tensor:
    """Hold a discriminator flat at real pictures: Mescheder et al., https://arxiv.org/abs/1801.04406, equation 9.

    Args:
        score: the discriminator's scores of `real`, any shape, with their graph.
        real: `b ...`, which needed a gradient when it was judged.
        weight: factor of the penalty, halved as published.

    Returns:
        A scalar: half the weight times the mean over the batch of the squared slope; its gradient reaches the
        discriminator's weights.
    """
    (slope,) = torch.autograd.grad(score.sum(), real, create_graph=True)
    return slope.square().flatten(1).sum(dim=1).mean() * (weight / 2)


def between(real: Tensor, made: Tensor, share: Tensor) -> Tensor:
    """Mix pictures `b ...`, of each pair `share` (`b`, in [0, 1]) of the real one: the points of WGAN-GP."""
    share = share.reshape(-1, *[1] * (real.ndim - 1))
    return share * real + (1 - share) * made
