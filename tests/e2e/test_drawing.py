"""Sprites drawn on the real server, with a small prior of random weights: pictures on the way, cancel, wrong labels."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import torch
import websocket
from harness.client import Client, Prompt
from PIL import Image

import pixel_models
from kiln_setup.server import Server
from pixel_models.archs.pixelcnn import PixelCNN, PixelCNNConfig
from pixel_models.checkpoint import save_checkpoint
from pixel_models.codes.table import table_of
from pixel_models.registry import REGISTRY

pytestmark = pytest.mark.comfy

NAME = "random-prior.safetensors"
PREVIEW, PNG = 1, 2
"""ComfyUI's numbers of a binary message with a picture, and of that picture's format."""


@pytest.fixture(scope="module", autouse=True)
def prior(server: Server) -> Iterator[Path]:
    """A prior for the codes of `kiln-vq-hires` in the user's model folder."""
    coder = pixel_models.load("kiln-vq-hires")
    torch.manual_seed(0)
    config = PixelCNNConfig(
        codes=len(table_of(coder)),
        width=16,
        dilations=(1, 2),
        labels=("creature=dragon", "color=red"),
        codes_of=coder.fingerprint,
        size=8,
    )
    path = server.base / "models" / "pixel_models" / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(path, PixelCNN(config), REGISTRY["pixelcnn"], config, {})
    yield path
    path.unlink()


def sample_prompt(**settings: object) -> Prompt:
    """Sprites drawn and shown."""
    return {
        "model": {"class_type": "PixelKilnLoadModel", "inputs": {"model_name": NAME}},
        "draw": {
            "class_type": "PixelKilnPixelCNNSample",
            "inputs": {
                "model": ["model", 0], "labels": "", "count": 2, "seed": 1, "temperature": 1.0, "top_p": 1.0,
                "top_k": 0, "guidance": 1.0, "palettes": "any", "width": 0, "height": 0, **settings,
            },
        },
        "text": {"class_type": "PreviewAny", "inputs": {"source": ["draw", 4]}},
    }  # fmt: skip


def test_sprites_are_drawn_shown_and_kept_and_the_labels_are_told(client: Client) -> None:
    run = client.run(sample_prompt())
    assert run.status == "success", run.error
    assert [Image.open(io.BytesIO(client.view(entry))).size for entry in run.outputs["draw"]["images"]] == [
        (768, 768)
    ] * 2
    assert run.outputs["text"]["text"][0] == "creature: dragon\n\ncolor: red"
    told = [(value, total) for node, value, total in run.progress if node == "draw"]
    assert told[-1] == (64, 64)
    assert client.run(sample_prompt()).executed == []
    assert "draw" in client.run(sample_prompt(seed=2)).executed


def test_sprites_are_seen_while_they_grow(client: Client) -> None:
    address = client.address.replace("http://", "ws://") + f"/ws?clientId={client.client_id}"
    pictures: list[Image.Image] = []
    with closing(websocket.create_connection(address, timeout=120)) as socket:
        prompt_id = client.queue(sample_prompt(count=4, seed=5))
        while True:
            message = socket.recv()
            if isinstance(message, bytes):
                kind, form = struct.unpack(">II", message[:8])
                assert (kind, form) == (PREVIEW, PNG)
                pictures.append(Image.open(io.BytesIO(message[8:])))
            else:
                told = json.loads(message)
                if told["type"] == "execution_success" and told["data"]["prompt_id"] == prompt_id:
                    break
                assert told["type"] not in ("execution_error", "execution_interrupted"), told
    assert pictures
    assert {(picture.mode, picture.size) for picture in pictures} == {("RGBA", (510, 510))}


def test_interrupt_stops_a_long_drawing_at_once(client: Client) -> None:
    run = client.run(sample_prompt(width=512, height=512, count=16), 120, interrupt_at="draw")
    told = [(value, total) for node, value, total in run.progress if node == "draw" and value > 0]
    assert run.status == "interrupted"
    assert 0 < max(value for value, _ in told) < told[-1][1] // 10
    assert run.seconds < 60
    assert client.run(sample_prompt(seed=3)).status == "success"


def test_a_wrong_label_and_a_model_that_draws_nothing_are_errors_that_say_what_to_do(client: Client) -> None:
    run = client.run(sample_prompt(labels="creature=dragn"))
    assert run.status == "error"
    assert run.error["node_id"] == "draw"
    assert run.error["exception_type"].endswith("LabelError")
    assert "did you mean creature=dragon?" in run.error["exception_message"]
    prompt = sample_prompt()
    prompt["model"]["inputs"]["model_name"] = "kiln-pixelate.safetensors"
    assert client.run(prompt).error["exception_type"].endswith("ModelKindError")
