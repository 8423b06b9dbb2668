"""The pack on a real ComfyUI server: it loads, its nodes are known and documented, it caches, cancels and complains."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path

import pytest
from harness.client import Client, Json, Prompt, RefusedError
from PIL import Image

from kiln_setup.server import PACK_FOLDER, Server

pytestmark = pytest.mark.comfy

SNAPSHOT = Path(__file__).resolve().parents[1] / "contract" / "nodes.json"
NEEDS_TORCHAUDIO = r"IMPORT FAILED: nodes_(audio|audio_encoder|lt_audio|wan)\.py"
"""Core's nodes that fail without torchaudio, which the test ComfyUI goes without."""
NODE_IDS = sorted(json.loads(SNAPSHOT.read_text(encoding="utf-8")))


def photo_prompt(**settings: object) -> Prompt:
    """A photo to pixel art, shown as a preview."""
    return {
        "photo": {"class_type": "LoadImage", "inputs": {"image": "photo_astronaut.png"}},
        "model": {"class_type": "PixelKilnLoadModel", "inputs": {"model_name": "kiln-pixelate.safetensors"}},
        "pixelate": {
            "class_type": "PixelKilnPixelate",
            "inputs": {
                "image": ["photo", 0], "model": ["model", 0], "size_mode": "cell size", "cell_size": 8,
                "target_width": 64, "colors": 16, "palette_per": "image", "clean": True, **settings,
            },
        },
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["pixelate", 1]}},
    }  # fmt: skip


def frames_prompt(frames: int, **settings: object) -> Prompt:
    """The same photo many times over, a step each."""
    prompt = photo_prompt(image=["frames", 0], **settings)
    prompt["frames"] = {"class_type": "RepeatImageBatch", "inputs": {"image": ["photo", 0], "amount": frames}}
    return prompt


def test_the_pack_is_imported_without_a_complaint(server: Server) -> None:
    log = server.log_text().split("got prompt")[0]  # what other tests let nodes complain of comes later
    lines = [line for line in log.splitlines() if PACK_FOLDER in line]
    assert not [line for line in log.splitlines() if "IMPORT FAILED" in line and not re.search(NEEDS_TORCHAUDIO, line)]
    assert any(re.search(r"seconds.*custom_nodes", line) for line in lines), log[-4000:]
    assert not [line for line in lines if re.search(r"error|warning|traceback", line, re.IGNORECASE)]


def test_the_server_knows_exactly_the_nodes_of_the_snapshot(object_info: dict[str, Json]) -> None:
    ours = {name for name, info in object_info.items() if info["python_module"] == f"custom_nodes.{PACK_FOLDER}"}
    assert sorted(ours) == NODE_IDS


@pytest.mark.parametrize("node", NODE_IDS)
def test_the_server_lists_inputs_and_outputs_in_the_order_and_type_of_the_snapshot(
    node: str, object_info: dict[str, Json]
) -> None:
    info = object_info[node]
    found = []
    for group in ("required", "optional"):
        for name in info["input_order"].get(group, []):
            kind = info["input"][group][name][0]
            found.append([name, "COMBO" if isinstance(kind, list) else kind, group == "optional"])
    snapshot = json.loads(SNAPSHOT.read_text(encoding="utf-8"))[node]
    assert found == snapshot["inputs"]
    assert [list(pair) for pair in zip(info["output_name"], info["output"], strict=True)] == snapshot["outputs"]


@pytest.mark.parametrize("node", NODE_IDS)
def test_every_node_has_a_help_page_and_english_texts(node: str, client: Client) -> None:
    page = client.request(f"/extensions/{PACK_FOLDER}/docs/{node}.md").decode("utf-8")
    texts = client.get("/i18n")["en"]["nodeDefs"][node]
    assert len(page.split()) > 50
    assert texts["display_name"]
    assert texts["description"]


def test_our_requirements_change_nothing_in_comfyuis_environment(root: Path, comfyui_python: Path) -> None:
    command = [str(comfyui_python), "-m", "pip", "install", "--dry-run", "--no-index", "--quiet", "--report", "-"]
    command += ["--requirement", str(root / "requirements.txt")]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["install"] == []


def test_the_same_prompt_again_runs_no_node_and_a_changed_setting_runs_ours(client: Client) -> None:
    first = client.run(photo_prompt(colors=11))
    again = client.run(photo_prompt(colors=11))
    changed = client.run(photo_prompt(colors=12))
    assert first.status == again.status == changed.status == "success"
    assert "pixelate" in first.executed
    assert again.executed == []
    assert set(changed.executed) == {"pixelate", "show"}


def test_the_same_settings_give_the_same_picture_after_the_cache_was_emptied(client: Client) -> None:
    first = client.run(photo_prompt(cell_size=6, colors=9))
    picture = client.view(first.outputs["show"]["images"][0])
    client.request("/free", {"unload_models": True, "free_memory": True})
    client.run(photo_prompt(cell_size=32))
    second = client.run(photo_prompt(cell_size=6, colors=9))
    assert "pixelate" in second.executed
    assert client.view(second.outputs["show"]["images"][0]) == picture


def test_progress_reaches_its_end(client: Client) -> None:
    run = client.run(frames_prompt(3, cell_size=16))
    told = [(value, maximum) for node, value, maximum in run.progress if node == "pixelate"]
    assert run.status == "success"
    assert told
    assert told[-1][0] == told[-1][1] >= 3
    assert told == sorted(told)


def test_interrupt_stops_within_one_step(client: Client) -> None:
    run = client.run(frames_prompt(8, cell_size=2), interrupt_at="pixelate")
    told = [value for node, value, _ in run.progress if node == "pixelate"]
    assert run.status == "interrupted"
    assert len(told) >= 1
    assert max(told) <= min(value for value in told if value > 0) + 1
    assert client.run(photo_prompt(colors=5)).status == "success"


BAD = [
    ("pixelate", {"cell_size": 1}, "cell_size"),
    ("pixelate", {"cell_size": 33}, "cell_size"),
    ("pixelate", {"colors": 1}, "colors"),
    ("pixelate", {"size_mode": "guess"}, "size_mode"),
    ("pixelate", {"tile": 4}, "tile"),
    ("model", {"model_name": "no-such-file.safetensors"}, "model_name"),
    ("photo", {"image": "no-such-photo.png"}, "image"),
]


@pytest.mark.parametrize(("node", "inputs", "named"), BAD)
def test_bad_settings_are_refused_with_the_name_of_the_input(
    node: str, inputs: Json, named: str, client: Client
) -> None:
    prompt = deepcopy(photo_prompt())
    prompt[node]["inputs"] |= inputs
    with pytest.raises(RefusedError) as refused:
        client.queue(prompt)
    assert refused.value.status == 400
    errors = refused.value.body["node_errors"][node]["errors"]
    assert any(named in json.dumps(error) for error in errors)


def test_an_old_checkpoint_of_the_cyclegan_program_is_listed_loaded_and_comes_to_the_grid(
    server: Server, client: Client, root: Path
) -> None:
    old = root / "tests" / "goldens" / "data" / "checkpoints" / "dp_old04_legacy_net_G_B.pth"
    folder = server.base / "models" / "pixel_models"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(old, folder / old.name)
    try:
        assert old.name in json.dumps(client.object_info()["PixelKilnLoadModel"]["input"]["required"]["model_name"])
        prompt = photo_prompt(cell_size=8)
        prompt["model"]["inputs"]["model_name"] = old.name
        run = client.run(prompt)
        assert run.status == "success"
        native = Image.open(io.BytesIO(client.view(run.outputs["show"]["images"][0])))
        assert native.size == (64, 64)
        assert len(native.convert("RGB").getcolors() or []) <= 16
    finally:
        (folder / old.name).unlink()


def test_a_missing_input_is_refused_with_its_name(client: Client) -> None:
    prompt = photo_prompt()
    del prompt["pixelate"]["inputs"]["model"]
    with pytest.raises(RefusedError) as refused:
        client.queue(prompt)
    assert refused.value.status == 400
    assert "model" in json.dumps(refused.value.body["node_errors"]["pixelate"])


def test_a_model_of_the_wrong_kind_is_an_error_that_says_what_to_do(client: Client) -> None:
    prompt = photo_prompt()
    prompt["model"]["inputs"]["model_name"] = "kiln-depixelate.safetensors"
    run = client.run(prompt)
    assert run.status == "error"
    assert run.error["node_id"] == "pixelate"
    assert run.error["exception_type"].endswith("ModelKindError")
    assert "kiln-pixelate" in run.error["exception_message"]
