"""Bad and odd input, file by file: the right result where it is legal, else a clear error and nothing half-written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pixel_models
from pixel_models.cli import main
from pixel_models.depixelate import depixelate
from pixel_models.errors import ImageError, PixelModelError, ShapeError
from pixel_models.image import MAX_PIXELS, count_frames, read_frames, read_rgba, write_png
from pixel_models.palette import extract_palette, nearest_indices
from pixel_models.pixelate import pixelate

ROOT = Path(__file__).resolve().parents[2]


def pixels(height: int = 16, width: int = 16, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def run(source: Path, out: Path, *more: str) -> int:
    return main(["pixelate", str(source), "-o", str(out / "made.png"), *more])


def save_animation(path: Path, frames: int) -> None:
    images = [Image.new("RGB", (16, 16), (index * 40, 0, 90)) for index in range(frames)]
    images[0].save(path, save_all=True, append_images=images[1:], duration=40)


# --- files that are no pictures --------------------------------------------------------------------------


def make_empty(path: Path) -> None:
    path.write_bytes(b"")


def make_text(path: Path) -> None:
    path.write_text("this is not a picture")


def make_truncated(path: Path) -> None:
    Image.fromarray(pixels(64, 64)).save(path)
    path.write_bytes(path.read_bytes()[:2000])


def make_header_only(path: Path) -> None:
    Image.fromarray(pixels(64, 64)).save(path)
    path.write_bytes(path.read_bytes()[:20])


def make_bomb(path: Path) -> None:
    """A header that claims far more pixels than the file holds."""
    Image.fromarray(pixels(4, 4)).save(path, "BMP")
    data = bytearray(path.read_bytes())
    data[18:26] = (60000).to_bytes(4, "little") * 2
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("empty.png", make_empty, "empty (0 bytes)"),
        ("text.png", make_text, "is no picture"),
        ("text.jpg", make_text, "is no picture"),
        ("cut.png", make_truncated, "cut short"),
        ("cut.jpg", make_truncated, "cut short"),
        ("cut.bmp", make_truncated, "cut short"),
        ("cut.tif", make_truncated, "cut short"),
        ("cut.webp", make_truncated, "cut short"),
        ("header.png", make_header_only, ""),
        ("bomb.bmp", make_bomb, str(MAX_PIXELS)),
        ("missing.png", lambda _: None, "no such file"),
    ],
)
def test_a_file_that_is_no_whole_picture_is_refused_by_name(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    make: Callable[[Path], None],
    message: str,
) -> None:
    make(tmp_path / name)
    with pytest.raises(ImageError) as caught:
        read_rgba(tmp_path / name)
    assert name in str(caught.value)
    assert message in str(caught.value)
    with pytest.raises(ImageError):
        read_frames(tmp_path / name)
    assert run(tmp_path / name, tmp_path / "out") == 1
    err = capsys.readouterr().err
    assert name in err
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"folder|cannot be read"):
        read_rgba(tmp_path)


def test_float_pixels_of_unknown_range_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 4), np.float32) * 300).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match=r"a\.tif: holds 32-bit float"):
        read_rgba(tmp_path / "a.tif")


def test_32_bit_greys_beyond_16_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 70000, np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(ImageError, match=r"a\.tif: holds grey values"):
        read_rgba(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_an_animation_is_refused_with_its_frame_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    source = tmp_path / f"walk{suffix}"
    save_animation(source, 5)
    assert count_frames(source) == 5
    assert run(source, tmp_path / "out") == 1
    assert "animation of 5 frames" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert run(source, tmp_path / "out", "--first-frame") == 0
    assert read_rgba(tmp_path / "out/made.png").shape == (1, 4, 2, 2)


# --- odd, but legal --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 4000), (4000, 1), (3, 5), (17, 31)])
@pytest.mark.parametrize("cell", [2, 8, 32])
def test_any_size_of_picture_works(tmp_path: Path, width: int, height: int, cell: int) -> None:
    Image.fromarray(pixels(height, width)).save(tmp_path / "a.png")
    assert run(tmp_path / "a.png", tmp_path / "out", "--cell", str(cell)) == 0
    assert read_rgba(tmp_path / "out/made.png").shape == (1, 4, -(-height // cell), -(-width // cell))


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 4000), (500, 2)])
def test_any_size_of_picture_fits_a_target_size(tmp_path: Path, width: int, height: int, fit: str) -> None:
    Image.fromarray(pixels(height, width)).save(tmp_path / "a.png")
    assert run(tmp_path / "a.png", tmp_path / "out", "--size", "12x9", "--fit", fit) == 0
    assert read_rgba(tmp_path / "out/made.png").shape == (1, 4, 9, 12)


def save_16_bit(path: Path) -> None:
    Image.fromarray((np.arange(1024, dtype=np.uint16) * 64).reshape(32, 32)).save(path)


def save_cmyk(path: Path) -> None:
    Image.fromarray(pixels(32, 32, 4)).convert("RGB").convert("CMYK").save(path)


def save_palette(path: Path) -> None:
    Image.fromarray(pixels(32, 32)).quantize(8).save(path)


def save_clear_palette(path: Path) -> None:
    Image.fromarray(pixels(32, 32)).quantize(8).save(path, transparency=3)


def save_bilevel(path: Path) -> None:
    Image.fromarray(pixels(32, 32)).convert("1").save(path)


def save_clear(path: Path) -> None:
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(path)


def save_flat(path: Path) -> None:
    Image.new("RGB", (32, 32), (12, 200, 90)).save(path)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("deep.png", save_16_bit),
        ("deep.tif", save_16_bit),
        ("cmyk.jpg", save_cmyk),
        ("cmyk.tif", save_cmyk),
        ("palette.png", save_palette),
        ("palette.gif", save_palette),
        ("clear_palette.png", save_clear_palette),
        ("bilevel.png", save_bilevel),
        ("clear.png", save_clear),
        ("flat.bmp", save_flat),
    ],
)
def test_every_legal_kind_of_picture_is_pixelated_and_depixelated(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    make(tmp_path / name)
    assert run(tmp_path / name, tmp_path / "out") == 0
    assert read_rgba(tmp_path / "out/made.png").shape == (1, 4, 4, 4)
    assert main(["depixelate", str(tmp_path / name), "-o", str(tmp_path / "smooth.png"), "--scale", "2"]) == 0
    assert read_rgba(tmp_path / "smooth.png").shape == (1, 4, 64, 64)


def test_a_picture_with_nothing_in_it_stays_empty(tmp_path: Path) -> None:
    save_clear(tmp_path / "a.png")
    assert run(tmp_path / "a.png", tmp_path / "out") == 0
    assert read_rgba(tmp_path / "out/made.png")[0, 3].max() == 0


# --- tensors ---------------------------------------------------------------------------------------------

BAD_TENSORS = [
    (torch.full((1, 3, 8, 8), float("nan")), ImageError, "NaN"),
    (torch.full((1, 3, 8, 8), float("inf")), ImageError, "infinite"),
    (torch.zeros(1, 3, 0, 8), ImageError, "at least one"),
    (torch.zeros(0, 3, 8, 8), ImageError, "at least one"),
    (torch.full((1, 3, 8, 8), 255.0), ImageError, "divide"),
    (torch.zeros(1, 8, 8, 3), ShapeError, "b 3 h w"),
    (torch.zeros(3, 8, 8), ShapeError, "b 3 h w"),
]


@pytest.mark.parametrize(("picture", "error", "message"), BAD_TENSORS)
def test_every_call_refuses_a_bad_tensor(picture: torch.Tensor, error: type[PixelModelError], message: str) -> None:
    with pytest.raises(error, match=message):
        pixelate(pixel_models.load("kiln-pixelate.safetensors"), picture, cell=4)
    with pytest.raises(error, match=message):
        depixelate(pixel_models.load("kiln-depixelate.safetensors"), picture)
    with pytest.raises(error, match=message):
        extract_palette(picture, 4)
    with pytest.raises(error, match=message):
        nearest_indices(picture, extract_palette(torch.zeros(1, 3, 2, 2), 1))


@pytest.mark.parametrize(("picture", "error", "message"), BAD_TENSORS)
def test_a_bad_tensor_is_not_written(
    tmp_path: Path, picture: torch.Tensor, error: type[PixelModelError], message: str
) -> None:
    with pytest.raises(error, match=message.replace("b 3 h w", "b 3 or 4 h w")):
        write_png(tmp_path / "a.png", picture)
    assert not list(tmp_path.iterdir())


# --- places that cannot be written -----------------------------------------------------------------------


def test_a_path_below_a_file_is_refused_and_the_file_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(pixels()).save(tmp_path / "a.png")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ImageError, match="not a folder"):
        write_png(tmp_path / "file" / "b.png", torch.zeros(1, 3, 2, 2))
    assert main(["pixelate", str(tmp_path / "a.png"), "-o", str(tmp_path / "file" / "b.png")]) == 1
    assert "cannot be made" in capsys.readouterr().err
    assert main(["pixelate", str(tmp_path / "a.png"), "-o", f"{tmp_path / 'file'}{os.sep}"]) == 1
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "file"]


def test_a_missing_folder_is_not_made_silently(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist; make it first"):
        write_png(tmp_path / "no" / "a.png", torch.zeros(1, 3, 2, 2))
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_place_of_the_output_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ImageError, match="is a folder"):
        write_png(tmp_path / "a.png", torch.zeros(1, 3, 2, 2))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that refuses even root")
def test_a_file_system_that_cannot_be_written_is_told() -> None:
    with pytest.raises(ImageError, match=r"/proc/self/a\.png: "):
        write_png("/proc/self/a.png", torch.zeros(1, 3, 2, 2))


@pytest.mark.skipif(os.name == "nt", reason="file size limits")
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys, torch; from pixel_models.image import write_png\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "try: write_png(sys.argv[1], torch.rand(1, 3, 64, 64))\n"
        "except ValueError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.png")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "a.png: cannot be written (File too large)" in run.stdout
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be written"):
        write_png(tmp_path / ("a" * 300 + ".png"), torch.zeros(1, 3, 2, 2))
    assert not list(tmp_path.iterdir())
