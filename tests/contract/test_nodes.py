"""The nodes' contract, checked on the real node API without a server: what they are, take, give and refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = Path(__file__).parent / "nodes.json"
EXPECTED_IDS = set(json.loads(SNAPSHOT.read_text(encoding="utf-8")))
UNITS = r"cells?|codes|frames|pixels|times|colours?|degrees|seconds|Oklab"
NUMBERS = {"INT", "FLOAT"}

Facts = dict[str, Any]


def shapes(outputs: list[Facts]) -> list[list[int]]:
    """The shapes of a node's outputs."""
    return [output["shape"] for output in outputs]


def assert_pictures(outputs: list[Facts]) -> None:
    """Every output is float32, finite, in [0, 1] and on 8-bit levels, so that core's saving changes nothing."""
    for output in outputs:
        assert output["dtype"] == "torch.float32"
        assert output["finite"]
        assert 0 <= output["range"][0] <= output["range"][1] <= 1
        assert output["on_8_bit_levels"]


def words(entry: Facts, *keys: str) -> Facts:
    """Some of an entry's texts, those that it has."""
    return {key: entry[key] for key in keys if entry.get(key)}


def test_the_pack_has_exactly_the_expected_nodes(facts: Facts) -> None:
    assert set(facts["nodes"]) == EXPECTED_IDS


def test_no_input_or_output_was_removed_renamed_retyped_or_moved(facts: Facts) -> None:
    """Workflows store widgets by position: append only, then renew the snapshot by hand."""
    for node_id, kept in json.loads(SNAPSHOT.read_text(encoding="utf-8")).items():
        node = facts["nodes"][node_id]
        inputs = [[entry["id"], entry["type"], entry["optional"]] for entry in node["inputs"]]
        outputs = [[entry["name"], entry["type"]] for entry in node["outputs"]]
        assert inputs[: len(kept["inputs"])] == kept["inputs"]
        assert outputs[: len(kept["outputs"])] == kept["outputs"]
        assert all(optional for _, _, optional in inputs[len(kept["inputs"]) :]), "an appended input must be optional"


@pytest.mark.parametrize("node_id", sorted(EXPECTED_IDS))
def test_a_node_explains_itself(facts: Facts, node_id: str) -> None:
    node = facts["nodes"][node_id]
    assert node["category"].startswith("pixel art/")
    assert len(node["description"]) > 20
    assert [entry["id"] for entry in node["inputs"]] == node["execute"]
    for entry in node["inputs"] + node["outputs"]:
        assert len(entry["tooltip"]) > 20
        assert entry["tooltip"].endswith(".")


@pytest.mark.parametrize("node_id", sorted(EXPECTED_IDS))
def test_a_tooltip_of_a_number_gives_its_unit_and_range(facts: Facts, node_id: str) -> None:
    for entry in facts["nodes"][node_id]["inputs"]:
        if entry["type"] in NUMBERS:
            low = 8 if entry["id"] == "tile" else entry["min"]  # 0 is the word for automatic
            assert f"({low} to {entry['max']}" in entry["tooltip"], entry["id"]
            assert re.search(UNITS, entry["tooltip"]), entry["id"]


@pytest.mark.parametrize("node_id", sorted(EXPECTED_IDS))
def test_a_help_page_covers_every_input_and_output(facts: Facts, node_id: str) -> None:
    page = (ROOT / "web" / "docs" / f"{node_id}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {facts['nodes'][node_id]['display_name']}\n")
    for entry in facts["nodes"][node_id]["inputs"]:
        assert f"| `{entry['id']}`" in page
        for option in entry.get("options", []) if entry["id"] not in ("model_name", "name", "file") else []:
            assert f"`{option}`" in page
        if entry["type"] in NUMBERS and entry["id"] != "tile":
            assert f"| {entry['min']} to {entry['max']} " in page
    for entry in facts["nodes"][node_id]["outputs"]:
        assert f"| `{entry['name']}`" in page


@pytest.mark.parametrize("node_id", sorted(EXPECTED_IDS))
def test_the_english_locale_says_what_the_node_says(facts: Facts, node_id: str) -> None:
    locale = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
    node = facts["nodes"][node_id]
    assert set(locale) == EXPECTED_IDS
    assert locale[node_id] == {
        "display_name": node["display_name"],
        "description": node["description"],
        "inputs": {e["id"]: {"name": e["id"]} | words(e, "tooltip", "placeholder") for e in node["inputs"]},
        "outputs": {str(i): words(e, "name", "tooltip") for i, e in enumerate(node["outputs"])},
    }


def test_the_loader_lists_shipped_weights_before_other_files(facts: Facts) -> None:
    options = facts["loader"]["options"]
    shipped = [name for name in facts["loader"]["shipped"] if (ROOT / "pixel_models" / "weights" / name).exists()]
    assert options[: len(shipped)] == shipped
    assert "tiny-pixelate.safetensors" in options[len(shipped) :]
    assert len(set(options)) == len(options)


def test_the_loader_loads_again_only_when_the_file_was_replaced(facts: Facts) -> None:
    assert facts["loader"]["unchanged_is_same"]
    assert not facts["loader"]["replaced_is_same"]
    assert facts["loader"]["valid"] is True
    assert facts["loader"]["valid_over_a_link"] is True
    assert facts["loader"]["device"] == "cpu"


def test_a_missing_model_is_refused_with_its_name_and_folder(facts: Facts) -> None:
    for message in (facts["loader"]["missing"], facts["loader"]["missing_when_run"]):
        assert "nowhere.safetensors" in message
        assert facts["loader"]["folder"] in message
    assert facts["loader"]["missing_when_run"].startswith("HubError")


@pytest.mark.parametrize("case", ["outside", "upwards"])
def test_a_workflow_cannot_read_files_outside_the_model_folders(facts: Facts, case: str) -> None:
    assert "outside.safetensors" in facts["loader"][case]
    assert "model folders" in facts["loader"][case]


def test_a_model_of_the_hub_is_refused_without_the_switch_and_let_through_with_it(facts: Facts) -> None:
    for message in (facts["loader"]["hub_off"], facts["loader"]["hub_not_run"]):
        assert "download" in message
        assert facts["loader"]["folder"] in message
    assert "/a/b/resolve/v1/c.pth" in facts["loader"]["hub_off"]
    assert facts["loader"]["hub_on"] is True
    assert facts["loader"]["hub_path"].startswith("hub_model is '../c.pth', expected org/repo")
    assert "nowhere.safetensors" in facts["loader"]["download_of_a_file"]


def test_half_a_file_is_refused_when_it_is_loaded(facts: Facts) -> None:
    assert facts["loader"]["half"].startswith("CheckpointError: half.safetensors")


def test_model_folders_of_the_user_are_kept_and_only_weight_files_listed(facts: Facts) -> None:
    assert facts["loader"]["extensions"] == [".pt", ".pth", ".safetensors"]
    assert facts["loader"]["configured_folder_kept"]


@pytest.mark.parametrize(
    ("case", "large", "native"),
    [
        ("rgb", [1, 32, 48, 3], [1, 4, 6, 3]),
        ("odd_batch", [3, 33, 47, 3], [3, 5, 6, 3]),
        ("rgba", [1, 32, 48, 4], [1, 4, 6, 4]),
        ("target_width", [1, 32, 48, 3], [1, 11, 16, 3]),
        ("tiny", [1, 1, 1, 3], [1, 1, 1, 3]),
        ("thin", [1, 1, 400, 3], [1, 1, 50, 3]),
        ("fp16", [1, 32, 48, 3], [1, 4, 6, 3]),
    ],
)
def test_pixelate_gives_pictures_and_masks_at_both_sizes(
    facts: Facts, case: str, large: list[int], native: list[int]
) -> None:
    outputs = facts["pixelate"][case]
    assert_pictures(outputs)
    assert shapes(outputs) == [large, native, large[:3], native[:3]]


def test_pixelate_takes_masks_as_load_image_gives_them(facts: Facts) -> None:
    pixelate = facts["pixelate"]
    assert pixelate["opaque_is_zero"] == 0
    assert pixelate["mask_of_left_half"] == [1, 1, 1, 0, 0, 0]
    assert pixelate["small_mask_fits"]
    assert pixelate["flat_mask_fits"]
    assert pixelate["alpha_channel_is_a_mask"]
    assert pixelate["one_mask_for_a_batch"]["shape"] == [3, 4, 6]


def test_pixelate_keeps_to_its_grid_and_its_colors(facts: Facts) -> None:
    assert facts["pixelate"]["native_matches_large"]
    assert facts["pixelate"]["colors_out"] <= 4
    assert {tuple(color) for color in facts["pixelate"]["palette_out"]} <= {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    assert facts["pixelate"]["same_twice"]


def test_pixelate_takes_a_full_resolution_generator_and_is_as_strict(facts: Facts) -> None:
    classic, native = facts["pixelate"]["classic"], facts["pixelate"]["odd_batch"]
    assert [entry["shape"] for entry in classic] == [entry["shape"] for entry in native]
    assert all(entry["finite"] and entry["on_8_bit_levels"] for entry in classic)
    assert facts["pixelate"]["classic_matches_large"]
    assert facts["pixelate"]["classic_colors"] <= 4
    assert facts["pixelate"]["classic_ignores_tiles"]


def test_pixelate_shows_one_sharp_preview(facts: Facts) -> None:
    (entry,) = facts["pixelate"]["preview"]
    assert entry["type"] == "temp"
    image = pytest.importorskip("PIL.Image").open(Path(facts["pixelate"]["preview_folder"]) / entry["filename"])
    assert image.mode == "RGBA"
    assert image.size == (768, 512)
    cells = image.resize((6, 4), 0)
    assert cells.resize((768, 512), 0).tobytes() == image.tobytes()


@pytest.mark.parametrize(
    ("case", "error", "words_in_it"),
    [
        ("wrong_kind", "ModelKindError", "pixelate is needed"),
        ("nan", "ImageError", "NaN"),
        ("nan_mask", "ImageError", "NaN"),
        ("gray", "ShapeError", "RGB"),
        ("empty", "ImageError", "at least one picture"),
        ("two_masks_for_three", "ShapeError", "one mask a picture"),
    ],
)
def test_bad_input_is_an_error_that_says_what_was_expected(
    facts: Facts, case: str, error: str, words_in_it: str
) -> None:
    assert facts["pixelate"][case].startswith(f"{error}: ")
    assert words_in_it in facts["pixelate"][case]


def test_a_choice_that_does_not_exist_is_refused_before_anything_runs(facts: Facts) -> None:
    """ComfyUI 0.3.75 checks no V3 combo by itself."""
    assert facts["pixelate"]["bad_size_mode"] == "size_mode is 'width', expected one of 'cell size', 'target width'"
    assert facts["palette"]["bad_name"].startswith("name is '/etc/hostname', expected one of ")


def test_a_tile_too_small_is_refused_before_anything_runs(facts: Facts) -> None:
    assert "expected 0 (automatic) or 8 to 1024" in facts["pixelate"]["bad_tile"]
    assert facts["pixelate"]["good_tile"]


def test_depixelate_gives_a_larger_picture_and_a_soft_mask(facts: Facts) -> None:
    depixelate = facts["depixelate"]
    for case in ("rgb", "masked", "rgba"):
        assert_pictures(depixelate[case])
    assert shapes(depixelate["rgb"]) == [[2, 36, 28, 3], [2, 36, 28]]
    assert shapes(depixelate["masked"]) == [[2, 27, 21, 3], [2, 27, 21]]
    assert shapes(depixelate["rgba"]) == [[1, 18, 14, 4], [1, 18, 14]]
    assert depixelate["rgb"][1]["range"] == [0, 0]
    assert depixelate["masked"][1]["range"] == [0, 1]
    assert depixelate["wrong_kind"].startswith("ModelKindError")
    assert depixelate["input_kept"]


def test_the_palette_node_takes_names_and_hex_codes_and_refuses_other_words(facts: Facts) -> None:
    assert facts["palette"]["own"] == ["#102030", "#405060"]
    assert facts["palette"]["named"] >= 2
    assert "'mauve' is no colour" in facts["palette"]["bad"]
    assert facts["palette"]["good"]


def test_a_picture_goes_through_the_door_and_back_unchanged(facts: Facts) -> None:
    assert facts["door"]["there_and_back"]
    assert facts["door"]["saved_levels"] == list(range(256))


def test_progress_reaches_its_end_and_cancel_stops_at_the_first_step(facts: Facts) -> None:
    steps = facts["door"]["steps"]
    assert len(steps) > 2
    assert [step for step, _ in steps] == list(range(1, len(steps) + 1))
    assert steps[-1] == [len(steps), len(steps)]
    assert facts["door"]["cancelled"].startswith("InterruptProcessingException")
    assert facts["door"]["cancel_is_used_up"]


def test_out_of_memory_is_tried_again_with_smaller_tiles_and_then_explained(facts: Facts) -> None:
    assert facts["door"]["retried"] == "made it"
    assert facts["door"]["tried"] == [None, 128, 64, 32]
    assert facts["door"]["gave_up"].startswith("PixelModelError: out of memory even with tiles of 16 cells")
    assert facts["door"]["broken"] == "RuntimeError: size mismatch"
    assert facts["door"]["one_patcher"]
