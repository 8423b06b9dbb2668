"""Weight files that are damaged or made to do harm: refused with the reason, in little memory, and nothing runs."""

from __future__ import annotations

import json
import os
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hostile.reporting import GIBIBYTE, Task, load_reports
from safetensors.torch import save_file

from pixel_models.checkpoint import FORMAT, build_empty
from pixel_models.errors import CheckpointError
from pixel_models.legacy import load_file, read_foreign
from pixel_models.registry import REGISTRY
from pixel_models.spec import config_to_json

RESNET = REGISTRY["resnet_generator"]
MARK = "mark"


class Payload:
    """Makes a folder beside the file, when a careless reader unpickles it."""

    def __init__(self, folder: Path) -> None:
        """The mark lies in `folder`."""
        self.mark = str(folder / MARK)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        """What runs."""
        return os.mkdir, (self.mark,)


class Whole(torch.nn.Module):
    """A network whose class is here."""


def state(**values: object) -> dict[str, Any]:
    """A small good state dict."""
    return RESNET.build(RESNET.config(**{"channels": 3, "blocks": 1, **values})).state_dict()


SLOW_KEY = b"\x80\x02})" + b"q\x00h\x00\x86" * 60 + b"Ns."
"""A pickle of a dictionary whose key is pairs of pairs, 60 deep, each of which is one tuple twice: 2**60 to hash."""


def rezip(path: Path, change: Callable[[str, bytes], bytes], how: int = zipfile.ZIP_STORED) -> None:
    """Write a file of torch.save again with other contents and right checksums."""
    torch.save(state(), path)
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in records.items():
            archive.writestr(name, change(name, content), how)


def bomb(path: Path) -> None:
    """A record that inflates to 64 MiB."""
    torch.save({"model.1.weight": torch.zeros(4)}, path)
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in records.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w") as record:
                record.write(content)
                if name.endswith("data/0"):
                    for _ in range(64):
                        record.write(bytes(2**20))


def sparse(
    path: Path,
    tensors: dict[str, tuple[int, ...]],
    *,
    more: int = 0,
    width: int = 4,
    told: dict[str, str] | None = None,
) -> None:
    """A safetensors file of zeros that takes no room on the disk, and whose numbers are all there."""
    header: dict[str, object] = {"__metadata__": told or {"made": "elsewhere"}}
    at = 0
    for key, shape in tensors.items():
        size = width * torch.Size(shape).numel()
        header[key] = {"dtype": f"F{8 * width}", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode() + b" " * more
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)


def huge(path: Path, *, ours: bool = False) -> None:
    """A ResNet generator of 512 channels, 2.9 GB: it fits the architecture and no memory."""
    config = RESNET.config(channels=512)
    told = {"format": FORMAT, "arch": RESNET.id, "config": config_to_json(config)}
    module = build_empty(RESNET, config)
    sparse(path, {key: tuple(v.shape) for key, v in module.state_dict().items()}, told=told if ours else None)


def raw(path: Path, data: bytes) -> None:
    """The bytes as they are."""
    path.write_bytes(data)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "payload_zip.pth": (lambda p: torch.save(Payload(p.parent), p), "mkdir"),
    "payload_stream.pth": (
        lambda p: torch.save(Payload(p.parent), p, _use_new_zipfile_serialization=False),
        "mkdir",
    ),
    "payload_pickle.pth": (lambda p: raw(p, pickle.dumps(Payload(p.parent))), "mkdir"),
    "payload_old_pickle.pth": (lambda p: raw(p, pickle.dumps(Payload(p.parent), 0)), "it is a text"),
    "payload_beside_weights.pth": (lambda p: torch.save({**state(), "x": Payload(p.parent)}, p), "mkdir"),
    "payload_deep.pth": (lambda p: torch.save({"state_dict": state(), "more": [{1: Payload(p.parent)}]}, p), "mkdir"),
    "whole_network.pth": (lambda p: torch.save(Whole(), p), "Whole"),
    "giant_by_strides.pth": (
        lambda p: torch.save({**state(), "model.1.weight": torch.zeros(1).expand(20_000_000, 3, 7, 7)}, p),
        "2,940,000,000 elements",
    ),
    "upon_itself.pth": (
        lambda p: torch.save({**state(), "model.1.bias": torch.zeros(4).as_strided((3,), (1,)).unfold(0, 2, 1)}, p),
        "several are one",
    ),
    "bomb.pth": (bomb, "compressed"),
    "rezipped.pth": (lambda p: rezip(p, lambda _, content: content, zipfile.ZIP_DEFLATED), "without compression"),
    "huge.safetensors": (huge, "expected at most 256 MiB"),
    "huge_of_ours.safetensors": (lambda p: huge(p, ours=True), "expected at most 384 MiB"),
    "long_header.safetensors": (lambda p: sparse(p, {"a": (1,)}, more=5 * 2**20), "header has"),
    "deep_header.safetensors": (lambda p: raw(p, struct.pack("<Q", 2**20) + b"{" + b"[" * (2**20 - 1)), "no JSON"),
    "long_number.safetensors": (
        lambda p: raw(p, struct.pack("<Q", 10**6 + 6) + b'{"a":' + b"1" * 10**6 + b"}"),
        "no JSON",
    ),
    "slow_key.pth": (lambda p: raw(p, SLOW_KEY), "tuple as a key"),
    "endless.pth": (lambda p: raw(p, b"\x80\x02" + b"]" * 3_000_000 + b"."), "instructions"),
    "far_memo.pth": (lambda p: raw(p, b"\x80\x02]r\xff\xff\xff\x7f."), "a pickle of a list"),
    "long_text.pth": (lambda p: raw(p, b"\x80\x02B\xff\xff\xff\x7fabc"), "text of 2,147,483,647 bytes"),
    "outside.pth": (lambda p: _add(p, "../../outside"), "outside of it"),
    "two_pickles.pth": (lambda p: _add(p, "other/data.pkl"), "2 records data.pkl"),
    "big_endian.pth": (
        lambda p: rezip(p, lambda name, content: b"big" if name.endswith("byteorder") else content),
        "little-endian",
    ),
    "short_record.pth": (
        lambda p: rezip(p, lambda name, content: content[:-4] if name.endswith("data/0") else content),
        "bytes, expected",
    ),
    "not_finite.pth": (lambda p: torch.save({**state(), "model.1.bias": torch.tensor([0, 1, float("nan")])}, p), "NaN"),
}
"""How each file is made, and what the complaint about it must say."""


def _add(path: Path, name: str) -> None:
    torch.save(state(), path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What came of loading each, in a process with 1 GiB."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (make, _) in HOSTILE.items():
        make(folder / name)
    told, peak = load_reports(Task(folder / name) for name in HOSTILE)
    assert peak < GIBIBYTE
    assert not (folder / MARK).exists()
    assert sorted(path.name for path in folder.iterdir()) == sorted(HOSTILE)
    return told


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason(name: str, reports: dict[str, dict[str, Any]]) -> None:
    told = reports[name]
    assert told["error"] == "CheckpointError", told
    assert told["message"].startswith(f"{name}: ")
    assert HOSTILE[name][1] in told["message"]
    assert told["seconds"] < 10


@pytest.mark.parametrize("width", [2, 4])
def test_the_largest_classic_network_loads_within_the_same_memory(width: int, tmp_path: Path) -> None:
    spec = REGISTRY["unet_generator"]
    module = build_empty(spec, spec.config(norm="none"))
    sparse(tmp_path / "unet_256.safetensors", {k: tuple(v.shape) for k, v in module.state_dict().items()}, width=width)
    told, peak = load_reports([Task(tmp_path / "unet_256.safetensors")])
    assert told["unet_256.safetensors"]["arch"] == "unet_generator", told
    assert peak < GIBIBYTE


def test_the_payload_is_live(tmp_path: Path) -> None:
    """A careless reader would have run it: otherwise the tests above show nothing."""
    pickle.loads(pickle.dumps(Payload(tmp_path)))  # noqa: S301
    assert (tmp_path / MARK).is_dir()


def test_a_module_that_a_pickle_names_is_not_even_imported(tmp_path: Path) -> None:
    (tmp_path / "x.pth").write_bytes(b"\x80\x02cxml.sax.saxutils\nescape\n)R.")
    before = set(sys.modules)
    with pytest.raises(CheckpointError, match=r"xml\.sax\.saxutils\.escape"):
        read_foreign(tmp_path / "x.pth")
    assert "xml.sax.saxutils" not in set(sys.modules) - before


def test_changed_bits_are_seen_by_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    torch.save({"a": torch.full((1000,), 1.5)}, path)
    data = bytearray(path.read_bytes())
    at = data.find(struct.pack("<f", 1.5) * 10)
    data[at + 400] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=r"x\.pth: .*CRC-32"):
        read_foreign(path)


@pytest.mark.parametrize("kind", ["zip", "stream", "safetensors"])
def test_a_file_that_is_cut_off_anywhere_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    if kind == "safetensors":
        save_file(state(), path)
    else:
        torch.save(state(), path, _use_new_zipfile_serialization=kind == "zip")
    data = path.read_bytes()
    load_file(path)
    for length in [*range(300), *range(300, len(data), 211), len(data) - 1]:
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"x\.pth"):
            load_file(path)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not there"):
        load_file(tmp_path / "nowhere.pth")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_file(tmp_path)
