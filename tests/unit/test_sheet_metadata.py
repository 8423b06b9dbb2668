"""Metadata of sheets: written and read back, and foreign files as engines make them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pixel_models.errors import SheetError
from pixel_models.image import from_uint8, to_uint8
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

NAMES = [
    "run",
    'run "2"',
    "walk/0001.png",
    "Größe 1",
    "3 left",
    "-5",
    "a.b:c;d{e}f,g",
    "end ",
    "=SUM(A1)",
    "ro\\ck",
    "ü|<i>*/",
]
RICH = [kind for kind in METADATA_FORMATS if kind != "css"]


def animated(names: list[str] | None = None, *, trim: bool = True) -> SpriteSheet:
    """Frames of several sizes with transparent borders, times, pivots and animations."""
    generator = torch.Generator().manual_seed(7)
    frames = []
    for index, name in enumerate(NAMES if names is None else names):
        rgba = torch.zeros(4, 9 + index % 4, 7 + index % 3)
        part = (slice(None), slice(index % 3, 7), slice(index % 2, 6))
        rgba[part] = from_uint8(to_uint8(torch.rand(rgba[part].shape, generator=generator) * 0.9 + 0.1))
        tag = ["walk", "walk", "", "jump", "walk", "jump up"][index % 6]
        pivot = [None, (3.0, 8.0), (2.5, 7.3), (-1.0, 12.0)][index % 4]
        frames.append(Frame(rgba=rgba, name=name, duration=[100, 83, 1, 1234567][index % 4], pivot=pivot, tag=tag))
    return pack_sheet(SpriteSheet(frames=tuple(frames)), trim=trim, padding=1)


def there_and_back(sheet: SpriteSheet, kind: MetadataFormat, *, told: bool = False) -> SpriteSheet:
    text = format_metadata(sheet, kind, "sheet one.png")
    metadata = parse_metadata(text, kind=kind if told else None)
    assert metadata.image == "sheet one.png"
    assert metadata.kind == kind
    assert sheet.picture is not None
    return cut(sheet.picture, metadata)


def same_pictures(one: SpriteSheet, other: SpriteSheet) -> None:
    assert one.places == other.places
    for a, b in zip(one.frames, other.frames, strict=True):
        assert a.name == b.name
        assert torch.equal(a.rgba, b.rgba)


def same(one: SpriteSheet, other: SpriteSheet) -> None:
    same_pictures(one, other)
    for part in ("duration", "tag", "pivot"):
        assert [getattr(frame, part) for frame in one.frames] == [getattr(frame, part) for frame in other.frames], part


@pytest.mark.parametrize("trim", [True, False])
@pytest.mark.parametrize("kind", RICH)
def test_frames_times_tags_and_pivots_come_back(kind: MetadataFormat, trim: bool) -> None:
    sheet = animated(trim=trim)
    same(there_and_back(sheet, kind), sheet)
    same(there_and_back(sheet, kind, told=True), sheet)


def test_css_brings_back_frames_and_has_no_times() -> None:
    sheet = animated()
    back = there_and_back(sheet, "css")
    same_pictures(back, sheet)
    assert {frame.duration for frame in back.frames} == {100}
    assert {frame.tag for frame in back.frames} == {""}


NAME = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=20)


@given(st.lists(NAME, min_size=1, max_size=6, unique=True), st.sampled_from(METADATA_FORMATS))
@settings(max_examples=150, deadline=None)
def test_any_name_comes_back_or_is_refused_before_it_is_written(names: list[str], kind: MetadataFormat) -> None:
    sheet = animated(names)
    safe = kind != "css" or len({name.replace(" ", "_") for name in names}) == len(names)
    safe = safe and all(name[0] not in "/\\" and name[1:2] != ":" and ".." not in name for name in names)
    try:
        text = format_metadata(sheet, kind, "s.png")
    except SheetError:
        assert not safe
    else:
        assert list(parse_metadata(text).names) == names


@given(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1), st.sampled_from(RICH))
@settings(max_examples=80, deadline=None)
def test_every_duration_comes_back_exactly(one: int, other: int, kind: MetadataFormat) -> None:
    rgba = torch.ones(4, 2, 2)
    frames = [Frame(rgba=rgba, name=f"f{index}", duration=ms, tag="t") for index, ms in enumerate([one, other, other])]
    sheet = pack_sheet(SpriteSheet(frames=tuple(frames)))
    assert parse_metadata(format_metadata(sheet, kind, "s.png")).durations == (one, other, other)


@given(st.floats(-100, 100), st.floats(-100, 100), st.integers(1, 60), st.sampled_from(RICH))
@settings(max_examples=80, deadline=None)
def test_pivots_come_back_to_a_billionth_of_a_pixel(x: float, y: float, side: int, kind: MetadataFormat) -> None:
    sheet = pack_sheet(SpriteSheet(frames=(Frame(rgba=torch.ones(4, side, side), name="a", pivot=(x, y)),)))
    pivot = parse_metadata(format_metadata(sheet, kind, "s.png")).pivots[0]
    assert pivot == pytest.approx((x, y), abs=1e-9)


@pytest.mark.parametrize("kind", METADATA_FORMATS)
def test_files_lie_side_by_side_and_are_not_overwritten_unless_told(tmp_path: Path, kind: MetadataFormat) -> None:
    sheet = animated()
    files = write_sheet(tmp_path / "hero.png", sheet, kind)
    assert [file.name for file in files] == ["hero.png", f"hero{metadata_suffix(kind)}"]
    same_pictures(read_sheet(files[1]), sheet)
    before = files[0].stat().st_mtime_ns
    with pytest.raises(SheetError, match="is there already"):
        write_sheet(tmp_path / "hero.png", sheet, kind)
    assert files[0].stat().st_mtime_ns == before
    write_sheet(tmp_path / "hero.png", sheet, kind, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(file.name for file in files)


def test_a_sheet_without_places_or_with_one_name_twice_is_not_written() -> None:
    with pytest.raises(SheetError, match="pack the sheet first"):
        format_metadata(animated().unplaced(), "csv", "s.png")
    twice = animated(["a", "a"])
    for kind in METADATA_FORMATS:
        if kind in ("csv", "godot", "aseprite-array"):
            same(there_and_back(twice, kind), twice)
        else:
            with pytest.raises(SheetError, match="two frames are called 'a'"):
                format_metadata(twice, kind, "s.png")


def test_aseprite_has_a_tag_for_every_run_of_frames() -> None:
    meta = json.loads(format_metadata(animated(), "aseprite", "s.png"))["meta"]
    tags = [(tag["name"], tag["from"], tag["to"]) for tag in meta["frameTags"]]
    assert tags == [
        ("walk", 0, 1),
        ("jump", 3, 3),
        ("walk", 4, 4),
        ("jump up", 5, 5),
        ("walk", 6, 7),
        ("jump", 9, 9),
        ("walk", 10, 10),
    ]
    assert meta["size"]["w"] > 0


def test_a_file_as_aseprite_writes_it_is_read() -> None:
    frame = {
        "frame": {"x": 0, "y": 0, "w": 8, "h": 8},
        "rotated": False,
        "trimmed": False,
        "spriteSourceSize": {"x": 0, "y": 0, "w": 8, "h": 8},
        "sourceSize": {"w": 8, "h": 8},
        "duration": 120,
    }
    text = json.dumps({
        "frames": {"hero 0.aseprite": frame, "hero 1.aseprite": {**frame, "frame": {"x": 8, "y": 0, "w": 8, "h": 8}}},
        "meta": {
            "app": "https://www.aseprite.org/", "version": "1.3.7-x64", "image": "hero.png", "format": "I8",
            "size": {"w": 16, "h": 8}, "scale": "1",
            "frameTags": [
                {"name": "all", "from": 0, "to": 1, "direction": "pingpong", "color": "#000000ff"},
                {"name": "blink", "from": 1, "to": 1, "direction": "forward"},
            ],
            "layers": [{"name": "Layer 1", "opacity": 255, "blendMode": "normal"}],
            "slices": [{"name": "feet", "color": "#0000ffff",
                        "keys": [{"frame": 0, "bounds": {"x": 2, "y": 1, "w": 4, "h": 7}, "pivot": {"x": 2, "y": 6}}]}],
        },
    })  # fmt: skip
    metadata = parse_metadata("\ufeff" + text)
    assert metadata.kind == "aseprite"
    assert metadata.tags == ("all", "blink")
    assert metadata.pivots == ((4.0, 7.0), (4.0, 7.0))
    assert metadata.durations == (120, 120)


def test_a_file_as_texturepacker_writes_it_is_read() -> None:
    text = """{"frames": {"a.png": {"frame": {"x":1,"y":1,"w":30,"h":20},"rotated": false,"trimmed": true,
        "spriteSourceSize": {"x":2,"y":4,"w":30,"h":20},"sourceSize": {"w":40,"h":40},"pivot": {"x":0.5,"y":1}}},
        "meta": {"app": "https://www.codeandweb.com/texturepacker","version": "1.0","image": "t.png","format":
        "RGBA8888","size": {"w":64,"h":64},"scale": "1","smartupdate": "$TexturePacker:SmartUpdate:1$"}}"""
    metadata = parse_metadata(text)
    assert metadata.kind == "texturepacker"
    assert metadata.pivots == ((20.0, 40.0),)
    assert (metadata.places[0].left, metadata.places[0].top) == (2, 4)


def test_phaser_finds_frames_and_animations_in_one_file() -> None:
    root = json.loads(format_metadata(animated(), "phaser", "hero.png"))
    frames = {frame["filename"] for frame in root["textures"][0]["frames"]}
    assert root["textures"][0]["image"] == "hero.png"
    walk = next(anim for anim in root["anims"] if anim["key"] == "walk")
    assert [step["frame"] for step in walk["frames"]] == [
        "run",
        'run "2"',
        "3 left",
        "a.b:c;d{e}f,g",
        "end ",
        "ü|<i>*/",
    ]
    assert {step["key"] for anim in root["anims"] for step in anim["frames"]} == {"hero"}
    assert {step["frame"] for anim in root["anims"] for step in anim["frames"]} < frames


def test_godot_has_a_default_animation_and_times_relative_to_the_speed() -> None:
    text = format_metadata(animated(["a", "b", "c"]), "godot", "hero.png")
    assert text.startswith('[gd_resource type="SpriteFrames" load_steps=5 format=3]\n')
    assert 'path="hero.png"' in text
    assert '"name": &"default"' in text
    assert '"speed": 10.0' in text
    assert '"duration": 0.83' in text


def test_a_file_as_godot_writes_it_is_read() -> None:
    text = """[gd_resource type="SpriteFrames" load_steps=4 format=3 uid="uid://c8x"]

[ext_resource type="Texture2D" uid="uid://bq" path="res://art/hero.png" id="1_ab"]

[sub_resource type="AtlasTexture" id="AtlasTexture_q1"]
atlas = ExtResource("1_ab")
region = Rect2(0, 0, 16, 16)

[sub_resource type="AtlasTexture" id="AtlasTexture_q2"]
atlas = ExtResource("1_ab")
region = Rect2(16, 0, 12, 14)
margin = Rect2(2, 1, 4, 2)
filter_clip = true

[resource]
animations = [{
"frames": [{
"duration": 1.0,
"texture": SubResource("AtlasTexture_q2")
}, {
"duration": 2.5,
"texture": SubResource("AtlasTexture_q1")
}, {
"duration": 1.0,
"texture": SubResource("AtlasTexture_q2")
}],
"loop": true,
"name": &"walk",
"speed": 5.0
}]
"""
    metadata = parse_metadata(text)
    assert metadata.image == "hero.png"
    assert metadata.names == ("walk_0", "walk_1", "walk_2")
    assert metadata.durations == (200, 500, 200)
    assert [place.x for place in metadata.places] == [16, 0, 16]
    assert (metadata.entries[0].width, metadata.entries[0].height, metadata.places[0].left) == (16, 16, 2)


def test_a_style_sheet_by_hand_is_read_and_other_rules_are_passed_over() -> None:
    text = """/* icons; { not a rule } */
    body > p:hover { color: red }
    .icon { background: url(icons.png) no-repeat; display: block }
    .icon.up { width: 8px; height: 6px; background-position: 0 -12px }
    .down{width:8px;height:6px;background-position:-8px 0;margin:1px 2px}
    .down:hover { width: 8px; height: 6px; background-position: -16px 0 }"""
    metadata = parse_metadata(text)
    assert metadata.image == "icons.png"
    assert metadata.names == ("up", "down")
    assert [(place.x, place.y) for place in metadata.places] == [(0, 12), (8, 0)]
    assert (metadata.entries[1].width, metadata.entries[1].height) == (12, 8)


def test_a_class_has_no_spaces_and_two_names_that_would_be_one_are_refused() -> None:
    text = format_metadata(animated(['big "coin"', "1"]), "css", "s.png")
    assert '.big_\\"coin\\" {' in text
    assert ".\\31  {" in text
    assert parse_metadata(text).names == ('big "coin"', "1")
    with pytest.raises(SheetError, match="two frames would get the CSS class 'a_b'"):
        format_metadata(animated(["a b", "a_b"]), "css", "s.png")


def test_a_table_needs_five_columns_and_spreadsheets_find_no_formula() -> None:
    metadata = parse_metadata("x,y,Name,width,height,note\r\n4,2,a,3,5,hm\r\n")
    assert metadata.names == ("a",)
    assert metadata.durations == (100,)
    rows = list(csv.DictReader(io.StringIO(format_metadata(animated(["=1+1", "+a", "@b", "'c"]), "csv", "s.png"))))
    assert [row["name"] for row in rows] == ["'=1+1", "'+a", "'@b", "''c"]
