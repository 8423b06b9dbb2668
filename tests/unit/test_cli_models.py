"""`pixel-kiln models`: what is here, what it says of itself, whether it is whole, and foreign files into ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import pixel_models
from pixel_models.checkpoint import save_checkpoint
from pixel_models.cli import main
from pixel_models.registry import REGISTRY, SHIPPED


def lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """What went to stdout, taken apart at the tabs."""
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A generator as the CycleGAN code saves it: a plain pickle of the state dict."""
    spec = REGISTRY["resnet_generator"]
    path = tmp_path / "latest_net_G_A.pth"
    torch.manual_seed(0)
    torch.save(spec.build(spec.tiny).state_dict(), path)
    return path


def test_list_names_the_shipped_models_and_that_they_are_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    told = lines(capsys)
    assert [line[:3] for line in told] == [[e.name, str(e.purpose), "here"] for e in SHIPPED]


def test_show_tells_everything_that_a_file_says_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", "kiln-pixelate"]) == 0
    told = {line[0]: line[1] for line in lines(capsys)}
    assert told["sha256"] == SHIPPED[0].sha256
    assert told["purpose"] == "pixelate"
    assert told["licence"] == "Apache-2.0"
    assert "David Gervais" in told["data"]
    assert {"architecture", "config", "parameters", "training.machine", "file"} <= told.keys()


def test_show_reads_foreign_files_too(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", str(foreign)]) == 0
    told = {line[0]: line[1] for line in lines(capsys)}
    assert told["architecture"].startswith("resnet_generator")
    assert told["purpose"] == "translate"


def test_verify_finds_the_shipped_weights_as_they_were_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify"]) == 0
    assert lines(capsys) == [[entry.name, "ok", entry.sha256] for entry in SHIPPED]


def test_verify_names_each_file_that_is_not_whole_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = REGISTRY["native_pixelate"]
    mine, half = tmp_path / "mine.safetensors", tmp_path / "half.safetensors"
    save_checkpoint(mine, spec.build(spec.tiny), spec, spec.tiny, {})
    half.write_bytes(mine.read_bytes()[:-10])
    assert main(["models", "verify", str(half), str(mine), "nothing"]) == 1
    told = lines(capsys)
    assert [line[1] for line in told] == ["wrong", "loads, its hash is nowhere told", "wrong"]
    assert "half.safetensors" in told[0][2]
    assert "no model 'nothing'" in told[2][2]


def test_convert_makes_a_file_of_ours_that_gives_the_same_picture(
    foreign: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "new" / "x.safetensors"
    assert main(["models", "convert", str(foreign), "-o", str(target)]) == 0
    assert lines(capsys) == [[str(target)]]
    picture = torch.rand(1, 3, 32, 32) * 2 - 1
    before, after = (pixel_models.load(path).module(picture) for path in (foreign, target))
    assert torch.equal(before, after)


def test_convert_replaces_nothing_unless_told(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = foreign.with_suffix(".safetensors")
    target.write_bytes(b"mine")
    assert main(["models", "convert", str(foreign), "-o", str(target)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert target.read_bytes() == b"mine"
    assert main(["models", "convert", str(foreign), "-o", str(target), "--overwrite"]) == 0
    assert pixel_models.load(target).spec.id == "resnet_generator"


def test_download_takes_names_of_the_hub_and_no_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "download", str(tmp_path / "x.pth")]) == 2
    assert "org/repo@revision/file" in capsys.readouterr().err


def test_download_of_what_is_here_needs_no_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "download", "kiln-pixelate"]) == 0
    assert Path(lines(capsys)[0][0]).name == "kiln-pixelate.safetensors"


def test_a_model_of_the_hub_that_is_not_here_is_refused_with_the_command_that_gets_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert main(["pixelate", "x.png", "-o", str(tmp_path), "--model", "a/b@v1/c.pth"]) == 2
    assert "pixel-kiln models download a/b@v1/c.pth" in capsys.readouterr().err
