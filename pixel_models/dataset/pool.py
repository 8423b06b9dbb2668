"""Makes items in this process or in several, one after another or at once; results come in the items' order."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from typing import TYPE_CHECKING, TypeAlias

import torch

from ..errors import PixelModelError
from .items import Item, Sample
from .worker import Start, Worker, one_thread

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

CHUNK = 8
"""Items that a process gets at once."""

AHEAD = 3
"""Chunks for each process that are under way at most: what bounds the memory."""

MOST_KILLED = 5
"""Processes that may die one after another before the fault is taken to be the machine's."""

_Given: TypeAlias = "tuple[list[Item], Future[list[Sample]]]"

_worker: Worker | None = None
"""Of a child process: its own."""


@dataclass(frozen=True)
class Pool:
    """Several processes, each with the model on its device."""

    start: Start
    """Loads the model."""

    devices: Sequence[str]
    """One for each process; a single one works in this process."""

    caption: str = ""
    """The caption's column or field."""

    def run(self, items: Iterator[Item]) -> Iterator[tuple[Item, Sample]]:
        """Make all items, in their order. A process that is killed is replaced, and its picture reported."""
        first = list(itertools.islice(items, CHUNK))
        rest = itertools.chain(first, items)
        if len(self.devices) == 1 or len(first) < CHUNK:
            worker = Worker(self.start, self.devices[0], self.caption)
            with one_thread(self.devices):
                for item in rest:
                    yield item, worker.make(item)
        else:
            yield from self._spread(rest)

    def _spread(self, items: Iterator[Item]) -> Iterator[tuple[Item, Sample]]:
        under_way: deque[_Given] = deque()
        chunks = iter(lambda: list(itertools.islice(items, CHUNK)), [])
        executor = self._executor()
        try:
            while True:
                while len(under_way) < AHEAD * len(self.devices) and (chunk := next(chunks, None)):
                    under_way.append((chunk, _submit(executor, chunk)))
                if not under_way:
                    return
                chunk, future = under_way.popleft()
                try:
                    yield from zip(chunk, future.result(), strict=True)
                except BrokenProcessPool:
                    waiting = [*chunk, *(item for group, _ in under_way for item in group)]
                    under_way.clear()
                    _stop(executor)
                    yield from self._one_by_one(waiting)
                    executor = self._executor()
        finally:
            _stop(executor)

    def _one_by_one(self, items: Sequence[Item]) -> Iterator[tuple[Item, Sample]]:
        """What was under way when a process died, so that it shows which picture kills."""
        executor, killed = self._executor(), 0
        try:
            for item in items:
                try:
                    yield item, _submit(executor, [item]).result()[0]
                    killed = 0
                except BrokenProcessPool as error:  # noqa: PERF203 - one of many may die
                    killed += 1
                    if killed == MOST_KILLED:
                        msg = f"{killed} processes ended one after another without a word, {item.source} in the last"
                        raise PixelModelError(f"{msg}; give fewer --workers, or more memory") from error
                    _stop(executor)
                    executor = self._executor()
                    why = "the process that made it was killed, perhaps since memory ran out; give fewer --workers"
                    yield item, Sample(error=why)
        finally:
            _stop(executor)

    def _executor(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # CUDA does not live through a fork
        places: Queue[str] = context.Queue()
        for device in self.devices:
            places.put(device)
        return ProcessPoolExecutor(len(self.devices), context, _begin, (self.start, places, self.caption))


def _submit(executor: ProcessPoolExecutor, chunk: list[Item]) -> Future[list[Sample]]:
    try:
        return executor.submit(_make, chunk)
    except BrokenProcessPool as error:  # a process died since the last result
        failed: Future[list[Sample]] = Future()
        failed.set_exception(error)
        return failed


def _stop(executor: ProcessPoolExecutor) -> None:
    """End the processes at once: nothing they still do is wanted."""
    processes = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(10)


def _begin(start: Start, places: Queue[str], caption: str) -> None:
    """In a child process: take a device; end with the parent, and leave Ctrl-C to it."""
    global _worker  # a pool's process keeps its model here
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    device = places.get(timeout=600)
    if device == "cpu":
        torch.set_num_threads(1)
    _worker = Worker(start, device, caption)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _make(items: list[Item]) -> list[Sample]:
    assert _worker is not None
    return [_worker.make(item) for item in items]


def spread_devices(kind: str, workers: int) -> list[str]:
    """A device for each process.

    Args:
        kind: "cpu" or "cuda".
        workers: how many; 0: one for each GPU, or one for each processor, up to 8.

    Returns:
        "cpu", or "cuda:0", "cuda:1" … in turn.
    """
    if kind != "cuda":
        return ["cpu"] * (workers or min(8, _processors()))
    count = torch.cuda.device_count()
    return [f"cuda:{number % count}" for number in range(workers or count)]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
