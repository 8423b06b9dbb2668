"""Sampling a PixelCNN from caches against the plain way, on the CPU, with the paper's configuration, in one run.

Plain is what the reference does: for every place the whole network on the rows down to it (`plain_logits`, PyTorch with
its default threads, under `no_grad`). A forward costs the same for each column of a row, so it is timed at the first,
the middle and the last row, the least of several calls each; the parabola through the three times is summed over the
rows and multiplied by the columns. Ours is `sample_codes` from an empty grid to the codes, packing of weights included,
the least of several runs. The weights are random, the last layer's such that logits spread by 1 to 2 as in a trained
network; 32 labels, each picture with one.

Before timing, the codes of both ways are compared: at 10x10 everything drawn both ways with the same numbers, and at
32x32 what was drawn from the caches is put before the plain network, which says what it would have drawn in the first,
the middle and the last row. A code that differs though its number lies 1e-5 or more from the border between the two is
counted in `differing` (goal 0), one nearer in `near_ties`; in the first comparison a picture is compared up to there.

Figures of the last line: `speedup_32_b1` (goal 200), `speedup_64_b1` (700) and `speedup_32_b16` (450), plain seconds
over ours for one picture of 32x32 codes, one of 64x64, and sixteen of 32x32; `seconds_...` and `plain_...` are these
times; `near_ties` and `differing`; `small_16_b...` are our seconds for a small network's 16x16 codes (96 features,
embedding 32, context 64). On a computer with other work to do the figures say little: both libraries' threads wait for
each other. `load` is the load average at the beginning and at the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pixel_models.archs.pixelcnn import TO_FILL, PixelCNN, PixelCNNConfig  # noqa: E402  the repository is not installed
from pixel_models.generate import sample_codes, uniforms_of  # noqa: E402
from pixel_models.generate.sampler import plain_logits  # noqa: E402

LABELS = tuple(f"label={number}" for number in range(32))
PAPER = PixelCNNConfig(labels=LABELS)
SMALL = PixelCNNConfig(width=96, embedding=32, context=64, labels=LABELS)
NEAR_TIE = 1e-5
CASES = {"32_b1": (32, 1), "64_b1": (64, 1), "32_b16": (32, 16)}
OUR_RUNS, OUR_SECONDS = 12, 20.0
PLAIN_CALLS, PLAIN_SECONDS = 12, 12.0


def new_network(config: PixelCNNConfig) -> PixelCNN:
    """Random weights; logits of random codes spread by 1.5."""
    torch.manual_seed(0)
    network = PixelCNN(config).eval()
    with torch.no_grad():
        codes = torch.randint(0, config.codes, (1, 1, 16, 16))
        network.conv_out.weight.mul_(1.5 / network(codes).std(1).mean())
    return network


def asked(count: int) -> Tensor:
    """Labels `count n`: one for each picture."""
    return torch.eye(len(LABELS))[torch.arange(count) % len(LABELS)]


def task(side: int, count: int) -> tuple[Tensor, Tensor]:
    """An empty grid and its numbers."""
    uniforms = uniforms_of(torch.Generator().manual_seed(side), count, (1, side, side))
    return torch.full((count, 1, side, side), TO_FILL), uniforms


def least(call: Callable[[], object], calls: int, seconds: float) -> float:
    """The least wall time of so many calls, or of those that fit into so many seconds, two at least."""
    times: list[float] = []
    while len(times) < 2 or (len(times) < calls and sum(times) < seconds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def plain_seconds(network: PixelCNN, side: int, count: int) -> float:
    """What filling a grid the plain way takes: a parabola through three rows' times, summed."""
    codes = torch.randint(0, network.config.codes, (count, 1, side, side))
    steering = network.steer(asked(count), None, codes)
    rows = (0, side // 2, side - 1)
    times = []
    for row in rows:
        seen = codes[:, :, : row + 1]
        times.append(least(lambda: plain_logits(network, seen, steering), PLAIN_CALLS, PLAIN_SECONDS))  # noqa: B023
    each = np.polyval(np.polyfit(rows, times, 2), np.arange(side))
    print(f"plain {side}x{side} b{count}: {', '.join(f'{t * 1e3:.1f}' for t in times)} ms a place in rows {rows}")
    return float(each.sum() * side)


def our_seconds(network: PixelCNN, side: int, count: int) -> float:
    """What filling a grid from the caches takes."""
    start, uniforms = task(side, count)
    labels = asked(count)
    seconds = least(lambda: sample_codes(network, start, uniforms, labels=labels), OUR_RUNS, OUR_SECONDS)
    print(f"ours {side}x{side} b{count}: {seconds:.3f} s, {seconds / side**2 * 1e6:.0f} us a place")
    return seconds


def borders(logits: Tensor, uniforms: Tensor, codes: Tensor) -> Tensor:
    """How far a number lies outside of what it should lie in to draw a code; 0 where it draws it.

    Args:
        logits: `b codes w`.
        uniforms: `b w`.
        codes: `b w`.

    Returns:
        `b w`.
    """
    chances = logits.double().softmax(1)
    upper = chances.cumsum(1).gather(1, codes[:, None])[:, 0]
    lower = upper - chances.gather(1, codes[:, None])[:, 0]
    return torch.maximum(lower - uniforms, uniforms - upper).clamp_min(0)


def count_differing(outside: Sequence[float]) -> tuple[int, int]:
    """Near-ties, and codes that differ without being one, among codes that the plain way does not draw."""
    near = sum(distance < NEAR_TIE for distance in outside)
    return near, len(outside) - near


def compared_in_full(network: PixelCNN, side: int, count: int) -> tuple[int, int]:
    """Both ways on their own; a picture is compared up to its first difference."""
    start, uniforms = task(side, count)
    labels = asked(count)
    plain = sample_codes(network, start, uniforms, labels=labels, method="plain")
    ours = sample_codes(network, start, uniforms, labels=labels)
    logits = network(plain, labels)[:, :, 0]  # b codes h w
    outside = []
    for picture in range(count):
        differ = (plain[picture] != ours[picture]).flatten().nonzero().flatten()
        if len(differ):
            row, column = divmod(int(differ[0]), side)
            found = borders(logits[:, :, row], uniforms[:, 0, row], ours[:, 0, row])
            outside.append(float(found[picture, column]))
    return count_differing(outside)


def compared_by_rows(network: PixelCNN, side: int, count: int) -> tuple[int, int]:
    """What the plain network would have drawn where it sees what ours has drawn before."""
    start, uniforms = task(side, count)
    labels = asked(count)
    ours = sample_codes(network, start, uniforms, labels=labels)
    logits = network(ours, labels)[:, :, 0]
    outside: list[float] = []
    for row in (0, side // 2 - 1, side - 1):
        found = borders(logits[:, :, row], uniforms[:, 0, row], ours[:, 0, row]).flatten()
        outside += found[found > 0].tolist()
    return count_differing(outside)


@torch.no_grad()
def main() -> None:
    """Compare, measure and print."""
    load = [os.getloadavg()[0]]
    network = new_network(PAPER)
    compared = (compared_in_full(network, 10, 4), compared_by_rows(network, 32, 4))
    near_ties, differing = (sum(found) for found in zip(*compared, strict=True))
    print(f"near-ties and other differences: {compared[0]} in 10x10, {compared[1]} in rows of 32x32")
    figures: dict[str, float | list[float]] = {}
    for name, (side, count) in CASES.items():
        ours, plain = our_seconds(network, side, count), plain_seconds(network, side, count)
        figures |= {f"speedup_{name}": round(plain / ours, 1), f"seconds_{name}": round(ours, 3)}
        figures[f"plain_{name}"] = round(plain, 1)
    small = new_network(SMALL)
    for count in (1, 16, 64):
        figures[f"small_16_b{count}"] = round(our_seconds(small, 16, count), 3)
    load.append(os.getloadavg()[0])
    print(json.dumps({**figures, "near_ties": near_ties, "differing": differing, "load": [round(x, 2) for x in load]}))


if __name__ == "__main__":
    main()
