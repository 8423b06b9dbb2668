"""What `--find` decides: what is smooth, where sheets are cut, what is background, which files are one thing."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from train.prepare.clearing import clear_plain
from train.prepare.cutting import cut_picture
from train.prepare.entities import measure_entities
from train.prepare.forms import form_of
from train.prepare.grouping import group
from train.prepare.holes import without_holes
from train.prepare.looking import Job, look_into
from train.prepare.model import Found, Piece, Record
from train.prepare.softness import is_lossy, is_smooth
from train.prepare.strangers import put_strangers, taken

Pixels = NDArray[np.uint8]


def drawing(side: int, smooth: int, seed: int = 0) -> Pixels:
    """Flat shapes on nothing; `smooth` times enlarged when drawn, and reduced by averaging."""
    rng = np.random.default_rng(seed)
    made = Image.new("RGBA", (side * smooth, side * smooth))
    draw = ImageDraw.Draw(made)
    for _ in range(7):
        left, top = rng.uniform(0, 0.6, 2) * side * smooth
        wide, tall = rng.uniform(0.2, 0.4, 2) * side * smooth
        draw.ellipse((left, top, left + wide, top + tall), fill=(*rng.integers(0, 255, 3).tolist(), 255))
    return np.asarray(made.resize((side, side), Image.Resampling.BOX))


def blob(seed: int, color: tuple[int, int, int] = (180, 60, 40)) -> Pixels:
    """A round figure of 16 cells with a dark outline and spots."""
    y, x = np.mgrid[:16, :16] - 7.5
    radius = np.hypot(x, y)
    made = np.zeros((16, 16, 4), np.uint8)
    made[radius < 7] = (20, 12, 28, 255)
    made[radius < 6] = (*color, 255)
    rng = np.random.default_rng(seed)
    made[(radius < 5) & (rng.random((16, 16)) < 0.3)] = (*(c // 2 for c in color), 255)
    return made


def on(pixels: Pixels, color: tuple[int, int, int]) -> Pixels:
    return np.where(pixels[..., 3:] > 0, pixels, np.array((*color, 255), np.uint8)).astype(np.uint8)


@pytest.mark.parametrize("seed", range(4))
def test_soft_edges_make_a_drawing_and_hard_ones_a_sprite(seed: int) -> None:
    assert is_smooth(drawing(128, 8, seed))
    assert not is_smooth(drawing(128, 1, seed))


def test_a_photo_enlarged_and_painted_smoke_are_no_sprites_though_their_pixels_are_hard() -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:128, :128] / 128
    photo = np.stack([127 + 90 * np.sin(5 * x + 3 * y + part) for part in range(3)] + [255 + 0 * x], axis=2)
    photo[..., :3] += rng.normal(0, 6, (128, 128, 3))
    assert is_smooth(photo.clip(0, 255).astype(np.uint8))
    smoke = np.zeros((128, 128, 4), np.uint8)
    smoke[..., 3] = (255 * np.exp(-8 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))).astype(np.uint8)
    assert is_smooth(smoke)


@pytest.mark.parametrize(
    ("name", "options", "lossy"),
    [
        ("a.jpg", {}, True),
        ("a.webp", {"quality": 80}, True),
        ("a.webp", {"lossless": True}, False),
        ("a.webp", {"quality": 80, "exif": b"Exif\0\0MM"}, True),
        ("a.png", {}, False),
    ],
)
def test_files_that_blur_are_known_by_their_first_bytes(
    tmp_path: Path, name: str, options: dict[str, object], lossy: bool
) -> None:
    Image.fromarray(drawing(32, 1)[..., :3]).save(tmp_path / name, **options)  # pyright: ignore[reportArgumentType]
    assert is_lossy(str(tmp_path / name)) is lossy


def test_an_animation_is_lossy_as_its_frames_are(tmp_path: Path) -> None:
    frames = [Image.fromarray(drawing(32, 1, seed)) for seed in range(3)]
    for lossless in (False, True):
        frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=lossless)
        assert is_lossy(str(tmp_path / "a.webp")) is not lossless


def test_white_between_arm_and_body_goes_and_white_that_is_painted_stays() -> None:
    figure = blob(0)
    figure[3:6, 7:9] = 0  # a hole, outlined
    figure[2, 6:10] = figure[6, 6:10] = figure[3:6, 6] = figure[3:6, 9] = (20, 12, 28, 255)
    figure[8:11, 6:9] = (255, 255, 255, 255)  # a white belly, shaded
    figure[11, 6:9] = (200, 200, 220, 255)
    laid = on(np.pad(figure, ((3, 3), (3, 3), (0, 0))), (255, 255, 255))
    (cleared,) = clear_plain([laid])
    assert np.array_equal(cleared[3:-3, 3:-3], figure)


def test_without_a_plain_background_nothing_is_taken_out() -> None:
    mask = np.ones((16, 16), bool)
    mask[0] = False
    pixels = blob(0)
    pixels[0, :8] = (1, 2, 3, 255)
    assert without_holes(pixels, mask) is mask


def test_sprites_that_touch_across_the_lines_of_a_sheet_are_still_cut_one_by_one() -> None:
    rng = np.random.default_rng(0)
    sheet = np.zeros((64, 160, 4), np.uint8)
    for index in range(10):
        one = np.concatenate([rng.integers(0, 255, (4, 3)), np.full((4, 1), 255)], axis=1)[rng.integers(0, 4, (8, 8))]
        top, left = index // 5 * 32, index % 5 * 32
        sheet[top : top + 32, left + 1 : left + 31] = one.repeat(4, 0).repeat(4, 1)[:, :30]
    sheet[26:32, 64:96] = 0  # all but these two touch
    cut = cut_picture(sheet)
    assert cut is not None
    assert [piece.box for piece in cut.pieces] == [(x, y, x + 32, y + 32) for y in (0, 32) for x in range(0, 160, 32)]


def test_islands_on_a_plain_colour_are_not_cut_by_lines_that_hold_many_each() -> None:
    sheet = np.zeros((80, 256, 4), np.uint8)
    places = [(4 + 24 * column, top) for top in (6, 30, 54) for column in range(10)]
    for seed, (left, top) in enumerate(places):
        sheet[top : top + 16, left : left + 16] = blob(seed)
    cut = cut_picture(on(sheet, (72, 84, 110)))
    assert cut is not None
    assert len(cut.pieces) == 30


def record(file: str, pixels: Pixels) -> Record:
    return Record(piece=Piece(pixels=pixels), file=file, number=0, sha256=file)


def test_frames_that_are_numbered_are_one_group_and_neighbours_of_a_long_series_are_not() -> None:
    step = blob(0)
    step[11:, 4:12] = 0
    few = [record("in/walk_1.png", blob(0)), record("in/walk_2.png", step)]
    others = [record(f"in/tile_{seed}.png", blob(seed, (10 * seed, 255 - 9 * seed, 90))) for seed in range(20)]
    records = few + others
    found = {one.file: Found(file=one.file, kind="sprite") for one in records}
    joined = group(records, [form_of(one.piece.pixels) for one in records], found)
    assert joined.root(1) == 0
    assert len({joined.root(index) for index in range(2, 22)}) == 20


def test_strangers_are_counted_by_their_folder(tmp_path: Path) -> None:
    for kind, smooth in (("drawn", 8), ("pixels", 1)):
        (tmp_path / "from" / kind).mkdir(parents=True)
        for seed in range(4):
            Image.fromarray(drawing(96, smooth, seed)).save(tmp_path / "from" / kind / f"{seed}.png")
    kinds = put_strangers(tmp_path / "to", [tmp_path / "from"], 4, np.random.default_rng(0))
    assert len(kinds) == 12
    found = [look_into(Job(file=f"to/{name}", path=str(tmp_path / "to" / name))) for name in kinds]
    assert taken(found, kinds)[2:5] == [
        "| drawn | 4 | 0 |",
        "| drawn, shrunk to 32 to 128 pixels | 2 | 0 |",
        "| pixels | 4 | 4 |",
    ]


def test_entities_are_measured_against_a_manifest_that_the_command_does_not_see(tmp_path: Path) -> None:
    step = blob(0)
    step[12:, 4:12] = 0
    sprites = {"walk_0": blob(0), "walk_1": step, "turned": blob(3)[:, ::-1], "plain": blob(3), "tile": blob(5)}
    entities = {"walk_0": "a", "walk_1": "a", "turned": "b", "plain": "b", "tile": "c"}
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        rows = ["path,group_id,tier"]
        for name, pixels in sprites.items():
            data = io.BytesIO()
            Image.fromarray(pixels).save(data, "PNG")
            archive.writestr(f"all/{name}.png", data.getvalue())
            rows.append(f"{name}.png,{entities[name]},1")
        archive.writestr("all/manifest.csv", "\n".join(rows))
    lines = measure_entities([tmp_path / "all.zip"], tmp_path / "work", count=9, seed=0, workers=1)
    assert "| a sprite | 5 |" in lines
    assert "| mirrored | 1 | 1 |" in lines
    assert "| of one entity | 1 | 1 |" in lines
