"""Importing does nothing: no network, no heavy libraries, no output, no change of torch's state, little time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kiln_setup import comfyui
from kiln_setup.environments import Environment

ROOT = Path(__file__).resolve().parents[2]
HEAVY = [
    "PIL",
    "tqdm",
    "huggingface_hub",
    "transformers",
    "accelerate",
    "tensorboard",
    "scipy",
    "torchvision",
    "requests",
]

_NO_NETWORK = """
import socket, sys
def refuse(*arguments, **options):
    raise RuntimeError(f"the network was used: {arguments}")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = socket.getaddrinfo = refuse
"""

_FACTS = f"""
import json, time
import numpy, torch
before = (torch.get_num_threads(), torch.get_default_dtype(), torch.random.get_rng_state().sum().item())
modules = set(sys.modules)
started = time.perf_counter()
import pixel_models
seconds = time.perf_counter() - started
after = (torch.get_num_threads(), torch.get_default_dtype(), torch.random.get_rng_state().sum().item())
heavy = [name for name in {HEAVY} if name in sys.modules and name not in modules]
print(json.dumps(dict(heavy=heavy, same=before == after, seconds=seconds)))
"""

_PACK_IN_COMFYUI = """
import asyncio, importlib.util, json
sys.path.insert(0, sys.argv[1])
sys.argv[1:] = sys.argv[2:]
import comfy.options
comfy.options.enable_args_parsing()
path = PACK
spec = importlib.util.spec_from_file_location("pack", path + "/__init__.py", submodule_search_locations=[path])
module = sys.modules["pack"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
async def node_ids():
    extension = await module.comfy_entrypoint()
    return [node.GET_SCHEMA().node_id for node in await extension.get_node_list()]
print(json.dumps(asyncio.run(node_ids())))
"""


def run(code: str, *arguments: str, python: str = sys.executable, folder: Path = ROOT) -> tuple[Any, str]:
    """Runs code in a fresh interpreter without network; returns the JSON of its last line and all it printed before."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [python, "-c", _NO_NETWORK + code, *arguments]
    result = subprocess.run(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr[-4000:]
    *before, last = result.stdout.splitlines()
    return json.loads(last), "\n".join(before) + result.stderr


def test_importing_pixel_models_loads_nothing_heavy_prints_nothing_and_changes_nothing() -> None:
    facts, printed = run(_FACTS)
    assert facts["heavy"] == []
    assert facts["same"]
    assert facts["seconds"] < 0.5
    assert printed == ""


def test_the_heavy_check_sees_a_heavy_import() -> None:
    facts, _ = run(_FACTS.replace("import pixel_models\n", "import pixel_models, PIL.Image, torch\ntorch.rand(1)\n"))
    assert facts["heavy"] == ["PIL"]
    assert not facts["same"]


def test_importing_the_pack_outside_comfyui_does_nothing(tmp_path: Path) -> None:
    link = tmp_path / "pack_outside"
    link.mkdir()
    (link / "__init__.py").write_text((ROOT / "__init__.py").read_text(encoding="utf-8"), encoding="utf-8")
    code = "import json; import pack_outside as p; print(json.dumps([p.__all__, 'torch' in sys.modules]))"
    facts, printed = run(code, folder=tmp_path)
    assert facts == [["WEB_DIRECTORY"], False]
    assert printed == ""


@pytest.mark.comfy
def test_comfyui_gets_the_nodes_without_any_network(tmp_path: Path) -> None:
    python = Environment(ROOT / ".venv-comfy").python
    if not python.exists():
        pytest.skip("the test ComfyUI is not set up: run `python kiln.py test`")
    code = _PACK_IN_COMFYUI.replace("PACK", repr(str(ROOT)))
    arguments = (str(comfyui.SOURCE), "--cpu", "--base-directory", str(tmp_path))
    ids, _ = run(code, *arguments, python=str(python), folder=tmp_path)
    snapshot = json.loads((Path(__file__).parent / "nodes.json").read_text(encoding="utf-8"))
    assert sorted(ids) == sorted(snapshot)
