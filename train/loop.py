"""The training loop that every recipe shares: data by step number, log, samples, average, checkpoint, resume.

A batch is a pure function of the seed, the step and the process, and so is every random choice inside a step;
nothing random is carried from step to step, so a resumed run equals the uninterrupted one.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast, set_seed
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset
from tqdm import tqdm

from .film import Filmed, FilmWriter
from .precision import HalfGradients
from .state import RunState, load_state, save_state

Batch = dict[str, Tensor]


class BatchMaker(Protocol):
    """Makes the batch of a step; runs in a worker process, so it pickles."""

    def __call__(self, generator: torch.Generator, /) -> Batch:
        """Draw one batch."""
        ...


class Recipe(Protocol):
    """What a model brings to the loop."""

    @property
    def nets(self) -> Mapping[str, nn.Module]:
        """Every network by name, and whatever else holds buffers that a resumed run needs."""
        ...

    @property
    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        """Every optimizer by name."""
        ...

    @property
    def averaged(self) -> Mapping[str, nn.Module]:
        """Networks of which a moving average is kept; the average is what is exported."""
        ...

    @property
    def make_batch(self) -> BatchMaker:
        """Draws batches."""
        ...

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """One step of every optimizer; returns losses to log."""
        ...

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """A picture of what the averaged networks do now."""
        ...

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged networks as checkpoints of the package."""
        ...


@runtime_checkable
class OwnRate(Protocol):
    """A recipe that brings a learning-rate rule of its own; every other recipe follows `usual_rate`."""

    def rate_factor(self, step: int, steps: int) -> float:
        """Factor of the optimizers' rates in the step after `step` are done, of `steps` in all."""
        ...


@runtime_checkable
class OwnAverage(Protocol):
    """A recipe that says how the average follows its networks; every other recipe has `usual_decay`."""

    def average_decay(self, step: int, steps: int) -> float:
        """Share of itself that the average keeps in step `step` of `steps` in all; 0: it is a copy."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A recipe that measures its averaged networks where samples are drawn; what it finds is logged."""

    def measure(self, nets: Mapping[str, nn.Module], /) -> dict[str, float]:
        """Measures by name."""
        ...


def usual_decay(step: int, steps: int) -> float:
    """Over the last thousand steps or so, over fewer at the beginning: the rule of recipes without one of their own."""
    del steps
    return min(0.999, (1 + step) / (10 + step))


def usual_rate(step: int, steps: int) -> float:
    """Warm up over a hundred steps, fall over the second half: the rule of recipes without one of their own."""
    return min(1.0, (step + 1) / 100, 2 * (1 - step / steps) + 0.01)


class StepContext:
    """What a step needs of the loop: generator, precision, and gradients shared between processes."""

    def __init__(self, accelerator: Accelerator, seed: int, step: int, precision: str = "no") -> None:
        """Seed the step's generator from the run's seed, the step, and the process."""
        self.accelerator = accelerator
        self._precision = precision
        self.generator = generator_of(seed, "step", step, accelerator.process_index)
        """CPU generator for every random choice of the step."""

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision where the run asks for it."""
        if self._precision == "gradients":
            return HalfGradients()
        return torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=self._precision == "bf16")

    @contextmanager
    def seeded(self) -> Iterator[None]:
        """PyTorch's own generators, which dropout draws from, seeded by the step; afterwards as they were."""
        device = self.accelerator.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(int(torch.randint(2**62, (), generator=self.generator)))
            yield

    def gather(self, rows: Tensor) -> Tensor:
        """Every process's `n ...`, one after another; their numbers may differ."""
        if self.accelerator.num_processes == 1:
            return rows
        counts = self.accelerator.gather(torch.tensor([len(rows)], device=rows.device))
        padded = self.accelerator.gather(self.accelerator.pad_across_processes(rows.contiguous()))
        assert isinstance(counts, Tensor)
        assert isinstance(padded, Tensor)
        parts = padded.split(int(counts.max()))
        return torch.cat([part[: int(number)] for part, number in zip(parts, counts, strict=True)])

    def same(self, values: Tensor) -> Tensor:
        """The first process's, on every process."""
        if self.accelerator.num_processes == 1:
            return values
        shared = broadcast(values)
        assert isinstance(shared, Tensor)
        return shared

    def apply(self, loss: Tensor, *optimizers: torch.optim.Optimizer) -> None:
        """Backward, average the gradients over the processes, step."""
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.accelerator.num_processes > 1:
            groups = [group for optimizer in optimizers for group in optimizer.param_groups]
            grads = [p.grad for group in groups for p in group["params"] if p.grad is not None]
            flat = self.accelerator.reduce(torch.cat([g.flatten() for g in grads]), reduction="mean")
            assert isinstance(flat, Tensor)
            for grad, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
                grad.copy_(part.view_as(grad))
        for optimizer in optimizers:
            _lay_gradients_out(optimizer)
            optimizer.step()


def generator_of(seed: int, *what: object) -> torch.Generator:
    """A CPU generator that depends on the seed and the words alone."""
    digest = hashlib.sha256(repr((seed, *what)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "little"))


class _Steps(IterableDataset[Batch]):
    """Batches of the steps `start` to `end`, shared out over loader workers in order."""

    def __init__(self, make: BatchMaker, seed: int, rank: int, start: int, end: int) -> None:
        self.make, self.seed, self.rank, self.start, self.end = make, seed, rank, start, end

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        torch.set_num_threads(1)
        first, every = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in range(self.start + first, self.end, every):
            yield self.make(generator_of(self.seed, "data", step, self.rank))


def add_arguments(command: argparse.ArgumentParser) -> None:
    """The options of the loop, the same for every recipe."""
    command.add_argument("--out", type=Path, required=True, help="folder of the run: log, samples, state, weights")
    command.add_argument("--steps", type=int, help="steps in all (default: the setting's)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--precision",
        choices=["no", "gradients", "bf16"],
        default="bf16",
        help="what is bfloat16: nothing, the convolutions' backward pass (losses stay float32's), or all that may be",
    )
    command.add_argument("--sample-every", type=int, default=500, metavar="STEPS")
    command.add_argument("--save-every", type=float, default=120, metavar="SECONDS")
    command.add_argument("--workers", type=int, default=1, help="processes that make batches (0: none)")
    command.add_argument(
        "--threads", type=int, default=0, help="processor threads of the networks (0: PyTorch's choice)"
    )
    command.add_argument("--tensorboard", action="store_true", help="also log for TensorBoard (extra `train`)")
    command.add_argument("--restart", action="store_true", help="begin again even where a state is saved")


def run(recipe: Recipe, options: argparse.Namespace, config: Mapping[str, Any]) -> list[Path]:
    """Train to `options.steps`, resuming where `options.out` holds a state; returns the exported weights."""
    if options.threads:
        torch.set_num_threads(options.threads)
    accelerator = Accelerator(mixed_precision="no", cpu=not torch.cuda.is_available())  # `autocast` is the step's
    set_seed(options.seed)
    for net in recipe.nets.values():
        net.to(accelerator.device, memory_format=memory_format(net, accelerator.device))  # pyright: ignore[reportCallIssue]
    averages = {name: _copy(net) for name, net in recipe.averaged.items()}
    state = RunState({**recipe.nets, **{f"average-{n}": a for n, a in averages.items()}}, recipe.optimizers, config)
    out: Path = options.out
    saved = out / "state.safetensors"
    start = 0 if options.restart or not saved.exists() else load_state(saved, state)
    for optimizer in recipe.optimizers.values():
        _lay_out(optimizer)
    rate_factor = recipe.rate_factor if isinstance(recipe, OwnRate) else usual_rate
    average_decay = recipe.average_decay if isinstance(recipe, OwnAverage) else usual_decay
    rates = {name: [g["lr"] for g in o.param_groups] for name, o in recipe.optimizers.items()}
    main = accelerator.is_main_process
    out.mkdir(parents=True, exist_ok=True)
    log = _Log(out, start, options.tensorboard) if main else None
    film = FilmWriter(out, start) if main and isinstance(recipe, Filmed) and recipe.film_every else None
    if film and start == 0 and isinstance(recipe, Filmed):
        film.add(0, recipe.film_frame(averages))
    dataset = _Steps(recipe.make_batch, options.seed, accelerator.process_index, start, options.steps)
    loader = DataLoader(dataset, batch_size=None, num_workers=options.workers)
    last_save = time.monotonic()
    written: list[Path] = []
    bar = tqdm(
        loader, initial=start, total=options.steps, unit="step", disable=not main, file=sys.stderr, mininterval=2
    )
    for step, batch in enumerate(bar, start):
        factor = rate_factor(step, options.steps)
        for name, optimizer in recipe.optimizers.items():
            for group, rate in zip(optimizer.param_groups, rates[name], strict=True):
                group["lr"] = rate * factor
        moved = {key: value.to(accelerator.device) for key, value in batch.items()}
        context = StepContext(accelerator, options.seed, step, options.precision)
        losses = recipe.train_step(moved, step, context)
        decay = average_decay(step, options.steps)
        for name, average in averages.items():
            _follow(average, recipe.averaged[name], decay)
        done = step + 1
        if film and isinstance(recipe, Filmed) and (done % recipe.film_every == 0 or done == options.steps):
            film.add(done, recipe.film_frame(averages))
        if log:
            log.add(done, {name: float(value.detach()) for name, value in losses.items()}, bar)
            if done % options.sample_every == 0 or done == options.steps:
                _write_sheet(recipe.sample_sheet(averages), out / "samples" / f"{done:07d}.png")
                facts = {**config, "steps": done, "of": options.steps}
                written = recipe.export(averages, out, facts)
                if isinstance(recipe, Measured):
                    log.tell(done, recipe.measure(averages))
            if time.monotonic() - last_save > options.save_every or done == options.steps:
                save_state(saved, state, done)
                last_save = time.monotonic()
    if film:
        film.write()
    accelerator.wait_for_everyone()
    _check_agreement(accelerator, recipe)
    accelerator.end_training()
    return written


def memory_format(net: nn.Module, device: torch.device) -> torch.memory_format:
    """How a network's weights lie in memory, which its activations follow: what its layers are fastest with.

    Convolutions like channels last. On a processor two things do not, and cost more than that gains: instance norm, and
    transposed convolutions whose kernels overlap, as a U-Net has them (with both cores, half as fast again without).
    """
    slow = any(
        isinstance(layer, nn.InstanceNorm2d)
        or (isinstance(layer, nn.ConvTranspose2d) and layer.kernel_size[0] > layer.stride[0])
        for layer in net.modules()
    )
    return torch.contiguous_format if slow and device.type == "cpu" else torch.channels_last


def _lay_out(optimizer: torch.optim.Optimizer) -> None:
    """Lay an optimizer's loaded moments out as its weights: fused routines pair both by their place in memory."""
    for parameter, slots in optimizer.state.items():
        for slot, value in slots.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                slots[slot] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _lay_gradients_out(optimizer: torch.optim.Optimizer) -> None:
    """The same for gradients, which some layers leave in an order of their own."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None and parameter.grad.stride() != parameter.stride():
                parameter.grad = torch.empty_like(parameter).copy_(parameter.grad)


def _check_agreement(accelerator: Accelerator, recipe: Recipe) -> None:
    """Several processes that share their gradients end with the same weights, to the bit."""
    if accelerator.num_processes == 1:
        return
    sums = [p.detach().double().sum() for net in recipe.nets.values() for p in net.parameters()]
    everyone = accelerator.gather(torch.stack(sums)[None])
    assert isinstance(everyone, Tensor)
    if not bool((everyone == everyone[:1]).all()):
        msg = "the processes' weights differ at the end: this run was not one run; please report it"
        raise RuntimeError(msg)
    if accelerator.is_main_process:
        tqdm.write(f"weights agree on {accelerator.num_processes} processes", file=sys.stderr)


def _copy(net: nn.Module) -> nn.Module:
    return copy.deepcopy(net).eval().requires_grad_(False)


@torch.no_grad()
def _follow(average: nn.Module, net: nn.Module, decay: float) -> None:
    mine, theirs = list(average.state_dict().values()), list(net.state_dict().values())
    for here, there in zip(mine, theirs, strict=True):
        if here.is_floating_point():
            here.lerp_(there, 1 - decay)
        else:  # batch norm counts its batches
            here.copy_(there)


def _write_sheet(sheet: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".partial.png")
    sheet.save(beside)
    os.replace(beside, path)  # noqa: PTH105  Path.replace is the same call


class _Log:
    """`log.jsonl` always, TensorBoard where asked for, and the progress bar's words."""

    def __init__(self, out: Path, start: int, tensorboard: bool) -> None:
        """Drop lines of steps that a resumed run does again, then append."""
        path = out / "log.jsonl"
        lines = path.read_text().splitlines() if path.exists() and start else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= start]
        path.write_text("".join(f"{line}\n" for line in kept))
        self._file = path.open("a", encoding="utf-8")
        self._began = time.monotonic()
        self._smooth: dict[str, float] = {}
        self._board = None
        if tensorboard:
            from torch.utils.tensorboard.writer import SummaryWriter

            self._board = SummaryWriter(out / "tensorboard", purge_step=start)

    def add(self, step: int, losses: Mapping[str, float], bar: Any) -> None:  # noqa: ANN401  tqdm has no type here
        """Log one step."""
        for name, value in losses.items():
            if value != value:
                msg = f"loss {name} became NaN at step {step}; resume with a lower --rate or --precision no"
                raise FloatingPointError(msg)
            self._smooth[name] = 0.95 * self._smooth.get(name, value) + 0.05 * value
        if step % 10 == 0:
            self._write(step, losses, "loss")
        bar.set_postfix_str(" ".join(f"{k} {v:.3f}" for k, v in self._smooth.items()), refresh=False)

    def tell(self, step: int, measures: Mapping[str, float]) -> None:
        """Log what a recipe measured after a step, in a line of its own."""
        self._write(step, measures, "measure")

    def _write(self, step: int, values: Mapping[str, float], kind: str) -> None:
        seconds = round(time.monotonic() - self._began, 2)
        self._file.write(json.dumps({"step": step, "seconds": seconds, **values}) + "\n")
        self._file.flush()
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(f"{kind}/{name}", value, step)
