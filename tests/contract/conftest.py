"""The nodes' facts, gathered once in ComfyUI's own Python."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kiln_setup import comfyui, systems

ROOT = Path(__file__).resolve().parents[2]

Facts = dict[str, Any]


@pytest.fixture(scope="session")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """What `node_facts.py` reports from ComfyUI's own Python."""
    python = Path(os.environ.get(comfyui.PYTHON_VARIABLE) or systems.venv_python(ROOT / ".venv-comfy"))
    if not python.exists() or not (comfyui.SOURCE / "main.py").exists():
        pytest.skip("the test ComfyUI is not set up; `python kiln.py test` does that")
    script = Path(__file__).parent / "node_facts.py"
    command = [str(python), str(script), str(comfyui.SOURCE), str(ROOT), str(tmp_path_factory.mktemp("comfyui"))]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr[-4000:]
    return json.loads(result.stdout.splitlines()[-1])
