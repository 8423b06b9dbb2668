"""Fixtures for the tests on a real hub server: the server, programs that use it, weights to put there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
import torch
from harness.hub import Hub, nowhere
from harness.hub_client import Worker

from pixel_models.checkpoint import save_checkpoint
from pixel_models.registry import REGISTRY


@pytest.fixture(scope="session")
def running_hub() -> Iterator[Hub]:
    """One hub for all tests, each with repositories of its own."""
    with Hub() as hub:
        yield hub


@pytest.fixture
def hub(running_hub: Hub) -> Hub:
    """The hub, with nothing noted and no fault planted."""
    for planted in (running_hub.asked, running_hub.faults, running_hub.status, running_hub.sizes):
        planted.clear()
    return running_hub


@pytest.fixture(scope="session")
def start(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Mapping[str, str]], Worker]]:
    """Starts a worker with given variables and an HF_HOME of its own, unless they name one."""
    workers: list[Worker] = []

    def begin(environ: Mapping[str, str]) -> Worker:
        home = Path(environ.get("HF_HOME") or tmp_path_factory.mktemp("home") / "hf")
        workers.append(Worker(root, home, {"HF_HOME": str(home), **environ}))
        return workers[-1]

    yield begin
    for worker in workers:
        worker.close()


@pytest.fixture(scope="session")
def worker(
    start: Callable[[Mapping[str, str]], Worker], running_hub: Hub, tmp_path_factory: pytest.TempPathFactory
) -> Worker:
    """A program that uses the hub."""
    return start(running_hub.environ(tmp_path_factory.mktemp("home") / "hf"))


@pytest.fixture(scope="session")
def lonely(start: Callable[[Mapping[str, str]], Worker]) -> Worker:
    """A program without a network: nobody listens where it looks for the hub."""
    return start({"HF_ENDPOINT": nowhere(), "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"})


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], bytes]:
    """Bytes of a small weight file of ours, another for every seed."""
    spec = REGISTRY["native_pixelate"]

    @cache  # safetensors writes metadata in another order every time
    def make(seed: int) -> bytes:
        path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
        torch.manual_seed(seed)
        facts = {"licence": "CC0-1.0", "data": "sprites by somebody, CC0-1.0; drawings by another, CC-BY-4.0"}
        save_checkpoint(path, spec.build(spec.tiny), spec, spec.tiny, {**facts, "training": "{}", "metrics": "{}"})
        return path.read_bytes()

    return make
