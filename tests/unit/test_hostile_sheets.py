"""Damaged and hostile metadata of sheets is refused quickly, in little memory, and never leads out of its folder."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_models.errors import PixelModelError, SheetError
from pixel_models.sheets import (
    METADATA_FORMATS,
    Frame,
    MetadataFormat,
    SpriteSheet,
    cut,
    format_metadata,
    metadata_suffix,
    pack_sheet,
    parse_metadata,
    read_sheet,
    write_sheet,
)


def animated(names: list[str] | None = None) -> SpriteSheet:
    """Trimmed frames with times, a pivot and an animation."""
    rgba = torch.rand(4, 9, 7, generator=torch.Generator().manual_seed(7)) * 0.9 + 0.1
    rgba[:, :2] = 0
    frames = [
        Frame(rgba=rgba.roll(index, 2), name=name, duration=40 + index, pivot=(3, 8.5), tag="walk" if index else "")
        for index, name in enumerate(names or ["one", "two"])
    ]
    return pack_sheet(SpriteSheet(frames=tuple(frames)), trim=True, padding=1)


@pytest.mark.parametrize("kind", METADATA_FORMATS)
def test_every_cut_of_a_file_is_refused_or_loses_whole_frames_only(kind: MetadataFormat) -> None:
    """CSS and CSV end nowhere in particular: cut between two frames they are whole files."""
    sheet = animated(["one", "two", "three", "four"])
    text = format_metadata(sheet, kind, "s.png")
    whole = parse_metadata(text)
    for end in range(0, len(text.rstrip()), 5):
        try:
            part = parse_metadata(text[:end])
        except SheetError:
            continue
        assert kind in ("css", "csv")
        assert part.names == whole.names[: len(part.names)]


@given(st.sampled_from(METADATA_FORMATS), st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_raises_nothing_but_a_sheet_error(kind: MetadataFormat, data: st.DataObject) -> None:
    text = format_metadata(animated(["one", "two"]), kind, "s.png")
    at = data.draw(st.integers(0, len(text) - 1))
    junk = data.draw(
        st.sampled_from(["", '"', "{", "]", "-", "9" * 400, "\\", "null", "1e999", "\x00", "../", "(", "\ud800"])
    )
    damaged = text[:at] + junk + text[at + data.draw(st.integers(0, 3)) :]
    try:
        metadata = parse_metadata(damaged)
        cut(torch.zeros(4, 64, 64), metadata)
    except PixelModelError:
        return
    assert len(metadata.entries) >= 1


BAD_NAMES = [
    "../../x",
    "a/../b",
    "..",
    "/etc/passwd",
    "\\\\host\\x",
    "C:\\x",
    "c:x",
    "a\x00b",
    "a\nb",
    "a\u2028b",
    "x" * 600,
    "",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_lead_elsewhere_are_refused_in_frames_tags_and_images(name: str) -> None:
    good = {"x": 0, "y": 0, "w": 1, "h": 1}
    with pytest.raises(SheetError):
        parse_metadata(json.dumps({"frames": {name: {"frame": good}}}))
    if name:
        with pytest.raises(SheetError):
            parse_metadata(json.dumps({"frames": {"a": {"frame": good}}, "animations": {name: ["a"]}}))
        with pytest.raises(SheetError):
            parse_metadata(json.dumps({"frames": {"a": {"frame": good}}, "meta": {"image": name}}))


@pytest.mark.parametrize("image", ["sub/x.png", "..\\x.png", "file:x.png", ".", "..", "http://h/x.png", "x\x00.png"])
def test_a_picture_is_only_looked_for_beside_the_metadata(tmp_path: Path, image: str) -> None:
    (tmp_path / "sub").mkdir()
    write_sheet(tmp_path / "sub" / "x.png", animated(), "csv")
    root = {"frames": {"a": {"frame": {"x": 0, "y": 0, "w": 1, "h": 1}}}, "meta": {"image": image}}
    (tmp_path / "s.json").write_text(json.dumps(root))
    with pytest.raises(SheetError, match="plain name of a file"):
        read_sheet(tmp_path / "s.json")
    (tmp_path / "s.css").write_text(
        f'.a {{ background: url("{image}"); width: 1px; height: 1px; background-position: 0 0 }}'
    )
    with pytest.raises(SheetError):
        read_sheet(tmp_path / "s.css")
    with pytest.raises(SheetError):
        format_metadata(animated(), "css", image)


@pytest.mark.parametrize(
    "path",
    ["../x.png", "res://../x.png", "/x.png", "a/x.png", "C:/x.png", "user://x.png", "res://", "res://a\\\\x.png"],
)
def test_godot_paths_stay_in_the_project(path: str) -> None:
    text = format_metadata(animated(), "godot", "s.png").replace('path="s.png"', f'path="{path}"')
    assert path in text
    if path == "res://":
        assert parse_metadata(text).image == ""
        return
    with pytest.raises(SheetError):
        parse_metadata(text)


def box(**changes: object) -> str:
    frame: dict[str, object] = {"frame": {"x": 0, "y": 0, "w": 4, "h": 4}, "sourceSize": {"w": 4, "h": 4}}
    return json.dumps({"frames": {"a": {**frame, **changes}}})


HOSTILE = {
    "nested lists": "[" * 200_000,
    "nested objects": '{"frames":' * 100_000,
    "nested in frames": '{"frames": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "a huge number": '{"frames": {"a": {"frame": {"x": 0, "y": 0, "w": ' + "9" * 100_000 + ', "h": 1}}}}',
    "a number over all floats": box(duration=10**400),
    "an infinite number": '{"frames": {"a": {"frame": {"x": 0, "y": 0, "w": Infinity, "h": 1}}}}',
    "a number without range": '{"frames": {"a": {"frame": {"x": 0, "y": 0, "w": 1e999, "h": 1}}}}',
    "negative place": box(frame={"x": -1, "y": 0, "w": 4, "h": 4}),
    "huge side": box(frame={"x": 0, "y": 0, "w": 2**31, "h": 4}),
    "huge whole": box(sourceSize={"w": 2**40, "h": 2**40}),
    "half pixels": box(frame={"x": 0.5, "y": 0, "w": 4, "h": 4}),
    "no pixels": box(frame={"x": 0, "y": 0, "w": 0, "h": 0}, sourceSize={"w": 0, "h": 0}),
    "outside its frame": box(spriteSourceSize={"x": 1, "y": 0, "w": 4, "h": 4}),
    "scaled": box(spriteSourceSize={"x": 0, "y": 0, "w": 2, "h": 2}),
    "turned": box(rotated=True),
    "text for a number": box(frame={"x": "0", "y": 0, "w": 4, "h": 4}),
    "true for a number": box(frame={"x": True, "y": 0, "w": 4, "h": 4}),
    "nothing for a frame": '{"frames": {"a": null}}',
    "a list for a frame": '{"frames": [[]]}',
    "frames without names": '{"frames": [{"frame": {"x": 0, "y": 0, "w": 1, "h": 1}}]}',
    "no time": box(duration=0),
    "endless time": box(duration=2**31),
    "a pivot of nothing": box(pivot={"x": None, "y": 1}),
    "a far pivot": box(pivot={"x": 1e15, "y": 1}),
    "no frames": '{"frames": {}}',
    "a number": "{1}",
    "a list": "[1, 2]",
    "many frames": '{"frames": {' + ",".join(f'"{i}": {{}}' for i in range(40_000)) + "}}",
    "many tags": '{"frames": [{"filename": "a", "frame": {"x": 0, "y": 0, "w": 1, "h": 1}}], "meta": {"frameTags": ['
    + ",".join(['{"name": "t", "from": 0, "to": 0}'] * 40_000) + "]}}",
    "a tag too far": '{"frames": [{"filename": "a", "frame": {"x": 0, "y": 0, "w": 1, "h": 1}}], "meta": {"frameTags": '
    '[{"name": "t", "from": 0, "to": 1000000000}]}}',
    "a key twice": '{"frames": {"a": {}, "a": {}}}',
    "outside the picture": '{"frames": {"a": {"frame": {"x": 9, "y": 0, "w": 4, "h": 4}}}, '
    '"meta": {"size": {"w": 8, "h": 8}}}',
    "a picture without end": '{"frames": {"a": {"frame": {"x": 0, "y": 0, "w": 1, "h": 1}}}, "meta": {"size": '
    '{"w": 1e12, "h": 8}}}',
    "two textures": '{"textures": [{"frames": []}, {"frames": []}]}',
    "a strange texture": '{"textures": [7]}',
    "animations of strangers": '{"frames": {"a": {"frame": {"x": 0, "y": 0, "w": 1, "h": 1}}}, '
    '"animations": {"t": ["b"]}}',
    "nested godot": '[gd_resource type="SpriteFrames"]\n[resource]\nanimations = ' + "[" * 100_000,
    "many godot values": '[gd_resource type="SpriteFrames"]\n[resource]\nanimations = [' + "0," * 600_000,
    "many godot sections": '[gd_resource type="SpriteFrames"]' + "[a]" * 1_000_000,
    "another godot resource": '[gd_resource type="Theme"]',
    "an open godot string": '[gd_resource type="SpriteFrames' + "\\" * 999_999,
    "an open comment": "/* " * 1_000_000,
    "an open rule": ".a{" + "width:1px;" * 100_000,
    "css rules in rules": "@media print {.a {width: 1px}}",
    "many escapes": "." + "\\a" * 1_000_000 + "{",
    "css outside": ".a{width:1px;height:1px;background-position:1px 0}",
    "css of a far width": ".a{width:999999999px;height:1px;background-position:0 0}",
    "an escape of no character": ".\\ffffff{width:1px;height:1px;background-position:0 0}",
    "csv of strangers": "name,x,y\na,1,2",
    "csv of short lines": "name,x,y,width,height\na,1,2",
    "csv of words": "name,x,y,width,height\na,1,2,three,4",
    "csv of nan": "name,x,y,width,height\na,1,2,nan,4",
    "csv of a long number": "name,x,y,width,height\na,1,2," + "9" * 100_000 + ",4",
    "an open csv string": 'name,x,y,width,height\n"' + "a" * 1_000_000,
    "many csv lines": "name,x,y,width,height\n" + "a,1,1,1,1\n" * 100_000,
    "many starred comments": ".a{/*" + "* " * 1_000_000,
    "many escapes in a string": ".a{b: \"" + "\\a" * 1_000_000,
    "nothing": " \n",
    "words": "hello there",
    "too long": " " * (2**23 + 1),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_metadata_is_refused_quickly_and_in_little_memory(what: str) -> None:
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(SheetError):
        parse_metadata(HOSTILE[what])
    taken, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < 30  # while memory is traced, which makes it many times slower
    assert peak < 2**28


def test_a_short_text_cannot_claim_large_pictures() -> None:
    frame = '"%d": {"frame": {"x": 0, "y": 0, "w": 1, "h": 1}, "sourceSize": {"w": 65536, "h": 65536}}'
    metadata = parse_metadata('{"frames": {' + ",".join(frame % index for index in range(9)) + "}}")
    with pytest.raises(SheetError, match="over the limit"):
        cut(torch.zeros(4, 8, 8), metadata)


def test_metadata_for_another_picture_is_refused() -> None:
    sheet = animated()
    metadata = parse_metadata(format_metadata(sheet, "aseprite", "s.png"))
    with pytest.raises(SheetError, match="for a picture of"):
        cut(torch.zeros(4, 256, 256), metadata)
    metadata = parse_metadata(format_metadata(sheet, "godot", "s.png"))
    with pytest.raises(SheetError, match="is outside the picture of 4x4"):
        cut(torch.zeros(4, 4, 4), metadata)


def test_missing_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match=r"no\.json: cannot be read"):
        read_sheet(tmp_path / "no.json")
    files = write_sheet(tmp_path / "hero.png", animated(), "aseprite")
    with pytest.raises(SheetError, match="no text in UTF-8"):
        read_sheet(files[0])
    files[0].unlink()
    with pytest.raises(SheetError, match=r"hero\.json: names the picture 'hero\.png', which is not beside it"):
        read_sheet(files[1])
    with pytest.raises(SheetError, match=r"ends in \.png"):
        write_sheet(tmp_path / "hero.gif", animated(), "aseprite")
    with pytest.raises(SheetError, match="expected one of aseprite"):
        metadata_suffix("xml")  # pyright: ignore[reportArgumentType]
