"""Codes of a PixelCNN drawn in reading order: from caches, or the plain way that says what is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..archs.pixelcnn import Hints, PixelCNN, Steering
from ..sampling import StepCallback
from .cells import fill
from .choice import Choice
from .job import Job
from .steps import fill_on_device

Method = Literal["cached", "plain"]
METHODS: tuple[Method, ...] = get_args(Method)
_WITH_FLOAT64 = ("cuda", "xpu")
"""Devices on which all is done; for networks on others (Apple's has no float64) the CPU does the work."""


@torch.no_grad()
def sample_codes(
    network: PixelCNN,
    start: Tensor,
    uniforms: Tensor,
    *,
    labels: Tensor | None = None,
    hints: Hints | None = None,
    choice: Choice = Choice(),  # noqa: B008  frozen
    allowed: Tensor | None = None,
    callback: StepCallback | None = None,
    on_row: Callable[[Tensor, int], None] | None = None,
    method: Method = "cached",
) -> Tensor:
    """Draw what is to fill, row by row from the top and from the left in each row.

    With the same uniform numbers both methods draw the same codes, whatever the batch, but where a number lies within
    rounding (1e-5 is ample) of the border between two codes.

    Args:
        network: not one that translates; its dropout is left out, whatever its mode.
        start: `b c h w`, int64; `TO_FILL` where a code is to be drawn. Given ones are kept in every picture.
        uniforms: `b c h w`, float64 in [0, 1), from `uniforms_of`; one decides each code.
        labels: `b n`, 1 for what is asked for; None: nothing is.
        hints: for networks with `context`; None: nothing is known.
        choice: temperature, `top_k`, `top_p`, guidance.
        allowed: `b h w codes`, bool, codes that may be drawn at each place, at least one; None: all. For one channel.
        callback: called after every place at which a code was to be drawn in any picture; may raise to cancel.
        on_row: called after every row with the codes so far, `b c h w` on the CPU, and how many rows are done.
        method: "cached", or "plain": the whole network on all rows so far for every place, hundreds of times slower.

    Returns:
        `b c h w`, int64, where `start` is.

    Raises:
        ModelKindError: a network that translates.
        ShapeError: a tensor of another shape or type, labels or hints that the network does not take.
        CodesError: codes or uniforms out of range, or a place where nothing is allowed.
        ValueError: an unknown method.
    """
    if method not in METHODS:
        msg = f"method is {method!r}, expected one of {', '.join(METHODS)}"
        raise ValueError(msg)
    if not len(start):
        return start.clone()
    job = Job(network, start, uniforms, labels, hints, choice, allowed, callback, on_row)
    if method == "plain":
        fill_plainly(job)
    elif job.device.type in _WITH_FLOAT64:
        fill_on_device(job, graph=job.device.type == "cuda")
    else:
        fill(job)
    return job.result().to(start.device)


def uniforms_of(generator: torch.Generator, count: int, shape: tuple[int, int, int]) -> Tensor:
    """Numbers for `count` pictures of `c h w` codes, float64 in [0, 1).

    Each picture has a seed of its own, drawn one after another, so what the i-th gets does not depend on how many there
    are: the first of ten is the first of two.

    Args:
        generator: on the CPU; it goes on by `count` seeds.
        count: pictures.
        shape: channels, rows and columns of codes.

    Returns:
        `count c h w`.
    """
    seeds = [int(torch.randint(2**62, (), generator=generator)) for _ in range(count)]
    numbers = [torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) for seed in seeds]
    return torch.stack(numbers) if numbers else torch.zeros(0, *shape, dtype=torch.float64)


def fill_plainly(job: Job) -> None:
    """Draw each place after the network has run on its row and all above, as the paper's reference does."""
    was_training = job.network.training
    job.network.eval()
    try:
        for row in range(job.height):
            for column in np.flatnonzero(job.wanted[row]):
                codes = job.result()[:, :, : row + 1].to(job.device)
                logits = plain_logits(job.network, codes.repeat(job.twins, 1, 1, 1), job.steering)[..., row, column]
                job.place(row, int(column), logits.transpose(1, 2).double().cpu().numpy())
            job.row_done(row)
    finally:
        job.network.train(was_training)


def plain_logits(network: PixelCNN, codes: Tensor, steering: list[Steering]) -> Tensor:
    """The network's forward on the first rows of a grid: the steering is of the whole grid, since context sees all.

    Args:
        network: not one that translates.
        codes: `b c rows w`.
        steering: for all rows.

    Returns:
        Logits, `b codes c rows w`.
    """
    x = network.entry(codes)
    v, h = network.conv_vstack(x), network.conv_hstack(x)
    for layer, steer in zip(network.layers, steering, strict=True):
        v, h = layer(v, h, Steering(*(part if part is None else part[:, :, : codes.shape[2]] for part in steer)))
    return network.conv_out(F.elu(h)).unflatten(1, (network.config.codes, network.config.channels))
