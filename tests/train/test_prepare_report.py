"""The report of `python -m train.prepare --find`: what it shows, that it stands alone, and that it stays small."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from train.prepare.model import Found, Kind, Piece, Record
from train.prepare.report import write_report
from train.prepare.strips import many, one_in, small_picture, strip


def pixels(seed: int, side: int = 16) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    made = np.random.default_rng(seed).integers(0, 255, (side, side, 4), np.uint8)
    made[..., 3] = 255
    return made


def png(side: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels(0, side)).save(buffer, "PNG")
    return buffer.getvalue()


def files(count: int, kind: Kind = "sprite", cell: float = 1) -> tuple[list[Found], list[Record]]:
    found = [
        Found(file=f"in/{kind}/{index}.png", kind=kind, cell=cell, what="16x16", pieces=(Piece(pixels=pixels(index)),))
        for index in range(count)
    ]
    records = [
        Record(piece=one.pieces[0], file=one.file, number=0, group=one.file, split=("train", "val", "test")[at % 3])
        for at, one in enumerate(found)
    ]
    return found, records


def page(folder: Path, found: list[Found], records: list[Record], moved: int = 0) -> str:
    write_report(folder / "report.html", found, records, moved)
    return (folder / "report.html").read_text(encoding="utf-8")


def shown(text: str) -> list[Image.Image]:
    data = re.findall(r"src='data:image/(?:png|jpeg);base64,([^']+)'", text)
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in data]


def test_the_page_tells_the_way_from_files_to_the_set_and_what_to_look_at(tmp_path: Path) -> None:
    found, records = files(6)
    records[5].double_of, records[5].double_kind, records[5].dropped = 0, "near (1.5%)", True
    found += [
        Found(file="in/<b>.jpg", kind="picture", what="a smooth drawing or a photo", thumb=png(200)),
        Found(file="in/c.png", kind="refused", what="40x40, native size: all of it is one scene"),
    ]
    text = page(tmp_path, found, records, moved=2)
    plain = re.sub(r"<[^>]+>", " ", text)
    for words in ("8 files looked into", "-1 set aside", "-1 refused", "6 files of use", "-1 doubles near 1"):
        assert words in re.sub(r"\s+", " ", plain)
    assert "2 pictures of an earlier set left val or test" in plain
    assert "Nothing says the licence of 5 of 5 pictures" in plain
    assert "test: 1 picture (20%) in 1 group" in plain
    assert "in/sprite/0.png #1" in plain
    assert "1.5% of its cells differ" in plain
    assert "a smooth drawing or a photo: 1" in plain
    assert "all of it is one scene: 1" in plain
    assert "in/&lt;b&gt;.jpg" in text
    assert "<b>.jpg" not in text


def test_the_page_needs_no_script_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    text = page(tmp_path, *files(4))
    assert "<script" not in text
    targets = re.findall(r"(?:src|href)=['\"]?([^'\" >]+)", text)
    assert len(targets) > 4
    assert all(target.startswith(("data:", "#")) for target in targets)
    assert "prefers-color-scheme:dark" in text
    assert "name='viewport'" in text


def test_an_empty_split_and_a_file_of_very_many_pieces_are_said_first(tmp_path: Path) -> None:
    found, records = files(1)
    many_pieces = tuple(Piece(pixels=pixels(0)) for _ in range(300))
    found.append(Found(file="in/photo.png", kind="sheet", what="300 from cells", pieces=many_pieces))
    records += [
        Record(piece=piece, file="in/photo.png", number=at, group="g", split="train")
        for at, piece in enumerate(many_pieces)
    ]
    text = page(tmp_path, found, records)
    first = text[text.index("Look at this first") : text.index("id='set'")]
    assert "in/photo.png gives 300 pieces by itself" in first
    assert "<b>val</b> is empty" in first
    assert "there are only 2" in first


def test_five_thousand_files_make_a_page_of_a_few_hundred_pictures(tmp_path: Path) -> None:
    found, records = files(2000)
    for more, pieces in (files(1500, "sheet"), files(1500, "sprite", 3.0)):
        found, records = found + more, records + pieces
    text = page(tmp_path, found, records)
    assert len(shown(text)) < 1000
    assert len(text) < 3_000_000
    assert "one in 5 shown" in text


def test_strips_are_narrow_cropped_and_cross_out_what_was_dropped() -> None:
    wide = np.zeros((200, 200, 4), np.uint8)
    wide[90:100, 90:110] = 255
    (alone,) = shown(strip([wide]))
    assert alone.size == (20, 10)
    (crossed,) = shown(strip([wide], [True]))
    assert np.asarray(crossed)[0, 0].tolist() == [220, 30, 40, 255]
    (together,) = shown(strip([pixels(seed, 128) for seed in range(30)]))
    assert together.width <= 430
    assert together.height < 400
    assert strip([]) == small_picture(b"") == ""


def test_small_pictures_are_small_and_numbers_read_well() -> None:
    (made,) = shown(small_picture(png(224)))
    assert made.size == (96, 96)
    assert made.format == "JPEG"
    assert (many(1, "file"), many(1200, "file")) == ("1 file", "1,200 files")
    assert (one_in(1), one_in(4, "group")) == ("", ", one group in 4 shown")
