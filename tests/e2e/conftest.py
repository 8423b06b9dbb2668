"""Fixtures for the tests on a real ComfyUI: one server for the whole run, its client, a browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.browser import QUIET_SETTINGS, ComfyPage, open_browser
from harness.client import Client, Json

from kiln_setup import chromium, comfyui
from kiln_setup.environments import Environment
from kiln_setup.pack import CACHE
from kiln_setup.server import Installation, Server, make_base


@pytest.fixture(scope="session")
def comfyui_python(root: Path) -> Path:
    """The Python that has ComfyUI's requirements and ours."""
    python = Path(os.environ.get(comfyui.PYTHON_VARIABLE) or Environment(root / ".venv-comfy").python)
    if not python.exists() or not (comfyui.SOURCE / "main.py").exists():
        pytest.skip("the test ComfyUI is not set up: run `python kiln.py test`")
    return python


@pytest.fixture(scope="session")
def server(comfyui_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running ComfyUI with the pack, the sample pictures in its input folder."""
    base = make_base(tmp_path_factory.mktemp("comfyui"))
    log = CACHE / "tests-comfyui.log"  # kept, to be read after a failure
    with Server(Installation(comfyui.SOURCE, comfyui_python), base, log, arguments=["--disable-api-nodes"]) as server:
        yield server


@pytest.fixture(scope="session")
def client(server: Server) -> Client:
    """A client of the server."""
    return Client(server.address)


@pytest.fixture(scope="session")
def object_info(client: Client) -> dict[str, Json]:
    """Every node type that the server knows."""
    return client.object_info()


@pytest.fixture(scope="session")
def comfy_page(server: Server, client: Client) -> Iterator[ComfyPage]:
    """ComfyUI's page in a real browser."""
    program = chromium.find_chromium()
    if program is None:
        pytest.skip("no Chromium: run `python kiln.py test`")
    client.request("/settings", QUIET_SETTINGS)
    with open_browser(program, server.address) as page:
        yield page
