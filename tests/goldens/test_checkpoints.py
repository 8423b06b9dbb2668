"""Other people's weight files: those that are good give the reference's output, those that are bad are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from golden import DATA, SHARED, assert_close, read_case
from hostile.reporting import GIBIBYTE, Task, load_reports
from safetensors.torch import load_file

from pixel_models.archs.dcgan import DCGANGenerator
from pixel_models.archs.pixelcnn import PixelCNN, PixelCNNConfig
from pixel_models.checkpoint import load_checkpoint
from pixel_models.legacy import convert_file, convert_state, is_foreign, load_foreign, read_foreign
from pixel_models.spec import Purpose

FOLDER = SHARED / "checkpoints"
ENTRIES: list[dict[str, Any]] = json.loads((FOLDER / "MANIFEST.json").read_text())["files"] if FOLDER.is_dir() else []
VQVAE, PIXELCNN = "fusiondance_vqvae_model.pt", "fusiondance_pixelcnn_model.pt"
DCGAN = "fusiondance_epoch_24_model.pt"
GOOD = [e for e in ENTRIES if not e["expect"].startswith("reject") and e["file"] not in {DCGAN, VQVAE, PIXELCNN}]
BAD = [e for e in ENTRIES if e["expect"].startswith("reject")]

REASONS = {
    "bad_os_system_zip.pth": "posix.system",
    "bad_os_system_legacy.pth": "posix.system",
    "bad_os_system_rawpickle.pth": "posix.system",
    "bad_mixed_in_state_dict.pth": "posix.system",
    "bad_mixed_legacy_popen.pth": "check_call",
    "bad_builtins_exec_zip.pth": "exec",
    "bad_eval_rawpickle.pth": "eval",
    "bad_whole_module.pth": "models.networks.ResnetGenerator",
    "bad_truncated_zip_60.pth": "cut-off",
    "bad_truncated_zip_tail.pth": "cut-off",
    "bad_truncated_legacy_50.pth": "breaks off",
    "bad_empty.pth": "empty",
    "bad_header_only.pth": "cut-off",
    "bad_text.pth": "a text",
    "bad_html.pth": "a web page",
    "bad_json.pth": "a text",
    "bad_png.pth": "a PNG picture",
    "bad_gzip.pth": "gzip",
    "bad_bitflips_zip.pth": "damaged",
    "bad_nan_one.pth": "NaN",
    "bad_nan_all.pth": "NaN",
    "bad_inf_bias.pth": "infinity",
    "bad_missing_key.pth": "is missing",
    "bad_extra_key.pth": "is not expected",
    "bad_shape_mismatch.pth": "(7, 3, 3, 3), expected (6, 3, 3, 3)",
    "bad_wrong_ndim.pth": "4 dimensions",
    "bad_int_weights.pth": "torch.int64",
    "bad_complex_weights.pth": "torch.complex64",
    "bad_empty_dict.pth": "empty dictionary",
    "bad_list.pth": "type list",
    "bad_single_tensor.pth": "bare tensor",
    "bad_int.pth": "type int",
    "bad_non_string_keys.pth": "the key 1",
    "bad_nested_none.pth": "NoneType",
    "bad_wrong_arch_pixelD.pth": "discriminator",
    "bad_wrong_arch_mlp.pth": "does not know",
    "bad_stride0_giant.pth": "2,940,000,000 elements",
    "bad_deflate_bomb.pth": "compressed",
    "traversal_entry.pth": "outside",
    "bad_billion_laughs.pth": "torch.save did not write",
    "bad_header_length.safetensors": "no whole safetensors",
    "bad_truncated.safetensors": "fetch it again",
    "bad_offsets.safetensors": "1099511627776",
}
"""What the complaint about each bad file must say; `bad_safetensors_named.pth` is known by its content and loads."""


def names(entry: dict[str, Any]) -> str:
    return entry["file"]


@pytest.fixture(scope="module")
def reports() -> tuple[dict[str, dict[str, Any]], int]:
    """What comes of loading each file of the set, in one process with 1 GiB; no payload may leave its mark."""
    markers = [Path(entry["marker_path"]) for entry in ENTRIES if entry.get("marker_path")]
    assert markers
    for marker in markers:
        marker.unlink(missing_ok=True)
    made = load_reports(
        Task(
            FOLDER / entry["file"],
            entry.get("purpose"),
            FOLDER / entry["io"] if entry in GOOD and "io" in entry else None,
        )
        for entry in ENTRIES
    )
    assert [marker for marker in markers if marker.exists()] == []
    return made


@pytest.mark.parametrize("entry", GOOD, ids=names)
def test_a_good_file_gives_the_references_output(
    entry: dict[str, Any], reports: tuple[dict[str, dict[str, Any]], int]
) -> None:
    told = reports[0][entry["file"]]
    assert not told["message"]
    if "io" in entry:
        assert told["difference"] <= entry["suggested_atol"]
    assert ("instance norms" in told["notes"]) == ("old" in entry["file"])
    assert ("DataParallel" in told["notes"]) == entry["file"].startswith(("dp_", "dataparallel"))
    assert ("float16" in told["notes"]) == ("fp16" in entry["file"])


@pytest.mark.parametrize("entry", BAD, ids=names)
def test_a_bad_file_is_refused_by_name_and_with_its_reason(
    entry: dict[str, Any], reports: tuple[dict[str, dict[str, Any]], int]
) -> None:
    told = reports[0][entry["file"]]
    assert told["seconds"] < 10
    if entry["file"] == "bad_safetensors_named.pth":
        assert told["arch"] == "resnet_generator"
        return
    assert told["error"] in {"CheckpointError", "ModelKindError"}, told
    assert entry["file"] in told["message"]
    assert REASONS[entry["file"]] in told["message"]


@pytest.mark.skipif(not ENTRIES, reason="needs the whole set of golden vectors")
def test_all_of_it_stays_within_a_gibibyte(reports: tuple[dict[str, dict[str, Any]], int]) -> None:
    assert reports[1] < GIBIBYTE
    assert len(reports[0]) == len(ENTRIES)


@pytest.mark.parametrize("entry", [e for e in GOOD if e["file"].endswith("pth")], ids=names)
def test_a_converted_file_is_ours_and_the_same_network(entry: dict[str, Any], tmp_path: Path) -> None:
    source, target = FOLDER / entry["file"], tmp_path / "x.safetensors"
    written = convert_file(source, target)
    foreign, ours = load_foreign(source), load_checkpoint(target)
    assert not is_foreign(target)
    assert (ours.spec, ours.config) == (foreign.spec, foreign.config) == (written.spec, written.config)
    assert ours.metadata["source"] == entry["file"]
    assert len(ours.metadata["source_sha256"]) == 64
    before, after = foreign.module.state_dict(), ours.module.state_dict()
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert torch.equal(value, after[key]), key
    spec, config, state = convert_state(read_foreign(source))
    assert (spec, config) == (ours.spec, ours.config)
    assert all(torch.equal(value, after[key]) for key, value in state.items())


@pytest.mark.skipif(not ENTRIES, reason="needs the whole set of golden vectors")
def test_the_papers_dcgan_loads_and_gives_the_references_picture(tmp_path: Path) -> None:
    entry = next(e for e in ENTRIES if e["file"] == DCGAN)
    expected = load_file((FOLDER / entry["io"]).resolve())
    found = read_foreign(FOLDER / DCGAN)
    assert found.keys() == {key[3:] for key in expected if key.startswith("sd/")}
    assert all(torch.equal(value, expected[f"sd/{key}"]) for key, value in found.items())
    model = load_foreign(FOLDER / DCGAN)
    assert (model.spec.id, model.purpose) == ("dcgan", Purpose.GENERATE)
    assert isinstance(model.module, DCGANGenerator)
    assert "below 0" in model.metadata["layout"]
    ours = convert_file(FOLDER / DCGAN, tmp_path / "x.safetensors")
    assert (ours.spec, ours.config) == (model.spec, model.config)
    latent = expected["in/z"].flatten(1)
    for loaded in (model, ours):
        assert isinstance(loaded.module, DCGANGenerator)
        with torch.no_grad():
            raw, made = loaded.module.raw(latent), loaded.module(latent)
        assert_close(raw, expected["out/y"], 1e-5)
        assert torch.equal(made, raw.clamp(0, 1))


@pytest.mark.skipif(not ENTRIES, reason="needs the whole set of golden vectors")
def test_the_papers_vqvae_loads_and_gives_the_references_codes_and_picture() -> None:
    case = read_case("vqvae", "tiny_pixel_medres")
    model = load_foreign(FOLDER / VQVAE)
    assert (model.spec.id, model.purpose) == ("vqvae", Purpose.ENCODE)
    with torch.no_grad():
        made = model.module(case.tensors["in/x"])
    assert torch.equal(made.indices, case.tensors["out/indices"])
    assert_close(made.picture, case.tensors["out/reconstruction"], case.atol("out/reconstruction"))


@pytest.mark.skipif(not ENTRIES, reason="needs the whole set of golden vectors")
def test_the_papers_pixelcnn_loads_with_its_labels_and_gives_the_references_logits(tmp_path: Path) -> None:
    case = read_case("pixelcnn", "tiny_cond_dilated")
    model = load_foreign(FOLDER / PIXELCNN)
    assert (model.spec.id, model.purpose) == ("pixelcnn", Purpose.SAMPLE)
    assert isinstance(model.config, PixelCNNConfig)
    assert model.config.labels == tuple(f"kind=class{place}" for place in range(5))
    assert "1, 2, 1, 4, 1, 2, 1" in model.metadata["layout"]
    ours = convert_file(FOLDER / PIXELCNN, tmp_path / "x.safetensors")
    assert (ours.spec, ours.config) == (model.spec, model.config)
    for loaded in (model, ours):
        with torch.no_grad():
            made = loaded.module(case.tensors["in/codes"], case.tensors["in/cond"])
        assert_close(made, case.tensors["out/logits"], case.atol("out/logits"))


@pytest.mark.skipif(not ENTRIES, reason="needs the whole set of golden vectors")
@pytest.mark.parametrize("name", ["full_unconditional_h128", "tiny_inpainting", "tiny_cond_rgb"])
def test_a_state_dict_of_the_papers_other_pixelcnns_is_recognised(name: str) -> None:
    case = read_case("pixelcnn", name)
    options = dict(case.config)
    given = PixelCNN(
        PixelCNNConfig(
            codes=options["num_classes"],
            channels=options["c_in"],
            width=options["c_hidden"],
            labels=tuple(f"label={place}" for place in range(options.get("conditioning_size", 0))),
            translate="inpainting" in name,
        )
    )
    case.load_weights(given)
    spec, config, state = convert_state(given.state_dict())
    assert (spec.id, config) == ("pixelcnn", given.config)
    module = spec.build(config).eval()
    module.load_state_dict(state)
    with torch.no_grad():
        made = module(case.tensors["in/codes"], case.tensors.get("in/cond"))
    assert_close(made, case.tensors["out/logits"], case.atol("out/logits"))


def test_the_oldest_layout_of_all_gives_the_references_output_everywhere() -> None:
    """DataParallel, statistics of old instance norms, and the stream of torch before 1.6, in one file."""
    expected = load_file(DATA / "checkpoints" / "dp_old04_legacy_net_G_B.io.safetensors")
    model = load_foreign(DATA / "checkpoints" / "dp_old04_legacy_net_G_B.pth")
    with torch.no_grad():
        made = model.module(expected["in/x"])
    torch.testing.assert_close(made, expected["out/y"], atol=2e-4, rtol=1e-4)
