"""Looks into many files in several processes; one that takes its process down is refused, alone."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

import torch
from tqdm import tqdm

from .looking import Job, look_into
from .model import Found

TOOK_DOWN = "its reading took the process down: too large, or hostile"
_AT_LEAST = 16
"""Fewer files are looked into without further processes: starting one takes longer."""


def look(jobs: Sequence[Job], workers: int, into: Callable[[Job], Found] = look_into) -> list[Found]:
    """Look into all files, in their order, whatever becomes of the processes.

    Args:
        jobs: one for each file.
        workers: processes.
        into: what looks into a file.
    """
    made: dict[int, Found] = {}
    with tqdm(total=len(jobs), desc="looking", unit="file", file=sys.stderr) as shown:
        if workers < 2 or len(jobs) < _AT_LEAST:
            for index, job in enumerate(jobs):
                made[index] = into(job)
                shown.update()
        while len(made) < len(jobs):
            left = [index for index in range(len(jobs)) if index not in made]
            made |= _in_processes(jobs, left, workers, into, shown.update)
            # Processes take files in order: one of the first that have no result took its process down.
            made |= _one_by_one(jobs, [at for at in left if at not in made][: workers + 2], into, shown.update)
    return [made[index] for index in range(len(jobs))]


def _one_by_one(
    jobs: Sequence[Job], wanted: Sequence[int], into: Callable[[Job], Found], step: Callable[[], object]
) -> dict[int, Found]:
    """What became of these, in one process until it breaks down; only what breaks one by itself is refused."""
    made: dict[int, Found] = {}
    while left := [index for index in wanted if index not in made]:
        made |= _in_processes(jobs, left, 1, into, step)
        first = next((index for index in left if index not in made), None)
        if first is not None:
            alone = _in_processes(jobs, [first], 1, into, step) if len(left) > 1 else {}
            made[first] = alone.get(first, Found(file=jobs[first].file, kind="refused", what=TOOK_DOWN))
    return made


def _in_processes(
    jobs: Sequence[Job], wanted: Sequence[int], workers: int, into: Callable[[Job], Found], step: Callable[[], object]
) -> dict[int, Found]:
    """What became of these jobs, as far as no process broke down."""
    made: dict[int, Found] = {}
    # A process that is forked from one with running threads of torch's may hang.
    context = multiprocessing.get_context("spawn")
    with (
        contextlib.suppress(BrokenProcessPool),
        ProcessPoolExecutor(workers, context, initializer=_one_thread) as pool,
    ):
        futures = {pool.submit(into, jobs[index]): index for index in wanted}
        for future in as_completed(futures):
            with contextlib.suppress(BrokenProcessPool):
                made[futures[future]] = future.result()
                step()
    return made


def _one_thread() -> None:
    torch.set_num_threads(1)
