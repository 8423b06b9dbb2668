"""The end-to-end tests' own tools: they find every fault they are there to find."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from harness.client import Json
from harness.convert import ConversionError, to_prompt, widget_names
from harness.expect import Expectation, Pixels, faults, read_expectations, uneven_cells
from PIL import Image

RED, BLUE, CLEAR = (200, 0, 0, 255), (0, 0, 200, 255), (0, 0, 0, 0)
GOOD = Expectation(
    size=(10, 6), mode="RGBA", colors=(2, 2), cell=4, palette=("#C80000", "#0000c8"), transparent=(0.1, 0.3),
    mean=(110, 0, 90), tolerance=20,
)  # fmt: skip


def picture() -> Pixels:
    """Three cells of four pixels by two, the last ones cut off; the last column is transparent."""
    cells = np.array([[RED, BLUE, CLEAR], [BLUE, RED, CLEAR]], np.uint8)
    return cells.repeat(4, axis=0).repeat(4, axis=1)[:6, :10]


def png(pixels: Pixels, mode: str = "RGBA") -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, "PNG")
    return file.getvalue()


def painted(y: int | slice, x: int | slice, color: tuple[int, ...]) -> Pixels:
    """The picture with some pixels changed."""
    pixels = picture()
    pixels[y, x] = color
    return pixels


def test_a_picture_as_expected_has_no_fault() -> None:
    assert faults(GOOD, [png(picture())]) == []


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        (png(picture()[:5]), "10x5 pixels, expected 10x6"),
        (png(picture(), "RGB"), "mode RGB, expected RGBA"),
        (png(painted(0, 0, (1, 2, 3, 255))), "3 colours, expected 2 to 2"),
        (png(painted(0, 0, (1, 2, 3, 255))), "1 colours that are not in the palette: ['#010203']"),
        (png(painted(5, 9, RED)), "1 cells of 4 pixels are not of one colour"),
        (png(painted(0, 0, (200, 0, 0, 9))), "1 pixels are half transparent, expected none"),
        (png(painted(0, slice(0, 8), CLEAR)), "of the pixels are transparent"),
        (png(painted(slice(0, 4), slice(0, 4), BLUE)), "mean colour"),
        (png(np.zeros((6, 10, 4), np.uint8)), "mean colour [nan, nan, nan]"),
    ],
)
def test_each_fault_of_a_picture_is_named(file: bytes, fault: str) -> None:
    assert any(fault in found for found in faults(GOOD, [file]))


def test_a_missing_or_additional_picture_is_a_fault() -> None:
    assert faults(GOOD, []) == ["0 pictures, expected 1"]
    assert faults(GOOD, [png(picture())] * 2) == ["2 pictures, expected 1"]


def test_uneven_cells_are_counted_once_each() -> None:
    pixels = picture()
    pixels[0, 1] = pixels[3, 3] = pixels[5, 5] = CLEAR
    assert uneven_cells(picture(), 4) == 0
    assert uneven_cells(pixels, 4) == 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"pictures": {"1": {"size": [1, 1], "colour": [1, 2]}}}', "unknown fields ['colour']"),
        ('{"pictures": {"1": {"size": [1, 1]}}, "outputs": {}}', "unknown fields ['outputs']"),
        ('{"pictures": {}}', "nothing would be checked"),
    ],
)
def test_expectations_that_would_check_less_than_they_seem_to_are_refused(
    text: str, complaint: str, tmp_path: Path
) -> None:
    (tmp_path / "some.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=complaint.replace("[", r"\[").replace("]", r"\]")):
        read_expectations(tmp_path / "some.json")


INFO: dict[str, Json] = {
    "Load": {"input": {"required": {"image": [["a.png"], {"image_upload": True}]}}},
    "Sample": {
        "input": {
            "required": {"image": ["IMAGE"], "seed": ["INT", {"control_after_generate": True}], "mode": ["COMBO", {}]},
            "optional": {"strength": ["FLOAT", {"forceInput": True}], "name": ["STRING", {}]},
        }
    },
}


def workflow() -> Json:
    """A note, a picture and a sampler."""
    return {
        "links": [[7, 1, 0, 2, 0, "IMAGE"]],
        "nodes": [
            {"id": 1, "type": "Load", "widgets_values": ["a.png", "image"]},
            {
                "id": 2,
                "type": "Sample",
                "widgets_values": [3, "fixed", "x", "n"],
                "inputs": [{"name": "image", "link": 7}],
            },
            {"id": 3, "type": "MarkdownNote", "widgets_values": ["words"]},
        ],
    }


def test_widgets_are_found_by_position_and_values_that_are_not_sent_are_left_out() -> None:
    assert widget_names(INFO["Sample"]) == ["seed", None, "mode", "name"]
    assert to_prompt(workflow(), INFO) == {
        "1": {"class_type": "Load", "inputs": {"image": "a.png"}},
        "2": {"class_type": "Sample", "inputs": {"seed": 3, "mode": "x", "name": "n", "image": ["1", 0]}},
    }


def lose_a_value(node: Json) -> None:
    """As in a workflow saved before an input was inserted."""
    node["widgets_values"].pop(0)


def mute(node: Json) -> None:
    """As Ctrl-M does."""
    node["mode"] = 2


def rename(node: Json) -> None:
    """As a node of a pack that is not there."""
    node["type"] = "Gone"


@pytest.mark.parametrize(
    ("change", "complaint"), [(lose_a_value, "widget values"), (mute, "muted"), (rename, "does not know 'Gone'")]
)
def test_a_workflow_that_cannot_run_as_it_stands_is_refused(change: Callable[[Json], None], complaint: str) -> None:
    broken = json.loads(json.dumps(workflow()))
    change(broken["nodes"][1])
    with pytest.raises(ConversionError, match=complaint):
        to_prompt(broken, INFO)
