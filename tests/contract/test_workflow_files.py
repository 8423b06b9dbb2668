"""The shared workflows as files: whole, tidy, with what ComfyUI's dialogs and template browser need."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pixel_models import hub
from pixel_models.registry import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
SNAPSHOT = json.loads((Path(__file__).parent / "nodes.json").read_text(encoding="utf-8"))
WIDGET_TYPES = {"COMBO", "INT", "FLOAT", "STRING", "BOOLEAN"}
CORE = {"ImageScaleBy", "LoadImage", "SaveImage", "PreviewImage", "PreviewAny", "JoinImageWithAlpha", "MarkdownNote"}
CORE |= {"LoadVideo", "SaveVideo"}
WITHOUT_A_MODEL = {"clean_generated_picture", "strict_game_boy", "sheet_and_animation", "palette_variants"}
WITHOUT_A_MODEL |= {"animate_sprite", "walk_cycle", "pixelate_video"}
WITHOUT_A_PICTURE = {"sample_sprite_sheet", "sample_swap_sheet", "sprites_from_noise", "pixelate_video"}
TITLE_HEIGHT = 30
"""ComfyUI draws a node's title bar this many units above its position."""

Workflow = dict[str, Any]
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> Workflow:
    return json.loads(path.read_text(encoding="utf-8"))


def box(node: Workflow) -> tuple[float, float, float, float]:
    """Left, top with the title bar, right, bottom."""
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - TITLE_HEIGHT, x + width, y + height


def test_the_workflows_are_there() -> None:
    with_one = {"pixelate_photo", "pixelate_drawing_with_alpha", "depixelate", "compare_upscalers"}
    with_one |= {"compare_models", "code_palette_variants", "code_fusion"}
    drawing = {"sample_sprite_sheet", "finish_sprite", "sample_swap_sheet", "sprites_from_noise", "latent_walk"}
    assert {path.stem for path in WORKFLOWS} == with_one | drawing | WITHOUT_A_MODEL


@every_workflow
def test_a_workflow_holds_core_and_own_nodes_with_pack_and_version(path: Path) -> None:
    match = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert match is not None
    version = match[1]
    for node in read(path)["nodes"]:
        assert node["type"] in CORE | set(SNAPSHOT)
        if node["type"] in SNAPSHOT:
            assert (node["properties"]["cnr_id"], node["properties"]["ver"]) == ("pixel-kiln", version)


@every_workflow
def test_every_link_is_known_at_both_of_its_ends(path: Path) -> None:
    workflow = read(path)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    assert workflow["last_node_id"] == max(nodes)
    assert workflow["last_link_id"] == max(link[0] for link in workflow["links"])
    for link, source, output, target, entry, kind in workflow["links"]:
        assert link in nodes[source]["outputs"][output]["links"]
        assert nodes[target]["inputs"][entry]["link"] == link
        assert nodes[source]["outputs"][output]["type"] == kind
        taken = nodes[target]["inputs"][entry]["type"].split(",")  # "IMAGE,PIXEL_INDEXED" takes either
        assert kind in taken or taken == ["*"]
    used = [entry["link"] for node in nodes.values() for entry in node["inputs"] if entry["link"] is not None]
    assert sorted(used) == sorted(link[0] for link in workflow["links"])


@every_workflow
def test_our_nodes_store_one_value_a_widget_in_the_order_of_the_snapshot(path: Path) -> None:
    for node in read(path)["nodes"]:
        if node["type"] in SNAPSHOT:
            inputs = SNAPSHOT[node["type"]]["inputs"]
            widgets = [name for name, kind, _ in inputs if kind in WIDGET_TYPES]
            assert [entry["name"] for entry in node["inputs"] if "widget" in entry] == widgets
            followed = widgets.count("seed")  # by the frontend's own "control after generate"
            assert len(node["widgets_values"]) == len(widgets) + followed
            outputs = [[entry["name"], entry["type"]] for entry in node["outputs"]]
            assert outputs == SNAPSHOT[node["type"]]["outputs"]


@every_workflow
def test_a_loader_tells_the_missing_model_dialog_where_its_model_comes_from(path: Path) -> None:
    loaders = [node for node in read(path)["nodes"] if node["type"] == "PixelKilnLoadModel"]
    assert bool(loaders) == (path.stem not in WITHOUT_A_MODEL)
    for loader in loaders:
        (model,) = loader["properties"]["models"]
        assert loader["widgets_values"] == [model["name"], False, ""], "a shared workflow downloads nothing by itself"
        assert model["name"] in {entry.name for entry in SHIPPED}
        assert model == {"name": model["name"], "url": hub.address(model["name"]), "directory": "pixel_models"}


@every_workflow
def test_a_workflow_starts_from_a_sample_picture_or_from_nothing_and_explains_itself(path: Path) -> None:
    nodes = read(path)["nodes"]
    pictures = [node["widgets_values"][0] for node in nodes if node["type"] == "LoadImage"]
    assert bool(pictures) == (path.stem not in WITHOUT_A_PICTURE)
    assert all((ROOT / "samples" / picture).is_file() for picture in pictures)
    (note,) = [node for node in nodes if node["type"] == "MarkdownNote"]
    assert "Press **Run**" in note["widgets_values"][0]


@every_workflow
def test_nodes_do_not_overlap_and_all_but_the_note_lie_in_one_group(path: Path) -> None:
    workflow = read(path)
    for first, second in itertools.combinations(map(box, workflow["nodes"]), 2):
        apart = first[2] <= second[0] or second[2] <= first[0] or first[3] <= second[1] or second[3] <= first[1]
        assert apart, (first, second)
    for node in workflow["nodes"]:
        left, top, right, bottom = box(node)
        around = [
            group["title"]
            for group in workflow["groups"]
            for x, y, width, height in [group["bounding"]]
            if x <= left and y <= top and right <= x + width and bottom <= y + height
        ]
        assert len(around) == (node["type"] != "MarkdownNote"), (node["type"], around)


@every_workflow
def test_a_workflow_has_nothing_null_but_open_links(path: Path) -> None:
    def nulls(value: object, name: str = "") -> list[str]:
        if isinstance(value, dict):
            return [found for key, inner in value.items() for found in nulls(inner, key)]
        if isinstance(value, list):
            return [found for inner in value for found in nulls(inner, name)]
        return [name] if value is None else []

    assert set(nulls(read(path))) <= {"link"}


@every_workflow
def test_a_workflow_has_a_square_thumbnail_beside_it(path: Path) -> None:
    with Image.open(path.with_suffix(".jpg")) as image:
        assert image.format == "JPEG"
        assert image.size == (400, 400)
    assert path.with_suffix(".jpg").stat().st_size < 100_000
