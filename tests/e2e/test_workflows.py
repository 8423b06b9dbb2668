"""Every workflow in `workflows/`: run on the real server with its pixels checked, opened and run in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness.browser import ComfyPage
from harness.client import Client, Json
from harness.convert import to_prompt
from harness.expect import Expectation, faults, read_expectations

from kiln_setup.server import PACK_FOLDER

pytestmark = pytest.mark.comfy

FOLDER = Path(__file__).resolve().parents[2] / "workflows"
EXPECTED = Path(__file__).parent / "expected"  # not beside the workflows: ComfyUI lists every JSON there as a template
WORKFLOWS = sorted(FOLDER.glob("*.json"))
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> Json:
    """A workflow in UI format."""
    return json.loads(path.read_text(encoding="utf-8"))


def picture_faults(client: Client, outputs: dict[str, Json], expected: dict[str, Expectation]) -> list[str]:
    """What is wrong with the pictures of a run."""
    return [
        f"node {node}: {fault}"
        for node, expectation in expected.items()
        for fault in faults(expectation, [client.view(image) for image in outputs.get(node, {}).get("images", [])])
    ]


def without_players(prompt: Json) -> Json:
    """A page's prompt without the entry that it makes of a film's player, which no node takes."""
    return {
        node: {**entry, "inputs": {name: value for name, value in entry["inputs"].items() if name != "video-preview"}}
        for node, entry in prompt.items()
    }


def test_there_are_workflows_and_each_has_expectations() -> None:
    assert WORKFLOWS
    assert {path.name for path in WORKFLOWS} == {path.name for path in EXPECTED.glob("*.json")}


@every_workflow
def test_a_workflow_uses_only_nodes_of_core_and_ours(path: Path, object_info: dict[str, Json]) -> None:
    modules = {
        node["type"]: object_info[node["type"]]["python_module"]
        for node in read(path)["nodes"]
        if node["type"] not in ("Note", "MarkdownNote")
    }
    ours = {name for name, module in modules.items() if module == f"custom_nodes.{PACK_FOLDER}"}
    assert ours
    others = {module.partition(".")[0] for name, module in modules.items() if name not in ours}
    assert others <= {"nodes", "comfy_extras"}


@every_workflow
def test_a_workflow_runs_and_its_pictures_are_as_expected(
    path: Path, client: Client, object_info: dict[str, Json]
) -> None:
    expected, seconds = read_expectations(EXPECTED / path.name)
    run = client.run(to_prompt(read(path), object_info), seconds)
    assert run.status == "success", run.error.get("exception_message")
    assert picture_faults(client, run.outputs, expected) == []


@pytest.mark.browser
@every_workflow
def test_a_workflow_opens_and_runs_in_the_browser(
    path: Path, comfy_page: ComfyPage, client: Client, object_info: dict[str, Json], request: pytest.FixtureRequest
) -> None:
    expected, seconds = read_expectations(EXPECTED / path.name)
    workflow = read(path)
    comfy_page.open(workflow, path.stem)
    assert comfy_page.complaints() == []
    assert without_players(comfy_page.prompt()) == to_prompt(workflow, object_info)
    outputs = client.wait(comfy_page.run(), seconds)
    assert comfy_page.wait_for_pictures(len(expected)) >= len(expected)
    if folder := request.config.getoption("--screenshots"):
        comfy_page.fit()
        comfy_page.screenshot(folder / f"{path.stem}.png")
    assert picture_faults(client, outputs, expected) == []
    assert comfy_page.complaints() == []
