"""Makes items on the machines of a Ray cluster: Ray Data's `map_batches` over actors, each with its own model."""

from __future__ import annotations

import importlib
import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .. import __version__
from ..errors import PixelModelError
from .items import Item, Sample
from .pool import CHUNK
from .worker import Start, Worker

WAVE = 20_000
"""Items that are told to the cluster at once; their results stream back, so sprites never pile up."""

_MOST_BLOCKS = 1000


class RayWorker:
    """One maker in an actor; Ray makes it once and calls it for batch after batch."""

    def __init__(self, start: Start, device: str, caption: str, version: str) -> None:
        if version != __version__:
            msg = f"this machine has pixel-kiln {__version__}, and {version} was started; install the same everywhere"
            raise PixelModelError(msg)
        if device == "cpu":
            torch.set_num_threads(1)
        self._worker = Worker(start, device, caption)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """From items to items with samples, both as JSON: `item` and `sample`, one a row."""
        made = [self._worker.make(Item.from_json(str(text))).to_json() for text in batch["item"]]
        return {"item": batch["item"], "sample": np.array(made, dtype=object)}


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster. Its machines read the pictures themselves, so they must see them under the same paths."""

    start: Start
    """Loads the model."""

    kind: str
    """Each worker's device: "cpu" or "cuda"."""

    address: str = ""
    """Of the cluster; empty: the one that runs on this machine, or a new one on this machine alone."""

    workers: int = 0
    """Actors; 0: one for each GPU, or processor, of the cluster."""

    caption: str = ""
    """The caption's column or field."""

    def run(self, items: Iterator[Item]) -> Iterator[tuple[Item, Sample]]:
        """Make all items, in their order.

        Raises:
            PixelModelError: Ray is not installed, or there is no cluster at the address.
        """
        ray = need_ray()
        logging.getLogger("ray.data").setLevel(logging.WARNING)  # it tells a lot of every wave
        try:
            ray.init(address=self.address or None, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, ValueError, RuntimeError) as error:
            advice = "begin one with `ray start --head`, or, where it wants a token, set RAY_AUTH_MODE=token here"
            msg = f"--ray {self.address}: no Ray cluster answers ({error}); {advice}"
            raise PixelModelError(" ".join(msg.split())) from error
        try:
            yield from self._waves(ray, items)
        finally:
            ray.shutdown()

    def _waves(self, ray: Any, items: Iterator[Item]) -> Iterator[tuple[Item, Sample]]:  # noqa: ANN401
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        while wave := list(itertools.islice(items, WAVE)):
            told = [{"item": item.to_json()} for item in wave]
            rows = ray.data.from_items(told, override_num_blocks=min(_MOST_BLOCKS, -(-len(told) // CHUNK)))
            done = rows.map_batches(
                RayWorker,
                fn_constructor_args=(self.start, self.kind, self.caption, __version__),
                batch_size=CHUNK,
                num_gpus=1 if self.kind == "cuda" else 0,
                num_cpus=1,
                compute=ray.data.ActorPoolStrategy(size=self.workers or _places(ray, self.kind)),
            )
            for item, row in zip(wave, done.iter_rows(), strict=True):
                assert row["item"] == item.to_json()
                yield item, Sample.from_json(row["sample"])


def need_ray() -> Any:  # noqa: ANN401 - an optional package has no types here
    """The package ray.

    Raises:
        PixelModelError: it is not installed.
    """
    try:
        importlib.import_module("ray.data")
        return importlib.import_module("ray")
    except ImportError as error:
        msg = "--ray needs Ray Data; pip install 'pixel-kiln[ray]', here and on every machine of the cluster"
        raise PixelModelError(msg) from error


def _places(ray: Any, kind: str) -> int:  # noqa: ANN401
    """How many workers the cluster has room for.

    Raises:
        PixelModelError: GPUs are asked for, and it has none.
    """
    resources = ray.cluster_resources()
    count = int(resources.get("GPU" if kind == "cuda" else "CPU", 0))
    if count == 0:
        msg = f"--ray: the cluster has no {'GPU' if kind == 'cuda' else 'processor'} to give; use --device cpu"
        raise PixelModelError(msg)
    return count
