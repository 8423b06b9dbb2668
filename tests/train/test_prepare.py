"""`python -m train.prepare --find`: sheets, animations and odd sprites to a set; what is refused, and why."""

from __future__ import annotations

import csv
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from pixel_models.sheets import SpriteSheet, pack_sheet, write_sheet
from pixel_models.spritefiles import write_art
from train import prepare
from train.pictures import read_picture_set
from train.prepare.finding import MORE_COLUMNS

Pixels = NDArray[np.uint8]


def draw(seed: int, side: int = 16) -> Pixels:
    """A creature of five colours, its outline irregular, no two seeds alike."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    radius = np.hypot(x, y) + rng.uniform(-1, 1, (side, side))
    pixels = np.zeros((side, side, 4), np.uint8)
    colors = rng.integers(30, 225, (4, 3))
    pixels[radius < side / 2 - 1, :3] = (20, 12, 28)
    body = radius < side / 2 - 2.5
    pixels[body, :3] = colors[rng.integers(0, 4, int(body.sum()))]
    pixels[radius < side / 2 - 1, 3] = 255
    return pixels


def lay(sprites: list[Pixels], columns: int, cell: int) -> Pixels:
    rows = -(-len(sprites) // columns)
    sheet = np.zeros((rows * cell, columns * cell, 4), np.uint8)
    for index, sprite in enumerate(sprites):
        top, left = index // columns * cell, index % columns * cell
        sheet[top : top + sprite.shape[0], left : left + sprite.shape[1]] = sprite
    return sheet


def crop(pixels: Pixels) -> Pixels:
    rows, columns = ((pixels[..., 3] > 0).any(axis=axis).nonzero()[0] for axis in (1, 0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def save(path: Path, pixels: Pixels, times: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.repeat(times, 0).repeat(times, 1)).save(path)
    return path


def frames_of(sprites: list[Pixels]) -> torch.Tensor:
    return torch.from_numpy(np.stack(sprites)).permute(0, 3, 1, 2).float() / 255


def run(source: Path, out: Path, *more: str) -> list[dict[str, str]]:
    prepare.main([str(source), "-o", str(out), "--find", "sprites", "--workers", "1", *more])
    with (out / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def pixels_of(out: Path, row: dict[str, str]) -> Pixels:
    return np.asarray(Image.open(out / row["path"]).convert("RGBA"))


def test_a_sheet_a_strip_a_gif_and_an_enlarged_sprite_become_their_frames(tmp_path: Path) -> None:
    source, sprites = tmp_path / "in", [draw(seed) for seed in range(22)]
    save(source / "monsters" / "sheet.png", lay(sprites[:12], 4, 20), times=3)
    save(source / "strip.png", lay(sprites[12:16], 4, 16))
    save(source / "large.png", sprites[16], times=8)
    (source / "hero").mkdir()
    write_art(source / "hero" / "walk.gif", frames_of(sprites[17:21]))
    out = tmp_path / "set"
    rows = run(source, out)
    made = {pixels_of(out, row)[..., :].shape + tuple(crop(pixels_of(out, row)).tobytes()) for row in rows}
    wanted = {side + tuple(crop(s).tobytes()) for s in sprites[:12] for side in [(20, 20, 4)]}
    wanted |= {(16, 16, 4, *crop(s).tobytes()) for s in sprites[12:21]}
    assert made == wanted
    assert {row["label"] for row in rows} == {"monsters", "hero", ""}
    assert len({row["group_id"] for row in rows if row["label"] == "hero"}) == 1
    assert {row["cell"] for row in rows if row["label"] == "monsters"} == {"3"}
    assert tuple(rows[0]) == (*prepare.COLUMNS, *MORE_COLUMNS)
    in_train = sum(row["split"] == "train" for row in rows)
    assert in_train == 0 or len(read_picture_set(out)) == in_train


def test_doubles_are_dropped_however_they_are_disguised(tmp_path: Path) -> None:
    source, one, other = tmp_path / "in", draw(0), draw(1)
    save(source / "a.png", one)
    save(source / "b_mirrored.png", one[:, ::-1])
    save(
        source / "c_recoloured.png",
        np.concatenate([one[..., [2, 0, 1]] // 2 + 9, one[..., 3:]], 2) * (one[..., 3:] > 0),
    )
    save(source / "d_shifted.png", np.pad(one, ((3, 0), (0, 5), (0, 0))))
    near = one.copy()
    near[8, 8, :3] = (255, 0, 255)
    save(source / "e_near.png", near)
    save(source / "f.png", other)
    rows = run(source, tmp_path / "set")
    assert [(row["file"], row["stands_for"]) for row in sorted(rows, key=lambda r: r["file"])] == [
        ("in/a.png", "4"),
        ("in/f.png", "0"),
    ]
    kept = run(source, tmp_path / "kept", "--keep", "mirrored", "recoloured", "near")
    groups = {row["file"][3]: row["group_id"] for row in kept}
    assert set(groups) == set("abcef")
    assert groups["a"] == groups["b"] == groups["c"] == groups["e"] != groups["f"]


@pytest.mark.slow
def test_the_same_files_make_the_same_set_whatever_the_number_of_workers(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for seed in range(18):
        save(source / f"{seed}.png", draw(seed), times=1 + seed % 3)
    one, two = tmp_path / "one", tmp_path / "two"
    run(source, one)
    prepare.main([str(source), "-o", str(two), "--find", "sprites", "--workers", "2"])
    for path in sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file()):
        assert (one / path).read_bytes() == (two / path).read_bytes()


def test_files_added_later_move_nothing_between_splits(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "set"
    for seed in range(30):
        save(source / f"m{seed}.png", draw(seed))
    before = {row["sha256"]: (row["split"], row["group_id"]) for row in run(source, out)}
    for seed in range(30, 40):
        save(source / f"a{seed}.png", draw(seed))
    save(source / "0.png", draw(3)[:, ::-1])  # comes first by name, and still is the double
    after = {row["sha256"]: (row["split"], row["group_id"]) for row in run(source, out)}
    assert len(after) == 40
    assert before.items() <= after.items()
    fresh = {row["sha256"]: row["split"] for row in run(source, tmp_path / "fresh")}
    shared = before.keys() & fresh.keys()
    assert len(shared) >= 29
    assert all(fresh[key] == before[key][0] for key in shared)


def test_metadata_beside_a_sheet_says_where_its_frames_are(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    sprites = [draw(seed, 12 + seed) for seed in range(5)]
    packed = pack_sheet(
        SpriteSheet(
            frames=tuple(
                f
                for index, s in enumerate(sprites)
                for f in SpriteSheet.of_batch(frames_of([s]), name=f"it{index}").frames
            )
        )
    )
    write_sheet(source / "atlas.png", packed, "texturepacker")
    rows = run(source, tmp_path / "set")
    assert sorted(row["frame"] for row in rows) == [f"it{index}" for index in range(5)]
    made = {crop(pixels_of(tmp_path / "set", row)).tobytes() for row in rows}
    assert made == {crop(sprite).tobytes() for sprite in sprites}


def test_licence_author_and_label_come_from_what_lies_beside(tmp_path: Path) -> None:
    source = tmp_path / "in"
    save(source / "pack" / "goblins" / "png" / "a.png", draw(0))
    save(source / "pack" / "b.png", draw(1))
    save(source / "c.png", draw(2))
    (source / "pack" / "LICENSE.txt").write_text("Artist: Ann Example\nCreative Commons Attribution, CC-BY 4.0\n")
    (source / "pack" / "credits.csv").write_text("filename,authors,licenses\nb.png,Bob,OGA-BY 3.0\n")
    rows = run(source, tmp_path / "set", "--author", "nobody known", "--licence", "CC0-1.0", "--label", "thing")
    said = {Path(row["file"]).stem: (row["label"], row["author"], row["licence"]) for row in rows}
    assert said["a"] == ("goblins", "Ann Example", "CC-BY-4.0")
    assert said["b"] == ("pack", "Bob", "OGA-BY 3.0")
    assert said["c"] == ("thing", "nobody known", "CC0-1.0")
    left = run(source, tmp_path / "less", "--exclude-licence", "BY")
    assert [Path(row["file"]).stem for row in left] == ["c"]


def test_photos_are_set_aside_and_are_what_is_wanted_with_find_pictures(tmp_path: Path) -> None:
    source, rng = tmp_path / "in", np.random.default_rng(0)
    y, x = np.mgrid[:150, :170] / 150
    waves = [np.sin(x * rng.uniform(3, 30) + y * rng.uniform(-30, 30) + rng.uniform(0, 6)) for _ in range(36)]
    shade = np.stack([sum(waves[part::3]) for part in range(3)], axis=2) * 22 + 128
    photo = (shade + rng.normal(0, 3, shade.shape)).clip(0, 255).astype(np.uint8)
    source.mkdir()
    Image.fromarray(photo).save(source / "photo.jpg", quality=92)
    save(source / "sprite.png", draw(0), times=6)
    assert [row["file"] for row in run(source, tmp_path / "b")] == ["in/sprite.png"]
    assert "photo.jpg" in (tmp_path / "b" / "report.html").read_text(encoding="utf-8")
    prepare.main([str(source), "-o", str(tmp_path / "a"), "--find", "pictures", "--workers", "1"])
    with (tmp_path / "a" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        assert [(r["file"], r["cell"]) for r in csv.DictReader(file)] == [("in/photo.jpg", "1")]


def test_damaged_and_hostile_files_are_refused_by_name_and_the_rest_is_kept(tmp_path: Path) -> None:
    inside = tmp_path / "files"
    good = save(inside / "good.png", draw(0))
    (inside / "empty.png").write_bytes(b"")
    (inside / "short.png").write_bytes(good.read_bytes()[:60])
    (inside / "text.png").write_text("<script>alert(1)</script>")
    save(inside / "clear.png", np.zeros((16, 16, 4), np.uint8))
    save(inside / "flat.png", np.full((16, 16, 4), 255, np.uint8))
    (inside / "art.psd").write_bytes(b"8BPS")
    Image.fromarray(draw(1)[..., :3]).convert("CMYK").save(inside / "cmyk.tif")
    Image.fromarray(np.arange(256, dtype=np.uint16).reshape(16, 16) * 250).save(inside / "deep.png")
    Image.fromarray(draw(2)).quantize(16).save(inside / "palette.png")
    archive = tmp_path / "in.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(inside.iterdir()):
            file.write(path, path.name)
        file.writestr("bomb.png", bytes(2**26 + 1))
        file.writestr("../../outside.png", good.read_bytes())
    rows = run(archive, tmp_path / "deep" / "set")
    files = {row["file"] for row in rows}
    assert {"in/cmyk.tif", "in/palette.png"} <= files
    assert files & {"in/good.png", "in/outside.png"}
    page = (tmp_path / "deep" / "set" / "report.html").read_text(encoding="utf-8")
    for name in ("empty.png", "short.png", "text.png", "clear.png", "flat.png", "bomb.png", "art.psd"):
        assert f"in/{name}" not in files
        assert f"in/{name}" in page
    assert "<script" not in page
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "files", "in.zip"]
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["set"]


def test_nothing_of_use_is_said_and_the_set_that_stood_there_stays(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "set"
    save(source / "a.png", draw(0))
    run(source, out)
    shutil.rmtree(source)
    (source / "sub").mkdir(parents=True)
    (source / "a.png").write_bytes(b"no picture")
    with pytest.raises(FileNotFoundError, match="is of use"):
        run(source, out)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "set"]
    assert len(list(csv.DictReader((out / "manifest.csv").open(encoding="utf-8")))) == 1
    with pytest.raises(ValueError, match="--layout pokedex"):
        run(source, out, "--layout", "pokedex")
