"""Load Pixel Model in a real ComfyUI with a hub server on the loopback: with the download switch, and without."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from harness.client import Client, Json, Prompt, RefusedError
from harness.hub import Fault, Hub

from kiln_setup import comfyui
from kiln_setup.pack import CACHE
from kiln_setup.server import Installation, Server, make_base
from pixel_models.checkpoint import save_checkpoint
from pixel_models.hub import REPOSITORY, REVISION, WEIGHTS
from pixel_models.registry import REGISTRY

pytestmark = pytest.mark.comfy

PACK = ("__init__.py", "nodes", "pixel_models", "web", "locales", "workflows", "pyproject.toml")
LEFT_OUT = "kiln-depixelate.safetensors"
"""Weights that this copy of the pack lacks, and the hub has."""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub with our own repository, and some of other people's."""
    with Hub() as hub:
        ours = hub.store.add(REPOSITORY, {LEFT_OUT: (WEIGHTS / LEFT_OUT).read_bytes()})
        ours.tags[REVISION] = ours.branches["main"]
        yield hub


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small random network that pixelates."""
    path, spec = tmp_path_factory.mktemp("tiny") / "tiny.safetensors", REGISTRY["native_pixelate"]
    torch.manual_seed(0)
    save_checkpoint(path, spec.build(spec.tiny), spec, spec.tiny, {})
    return path.read_bytes()


@pytest.fixture(scope="module")
def client(comfyui_python: Path, root: Path, hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A ComfyUI that has the pack without one of its weight files, and this hub for the whole of its network."""
    folder = tmp_path_factory.mktemp("comfyui-hub")
    for name in PACK:
        source, target = root / name, folder / "pack" / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", LEFT_OUT))
        else:
            target.parent.mkdir(exist_ok=True)
            shutil.copy(source, target)
    base = make_base(folder / "base", pack=folder / "pack")
    server = Server(
        Installation(comfyui.SOURCE, comfyui_python),
        base,
        CACHE / "tests-comfyui-hub.log",
        arguments=["--disable-api-nodes"],
        variables=hub.environ(folder / "hf"),
    )
    with server:
        assert hub.asked == [], "starting asks the hub nothing"
        yield Client(server.address)


@pytest.fixture(autouse=True)
def forget(hub: Hub) -> None:
    """Each test counts its own requests."""
    hub.asked.clear()
    hub.faults.clear()


def smooth(**inputs: object) -> Prompt:
    """A sprite made smooth."""
    return {
        "sprite": {"class_type": "LoadImage", "inputs": {"image": "sprite_dragon.png"}},
        "model": {"class_type": "PixelKilnLoadModel", "inputs": {"model_name": LEFT_OUT, **inputs}},
        "smooth": {
            "class_type": "PixelKilnDepixelate",
            "inputs": {"image": ["sprite", 0], "model": ["model", 0], "scale": 2},
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["smooth", 0]}},
    }


def pixel_art(**inputs: object) -> Prompt:
    """A photo made into pixel art by a model of the hub."""
    model = {"model_name": "kiln-pixelate.safetensors", **inputs}
    settings = {"size_mode": "cell size", "cell_size": 32, "target_width": 64, "colors": 8, "palette_per": "image"}
    return {
        "photo": {"class_type": "LoadImage", "inputs": {"image": "photo_cat.png"}},
        "model": {"class_type": "PixelKilnLoadModel", "inputs": model},
        "pixelate": {
            "class_type": "PixelKilnPixelate",
            "inputs": {"image": ["photo", 0], "model": ["model", 0], "clean": True, **settings},
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["pixelate", 1]}},
    }


def refusal(client: Client, prompt: Prompt) -> str:
    """What the server says to the loader's inputs before anything runs."""
    with pytest.raises(RefusedError) as refused:
        client.queue(prompt)
    assert refused.value.status == 400
    return json.dumps(refused.value.body["node_errors"]["model"]["errors"])


def pictures(outputs: dict[str, Json]) -> int:
    return len(outputs["show"]["images"])


def test_without_the_switch_it_says_what_is_missing_where_it_goes_and_from_where(client: Client, hub: Hub) -> None:
    for inputs in ({"download": False}, {"download": False, "hub_model": ""}):
        told = refusal(client, smooth(**inputs))
        for words in (LEFT_OUT, "models/pixel_models", f"/{REPOSITORY}/resolve/{REVISION}/{LEFT_OUT}", "download"):
            assert words in told
    run = client.run(smooth())  # as an old workflow calls it, without the new inputs
    assert run.status == "error"
    assert run.error["exception_type"].endswith("HubError")
    assert hub.asked == []


def test_with_the_switch_the_node_gets_its_weights_from_the_hub_once(client: Client, hub: Hub) -> None:
    first = client.run(smooth(download=True))
    assert first.status == "success", first.error.get("exception_message")
    assert pictures(first.outputs) == 1
    assert len(hub.downloads()) == 1
    again = client.run(smooth(download=True))
    assert again.executed == []
    hub.asked.clear()
    assert client.run(smooth(download=False)).status == "success"
    assert hub.asked == [], "what is in the cache needs no network"


def test_a_model_of_somebody_elses_is_taken_instead_of_the_list(client: Client, hub: Hub, tiny: bytes) -> None:
    hub.store.add("somebody/tiny", {"tiny.safetensors": tiny})
    assert "/somebody/tiny/tree/main" in refusal(client, pixel_art(hub_model="somebody/tiny", download=False))
    assert hub.asked == []
    run = client.run(pixel_art(hub_model="somebody/tiny", download=True))
    assert run.status == "success", run.error.get("exception_message")
    assert len(hub.downloads()) == 1
    told = [(value, maximum) for node, value, maximum in run.progress if node == "model"]
    assert told[-1] == (len(tiny), len(tiny))
    assert client.run(pixel_art(hub_model="somebody/tiny", download=False)).status == "success"


@pytest.mark.parametrize("text", ["../secret.pth", "/etc/x.pth", "somebody", "models/x.safetensors"])
def test_a_path_is_no_model_of_the_hub(client: Client, text: str) -> None:
    assert "org/repo" in refusal(client, pixel_art(hub_model=text, download=True))


def test_a_download_that_fails_is_an_error_that_says_why_and_the_next_one_works(
    client: Client, hub: Hub, tiny: bytes
) -> None:
    hub.store.add("somebody/gated", {"tiny.safetensors": tiny}, gated=True)
    gated = client.run(pixel_art(hub_model="somebody/gated", download=True))
    assert gated.status == "error"
    assert gated.error["node_id"] == "model"
    assert "hf auth login" in gated.error["exception_message"]
    repository = hub.store.add("somebody/cut", {"tiny.safetensors": tiny + b" "})
    blob = repository.commits[repository.branches["main"]]["tiny.safetensors"]
    hub.faults[blob.sha256] = Fault(cut_to=100)
    cut = client.run(pixel_art(hub_model="somebody/cut", download=True))
    assert cut.status == "error"
    assert "cut off" in cut.error["exception_message"]
    hub.store.add("somebody/cut", {"tiny.safetensors": tiny})
    hub.faults.clear()
    assert client.run(pixel_art(hub_model="somebody/cut", download=True)).status == "success"
