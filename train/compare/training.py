"""Rows trained one after another, each in a process of its own, for as many steps as fit in the budget."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .rows import Row

_EVERY = 10
"""Steps between two lines of a run's log; numbers of steps are multiples of it, so that the last step is logged."""


FACTS = ("steps", "seconds_a_step", "memory_mb", "process_mb", "gpu_memory_mb")
"""What is known of a training."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What every row gets."""

    seconds: float | None = None
    """Of training; the number of steps follows from a trial."""

    steps: int | None = None
    """In the place of seconds."""

    trial: int = 30
    """Steps of the trial."""

    setting: str = "small"
    threads: int = 0
    precision: str = "no"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that there is one budget."""
        if (self.seconds is None) == (self.steps is None):
            msg = f"give seconds or steps, got seconds={self.seconds} and steps={self.steps}"
            raise ValueError(msg)
        if (self.seconds or self.steps or 0) <= 0 or self.trial < 1:
            msg = (
                f"got {self.seconds} seconds, {self.steps} steps, a trial of {self.trial}; expected more than 0 of each"
            )
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class Data:
    """What rows learn from; every folder as `train.prepare` writes it, or simply one of pictures."""

    a: Path
    b: Path
    one_a: Path
    """A folder with a single picture of A, for recipes that learn from one."""
    one_b: Path

    def options(self, row: Row) -> list[str]:
        """The data's options of a row's command."""
        if row.takes == "sprites":
            return ["--sprites", str(self.b)]
        a, b = (self.one_a, self.one_b) if row.takes == "one picture each" else (self.a, self.b)
        return ["--a", str(a), "--b", str(b)]


class TrainingError(Exception):
    """A row's command ended with an error; the message is its last line."""


def train_row(row: Row, runs: Path, data: Data, budget: Budget) -> dict[str, float | None]:
    """Train a row, or go on where its folder holds a state; one whose weights are there is left as it is.

    Args:
        row: which.
        runs: where runs are; what the command writes to the terminal is in `output.txt` of its folder.
        data: what it learns from.
        budget: how long.

    Returns:
        `steps`, `seconds_a_step` and what `child.MemoryWatch` tells, as far as the folder holds it.

    Raises:
        TrainingError: the command failed, or left no weights.
    """
    run = runs / row.folder
    if not (run / row.weights).is_file():
        run.mkdir(parents=True, exist_ok=True)
        _call(row, run, data, budget, planned_steps(row, run, data, budget))
        if not (run / row.weights).is_file():
            msg = f"python -m {row.module} left no {row.weights}"
            raise TrainingError(msg)
    return training_facts(run)


def planned_steps(row: Row, run: Path, data: Data, budget: Budget) -> int:
    """How many steps a row gets; by a trial in `run/trial` where seconds are given, once and for all of the run.

    The trial is a whole run of few steps: where a recipe has phases of unequal cost, each has its share in it.
    """
    plan = run / "plan.json"
    if plan.exists():  # a run that goes on has to have the number of steps that it began with
        return int(json.loads(plan.read_text(encoding="utf-8"))["steps"])
    told: dict[str, float] = {}
    if budget.steps is not None:
        steps = budget.steps
    else:
        assert budget.seconds is not None
        trial = run / "trial"
        shutil.rmtree(trial, ignore_errors=True)
        _call(row, trial, data, budget, _in_tens(budget.trial))
        step_seconds = seconds_a_step(trial / "log.jsonl")
        shutil.rmtree(trial)
        if not step_seconds:
            msg = f"python -m {row.module} logged no time in a trial of {_in_tens(budget.trial)} steps"
            raise TrainingError(msg)
        steps = _in_tens(budget.seconds / step_seconds)
        told["trial_seconds_a_step"] = step_seconds
    plan.write_text(json.dumps({"steps": steps, **told}), encoding="utf-8")
    return steps


def seconds_a_step(log: Path) -> float | None:
    """Mean over the whole of a run's log; of a run that was broken off, over what it did in one go; None: no log.

    Making batches and following with the average is part of it; sheets, weights and the last state are not.
    """
    if not log.exists():
        return None
    last_step, last_seconds, steps, seconds = 0, 0.0, 0, 0.0
    for line in log.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if told["seconds"] >= last_seconds:
            steps += told["step"] - last_step
            seconds += told["seconds"] - last_seconds
        last_step, last_seconds = told["step"], told["seconds"]
    return seconds / steps if steps else None


def training_facts(run: Path) -> dict[str, float | None]:
    """What a run's folder says of its training; None where it does not."""
    facts: dict[str, float | None] = dict.fromkeys(FACTS)
    for name in ("plan.json", "record.json"):
        if (run / name).exists():
            told = json.loads((run / name).read_text(encoding="utf-8"))
            facts |= {key: told[key] for key in facts if key in told}
    facts["seconds_a_step"] = seconds_a_step(run / "log.jsonl")
    return facts


def _in_tens(steps: float) -> int:
    return max(_EVERY, round(steps / _EVERY) * _EVERY)


def _call(row: Row, out: Path, data: Data, budget: Budget, steps: int) -> None:
    """Run a row's command to its end."""
    shared = {"--setting": budget.setting, "--steps": steps, "--threads": budget.threads, "--seed": budget.seed}
    shared |= {"--precision": budget.precision, "--sample-every": steps, "--save-every": 300, "--workers": 0}
    loop = [text for name, value in shared.items() for text in (name, str(value))]
    out.mkdir(parents=True, exist_ok=True)
    own = [str(out / "record.json"), row.module, *data.options(row), "--out", str(out), *row.options, *loop]
    root = Path(__file__).resolve().parent.parent.parent
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    print(f"{row.title}: {steps} steps", file=sys.stderr)  # noqa: T201  a command's own output
    with (out / "output.txt").open("w", encoding="utf-8") as output:
        ended = subprocess.run(  # noqa: S603  our own module
            [sys.executable, "-m", "train.compare.child", *own],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
        )
    if ended.returncode:
        lines = (out / "output.txt").read_text(encoding="utf-8", errors="replace").split("\n")
        raise TrainingError(_reason(lines) or f"python -m {row.module} ended with {ended.returncode}")


def _reason(lines: Sequence[str]) -> str:
    """The last line that says something, without what a progress bar wrote before it."""
    return next((text for line in reversed(lines) if (text := line.split("\r")[-1].strip())), "")
