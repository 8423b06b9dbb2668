"""Data sets: pictures found with what belongs to them, in folders, tar shards and parquet files; names; captions."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixel_models.cli.files import is_art
from pixel_models.dataset import Item, Part, Pool, Sample, Source, spread_devices
from pixel_models.dataset.captions import caption_beside, caption_in, files_beside
from pixel_models.dataset.names import inner_key, told_apart
from pixel_models.dataset.rows import RowIndex
from pixel_models.dataset.tars import TarWriter
from pixel_models.errors import ImageError


def png(color: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), color, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def put(path: Path, data: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def tar(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def find(path: Path, caption: str = "") -> list[Item]:
    return list(Source(path, path / "out", is_art, caption).items())


def read(item: Item) -> bytes:
    assert isinstance(item.picture, Part)
    return item.picture.read()


def test_a_folder_gives_its_pictures_with_what_lies_beside_them(tmp_path: Path) -> None:
    put(tmp_path / "b.png", png(1))
    put(tmp_path / "a.jpg", png(2))
    put(tmp_path / "a.txt", "a cat")
    put(tmp_path / "a.caption", "one cat")
    put(tmp_path / "sub/a.png", png(3))
    put(tmp_path / "sub/.hidden.png", png(4))
    put(tmp_path / "out/a.png", png(5))
    put(tmp_path / "alone.txt", "no picture")
    items = find(tmp_path)
    assert [item.key for item in items] == ["a", "b", "sub/a"]
    assert [item.source for item in items] == ["a.jpg", "b.png", "sub/a.png"]
    assert [(ending, part.read()) for ending, part in items[0].sidecars] == [("txt", b"a cat"), ("caption", b"one cat")]
    assert read(items[2]) == png(3)


def test_stems_that_differ_in_their_ending_alone_get_it_into_their_keys(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg", "A.webp", "a_png.bmp", "b.png"):
        put(tmp_path / name, png())
    items = find(tmp_path)
    assert {item.source: item.key for item in items} == {
        "a.png": "a_png_2",
        "a.jpg": "a_jpg",
        "A.webp": "A_webp",
        "a_png.bmp": "a_png",
        "b.png": "b",
    }


@given(st.lists(st.from_regex(r"[aAb_]{1,3}\.(png|jpg|PNG)", fullmatch=True), unique=True).map(sorted))
def test_no_two_files_of_a_folder_share_a_key(names: list[str]) -> None:
    keys = told_apart(names)
    assert sorted(keys) == names
    assert len({key.casefold() for key in keys.values()}) == len(names)


@given(st.text())
def test_a_foreign_name_stays_in_its_folder(name: str) -> None:
    key = inner_key(name)
    assert key
    assert not key.startswith("/")
    assert not {"", ".", ".."} & set(key.split("/"))
    assert "\\" not in key
    assert ":" not in key


def test_a_changed_picture_or_caption_has_another_id(tmp_path: Path) -> None:
    put(tmp_path / "a.png", png())
    put(tmp_path / "a.txt", "one")
    (first,) = find(tmp_path)
    (again,) = find(tmp_path)
    put(tmp_path / "a.txt", "three")
    (changed,) = find(tmp_path)
    assert first.id == again.id != changed.id
    assert 0 <= first.id < 2**64


def test_items_and_samples_travel_as_text(tmp_path: Path) -> None:
    put(tmp_path / "a.png", png())
    put(tmp_path / "a.json", "{}")
    (item,) = find(tmp_path)
    assert Item.from_json(item.to_json()) == item
    sample = Sample(png=b"\x89\xff", cells=(3, 4), palette=("#000000",), sidecars={"json": b"\xfe"}, text="ä")
    assert Sample.from_json(sample.to_json()) == sample


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_metadata_rows_belong_to_their_pictures_in_all_folders_below(tmp_path: Path, kind: str) -> None:
    rows = [
        {"file_name": "a.png", "text": "a cat,\nwith lines"},
        {"file_name": "sub/b.png", "text": 'a "dog"'},
        {"file_name": "gone.png", "text": "nothing"},
    ]
    if kind == "jsonl":
        put(tmp_path / "metadata.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n\n")
    else:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, ["file_name", "text"])
        writer.writeheader()
        writer.writerows(rows)
        put(tmp_path / "metadata.csv", "\ufeff" + text.getvalue())
    for name in ("a.png", "sub/b.png", "sub/c.png"):
        put(tmp_path / name, png())
    items = find(tmp_path)
    assert [(item.key, item.text) for item in items] == [
        ("a", "a cat,\nwith lines"),
        ("sub/b", 'a "dog"'),
        ("sub/c", ""),
    ]
    assert json.loads(items[1].row) == {"text": 'a "dog"'}


def test_many_rows_are_found(tmp_path: Path) -> None:
    path = tmp_path / "metadata.jsonl"
    path.write_text("".join(json.dumps({"file_name": f"{i}.png", "prompt": f"p{i}"}) + "\n" for i in range(3000)))
    index = RowIndex(path)
    assert all(index.find(f"{i}.png")[1] == f"p{i}" for i in range(0, 3000, 37))
    assert index.find("3000.png") == ("", "")


@pytest.mark.parametrize("content", ['{"file_name": 3}\n', "[1]\n", "not json\n", b"\xff\xfe\xff\n".decode("latin-1")])
def test_malformed_metadata_is_told_and_the_pictures_are_still_found(tmp_path: Path, content: str) -> None:
    put(tmp_path / "metadata.jsonl", content.encode("latin-1"))
    put(tmp_path / "a.png", png())
    items = find(tmp_path)
    assert [item.source for item in items if not item.problem] == ["a.png"]
    (problem,) = [item.problem for item in items if item.problem]
    assert "metadata.jsonl" in problem


def test_a_tar_shard_gives_samples_by_their_names_up_to_the_first_dot(tmp_path: Path) -> None:
    members = {
        "x/0001.jpg": png(1),
        "x/0001.txt": b"one",
        "x/0001.seg.png": b"mask",
        "0002.png": png(2),
        "0002.cls": b"3",
        "0003.txt": b"alone",
        "../../etc/0004.png": png(4),
    }
    tar(tmp_path / "shard-0.tar", members)
    items = find(tmp_path)
    assert [item.key for item in items] == ["shard-0/x/0001", "shard-0/0002", "shard-0/0003", "shard-0/etc/0004"]
    assert [read(item) for item in items if not item.problem] == [png(1), png(2), png(4)]
    assert {ending: part.read() for ending, part in items[0].sidecars} == {"txt": b"one", "seg.png": b"mask"}
    assert items[2].problem == "is a sample without a picture"


def test_a_tar_that_is_cut_short_gives_what_it_holds_and_a_problem(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", {f"{i}.png": png(i) for i in range(4)})
    whole = path.read_bytes()
    path.write_bytes(whole[: 3 * (512 + 512) + 530])
    items = find(tmp_path)
    assert [item.key for item in items if not item.problem] == ["a/0", "a/1", "a/2"]
    assert [item for item in items if item.problem]
    path.write_bytes(b"no tar at all")
    (item,) = find(tmp_path)
    assert "no whole tar file" in item.problem


def test_a_written_tar_is_read_back_and_always_has_the_same_bytes(tmp_path: Path) -> None:
    made: list[bytes] = []
    for name in ("one", "two"):
        with (tmp_path / f"{name}.tar").open("wb") as file:
            writer = TarWriter(file)
            writer.add("sub/v1.5", {"png": png(1), "txt": b"a"})
            writer.add("sub/v1_5", {"png": png(2), "txt": b"b"})
            writer.close()
        made.append((tmp_path / f"{name}.tar").read_bytes())
    assert made[0] == made[1]
    items = [item for item in find(tmp_path) if item.key.startswith("one/")]
    assert [item.key for item in items] == ["one/sub/v1_5", "one/sub/v1_5_2"]
    assert [item.sidecars[0][1].read() for item in items] == [b"a", b"b"]


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file or folder"):
        find(tmp_path / "gone")
    with pytest.raises(ImageError, match="expected a folder"):
        find(put(tmp_path / "a.png", png()))


def test_captions_are_looked_for_in_a_fixed_order() -> None:
    assert caption_in({"caption": "b", "text": "a"}) == "a"
    assert caption_in({"captions": ["first", "second"], "text": 3}) == "first"
    assert caption_in({"caption": "b", "mine": "c"}, "mine") == "c"
    assert caption_beside({"json": b'{"caption": "j"}', "caption": b"c\n"}) == "c"
    assert caption_beside({"json": b'{"caption": "j"}'}) == "j"
    assert caption_beside({"json": b"[" * 10**5}) == ""


def test_sidecars_are_never_replaced_by_rows_or_captions() -> None:
    beside = files_beside({"txt": b"kept", "json": b"{ }"}, '{"a": 1}', "other")
    assert beside == {"txt": b"kept", "json": b"{ }", "metadata.json": b'{"a": 1}'}
    assert files_beside({}, '{"a": 1}', "said") == {"json": b'{"a": 1}', "txt": b"said"}


def test_processes_get_their_devices_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert spread_devices("cuda", 0) == ["cuda:0", "cuda:1"]
    assert spread_devices("cuda", 3) == ["cuda:0", "cuda:1", "cuda:0"]
    assert spread_devices("cpu", 2) == ["cpu", "cpu"]


_KILLER = """
import os
from PIL import Image
import torch

class Killer:
    def __call__(self, device):
        def make(path):
            if path.name == "b5.png":
                os._exit(7)
            return torch.zeros(1, 3, 2, 2), (2, 2)
        return make
"""


@pytest.mark.slow
def test_a_picture_that_kills_its_process_is_told_and_the_others_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "code/kiln_killer.py", _KILLER)
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    import importlib

    for i in range(9):
        put(tmp_path / f"in/b{i}.png", png(i))
    items = find(tmp_path / "in")
    pool = Pool(importlib.import_module("kiln_killer").Killer(), ["cpu", "cpu"])
    results = list(pool.run(iter(items)))
    assert [item for item, _ in results] == items
    assert [item.source for item, sample in results if sample.error] == ["b5.png"]
    assert all("was killed" in sample.error for _, sample in results if sample.error)
