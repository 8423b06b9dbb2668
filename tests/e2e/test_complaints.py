"""The browser tests hear what a user would see: faults planted in a workflow, each with the dialog that it opens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness.browser import ComfyPage
from harness.client import Json

pytestmark = [pytest.mark.comfy, pytest.mark.browser]

WORKFLOW = Path(__file__).resolve().parents[2] / "workflows" / "depixelate.json"


def node_of(workflow: Json, kind: str) -> Json:
    """The first node of a type."""
    return next(node for node in workflow["nodes"] if node["type"] == kind)


def use_an_unknown_node(workflow: Json) -> None:
    """As a node of a pack that is not installed."""
    node_of(workflow, "JoinImageWithAlpha")["type"] = "NodeOfAnotherPack"


def hold_a_null(workflow: Json) -> None:
    """As a script writes that knows no better."""
    node_of(workflow, "PixelKilnDepixelate")["mode"] = None


def ask_for_a_model_that_is_not_there(workflow: Json) -> None:
    """As a shared workflow does, with the model's address for the dialog."""
    node = node_of(workflow, "PixelKilnLoadModel")
    node["widgets_values"][0] = "somebodys.safetensors"
    node["properties"]["models"][0]["name"] = "somebodys.safetensors"


def choose_the_wrong_model(workflow: Json) -> None:
    """As a user does."""
    node_of(workflow, "PixelKilnLoadModel")["widgets_values"][0] = "kiln-pixelate.safetensors"


@pytest.fixture
def tidy_page(comfy_page: ComfyPage) -> Iterator[ComfyPage]:
    """The page, left without dialogs for the next test."""
    yield comfy_page
    comfy_page.page.reload()
    comfy_page.wait_until_ready()
    comfy_page.complaints()


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (use_an_unknown_node, "NodeOfAnotherPack"),
        (hold_a_null, "received null"),
        (ask_for_a_model_that_is_not_there, "pixel_models / somebodys.safetensors"),
    ],
)
def test_a_fault_in_a_workflow_is_heard_when_it_is_opened(
    plant: Callable[[Json], None], told: str, tidy_page: ComfyPage
) -> None:
    workflow = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    plant(workflow)
    tidy_page.open(workflow, "planted")
    assert any(told in complaint for complaint in tidy_page.complaints())


def test_an_error_while_running_is_heard_and_says_what_to_choose(tidy_page: ComfyPage) -> None:
    workflow = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    choose_the_wrong_model(workflow)
    tidy_page.open(workflow, "planted")
    assert tidy_page.complaints() == []
    tidy_page.run()
    assert "kiln-depixelate" in tidy_page.wait_for_complaint()
