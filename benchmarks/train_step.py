"""Pictures per second of every training step against a plain loop of the same networks in the reference's order.

    python benchmarks/train_step.py [RECIPE ...]

Plain is `plain_steps.py`: float32, one pass a call, every layer and the optimizer PyTorch's own. Ours is the recipe's
`train_step` as `python -m train.NAME` calls it, with the weights laid out as its loop does. All take turns on the same
batches of random pictures; before each turn ours gets the plain loop's weights and moments, since Adam's first steps
make whole steps of differences that are rounding. The settings are each recipe's `small` ones, pix2pix without dropout,
whose masks would differ. A turn ends when its losses are numbers; what the loop adds (batches, average, log) is in
neither. Who goes first changes from turn to turn, and of all turns the least time counts, so that what else runs on
the machine hits everyone alike; all recipes take about ten minutes on two cores.

Figures of the last line: `speedup_NAME` is plain time over ours by the clock on the wall, which is what one waits for
(goals 1.3, and 3 on a GPU); with `_processor` it is of the processor's time of all threads, which other programs
disturb less. Both are with `--precision gradients`, on a GPU with `bf16`: of the precisions whose losses are equal to
1e-3 it is the fastest, since it rounds in the backward pass alone, while bfloat16 throughout moves losses by several
times that. `loss_NAME` is the largest difference of any loss in any turn, relative to the loss; where it is over 0.001
on a processor, the command fails. The same with `_no` is ours in float32 throughout, and with `_bf16` in the precision
that the loop has unless told otherwise; `total_NAME_bf16` is the difference of the generator's sum.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from plain_steps import STEPS, Losses, PlainSteps  # noqa: E402  the repository is not installed

from pixel_models.archs.cascade import CELLS  # noqa: E402
from train import classic, cut, fastcut, pix2pix, pixelization, sincut, sincut_parts  # noqa: E402
from train.aligned import PairedBatches  # noqa: E402
from train.loop import Batch, StepContext, generator_of, memory_format  # noqa: E402

TURNS, LEAST_TURNS, PATIENCE = 20, 3, 80.0
"""Turns of each recipe after one that warms up; fewer, but not fewer than these, once so many seconds are over."""

FURTHEST = 1e-3
"""Largest difference of a loss, relative to it, on a processor."""


@dataclasses.dataclass(frozen=True)
class Noise:
    """Draws pictures `3 side side` of smooth noise in [-1, 1]: coarse shapes and fine grain, as pictures have."""

    side: int

    def __call__(self, generator: torch.Generator) -> Tensor:
        """Draw one."""
        coarse = torch.randn(1, 3, 8, 8, generator=generator)
        shapes = torch.nn.functional.interpolate(coarse, (self.side, self.side), mode="bilinear")[0]
        return (shapes + 0.3 * torch.randn(shapes.shape, generator=generator)).tanh()


@dataclasses.dataclass(frozen=True)
class NoisePairs:
    """Draws batches of `a` and `b`, each `batch 3 side side`."""

    side: int
    batch: int

    def __call__(self, generator: torch.Generator) -> Batch:
        """Draw one batch."""
        draw = Noise(self.side)
        return {name: torch.stack([draw(generator) for _ in range(self.batch)]) for name in "ab"}


def recipe_of(name: str) -> Any:  # noqa: ANN401  six recipes with one protocol
    """A recipe with its small setting, always with the same weights."""
    if name in ("cyclegan", "cut", "fastcut"):
        module: Any = {"cyclegan": classic, "cut": cut, "fastcut": fastcut}[name]
        setting = module.SETTINGS["small"]
        kind = classic.ClassicCycleGAN if name == "cyclegan" else cut.CUT
        return kind(Noise(setting.crop), Noise(setting.crop), setting)
    if name == "sincut":
        single = sincut_parts.SETTINGS["small"]
        return sincut.SinCUT(NoisePairs(single.crop, single.batch), single)
    if name == "pix2pix":
        paired = dataclasses.replace(pix2pix.SETTINGS["small"], dropout=False)
        draw = Noise(paired.crop)
        return pix2pix.Pix2Pix(PairedBatches(lambda g: (draw(g), draw(g)), paired.batch), paired)
    cascade = pixelization.SETTINGS["small"]
    return pixelization.Cascade(Noise(cascade.crop), dict.fromkeys(CELLS, Noise(cascade.crop)), cascade)


class Turn:
    """One of those that take turns: a call that makes a step and gives its losses, and the least time it took."""

    def __init__(self, step: Callable[[Batch, int], Losses]) -> None:
        """Nothing has been timed."""
        self.step = step
        self.least = self.least_processor = float("inf")

    def take(self, batch: Batch, number: int) -> dict[str, float]:
        """Make a step, and give its losses."""
        began, processor = time.perf_counter(), time.process_time()
        losses = {name: float(loss.detach()) for name, loss in self.step(batch, number).items()}
        self.least = min(self.least, time.perf_counter() - began)
        self.least_processor = min(self.least_processor, time.process_time() - processor)
        return losses


@torch.no_grad()
def catch_up(recipe: Any, plain: PlainSteps) -> None:  # noqa: ANN401
    """Give our networks and optimizers what the plain ones have."""
    for name, net in plain.nets.items():
        recipe.nets[name].load_state_dict(net.state_dict())
    for name, optimizer in plain.optimizers.items():
        ours = recipe.optimizers[name]
        for mine, theirs in zip(ours.param_groups[0]["params"], optimizer.param_groups[0]["params"], strict=True):
            for slot, value in optimizer.state[theirs].items():
                if slot in ours.state[mine]:
                    ours.state[mine][slot].copy_(value)


def furthest(got: dict[str, float], expected: dict[str, float]) -> float:
    """The largest difference of a loss, relative to its size.

    Raises:
        ValueError: the losses have other names.
    """
    if got.keys() != expected.keys():
        msg = f"losses are {sorted(got)}, expected {sorted(expected)}"
        raise ValueError(msg)
    return max(abs(got[name] - value) / abs(value) for name, value in expected.items())


def total(losses: dict[str, float]) -> float:
    """The sum of what is not a discriminator's; where it is logged itself, it counts twice in both."""
    return sum(value for name, value in losses.items() if not name.startswith("D_"))


def measure(name: str, accelerator: Accelerator) -> dict[str, float]:
    """The figures of one recipe."""
    device = accelerator.device
    precisions = ["bf16"] if device.type == "cuda" else ["gradients", "no", "bf16"]
    recipes = {precision: recipe_of(name) for precision in precisions}
    plain = PlainSteps(recipes[precisions[0]])
    for net in plain.nets.values():
        net.to(device)
    for recipe in recipes.values():
        for net in recipe.nets.values():
            net.to(device, memory_format=memory_format(net, device))

    def context(number: int, precision: str) -> StepContext:
        return StepContext(accelerator, 0, number, precision)

    turns = {"plain": Turn(lambda batch, number: STEPS[name](plain, batch, context(number, "no")))}
    for precision, recipe in recipes.items():
        turns[precision] = Turn(
            lambda batch, number, recipe=recipe, precision=precision: recipe.train_step(
                batch, number, context(number, precision)
            )
        )
    off, off_total = dict.fromkeys(precisions, 0.0), dict.fromkeys(precisions, 0.0)
    make_batch = recipes[precisions[0]].make_batch
    pictures, began = 0, time.monotonic()
    for number in range(TURNS + 1):
        batch = {key: value.to(device) for key, value in make_batch(generator_of(0, "bench", number)).items()}
        pictures = len(batch["a"])
        for recipe in recipes.values():
            catch_up(recipe, plain)
        order = list(turns)
        order = order[number % len(order) :] + order[: number % len(order)]
        losses = {who: turns[who].take(batch, number) for who in order}
        for precision in precisions:
            off[precision] = max(off[precision], furthest(losses[precision], losses["plain"]))
            apart = abs(total(losses[precision]) / total(losses["plain"]) - 1)
            off_total[precision] = max(off_total[precision], apart)
        if not number:
            for turn in turns.values():
                turn.least = turn.least_processor = float("inf")
        elif number >= LEAST_TURNS and time.monotonic() - began > PATIENCE:
            break
    for who, turn in turns.items():
        speeds = (pictures / turn.least, pictures / turn.least_processor)
        ratios = (turns["plain"].least / turn.least, turns["plain"].least_processor / turn.least_processor)
        cells = [f"{value:10.3f}" for pair in zip(speeds, ratios, strict=True) for value in pair]
        print(f"{name:14}{who:10}{''.join(cells)}{off.get(who, 0.0):10.1e}", flush=True)
    figures: dict[str, float] = {}
    for precision in precisions:
        end = f"_{precision}" if precision != precisions[0] else ""
        figures[f"speedup_{name}{end}"] = round(turns["plain"].least / turns[precision].least, 3)
        figures[f"loss_{name}{end}"] = float(f"{off[precision]:.2g}")
        if not end:
            ratio = turns["plain"].least_processor / turns[precision].least_processor
            figures[f"speedup_{name}_processor"] = round(ratio, 3)
        if precision == "bf16":
            figures[f"total_{name}{end}"] = float(f"{off_total[precision]:.2g}")
    return figures


def main() -> None:
    """Measure, and print the figures as the last line; fail where losses differ."""
    accelerator = Accelerator(mixed_precision="no", cpu=not torch.cuda.is_available())
    print(f"{accelerator.device}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    heads = "".join(f"{head:>10}" for head in ("pictures/s", "speedup", "processor", "speedup", "loss"))
    print(f"{'recipe':14}{'precision':10}{heads}")
    figures: dict[str, float] = {}
    for name in sys.argv[1:] or STEPS:
        figures |= measure(name, accelerator)
    print(json.dumps(figures), flush=True)
    far = [name for name in sys.argv[1:] or STEPS if figures[f"loss_{name}"] > FURTHEST]
    if far and accelerator.device.type == "cpu":
        sys.exit(f"losses of {' '.join(far)} differ from the plain loop's by more than {FURTHEST}")


if __name__ == "__main__":
    main()
