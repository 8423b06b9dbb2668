"""`pixel-kiln video`: what it writes, says and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pixel_models.cli import main
from pixel_models.cli.options import dashed
from pixel_models.cli.parse_video import FILM_DITHERS, FILM_METHODS, PALETTE_PER, QUALITIES, seconds
from pixel_models.spritefiles import read_art
from pixel_models.video import options

pytest.importorskip("av")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Four frames of 24x16 pixels, a square that moves."""
    frames = []
    for index in range(4):
        image = Image.new("RGB", (24, 16), (29, 43, 83))
        image.paste((255, 0, 77), (4 * index, 4, 4 * index + 8, 12))
        frames.append(image)
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:], duration=[100, 200, 100, 300])
    return tmp_path / "in.gif"


def test_a_film_is_written_in_the_palette_that_is_named(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = film.parent / "new" / "out.webp"
    assert main(["video", str(film), "-o", str(target), "--cell", "4", "--palette", "pico-8"]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{target}\n"
    assert "4 frames of 6x4 cells, 16 colours, 0 cuts" in shown.err
    sheet = read_art(target)
    assert [frame.duration for frame in sheet.frames] == [100, 200, 100, 300]
    assert (sheet.frames[0].rgba[:3, 1, 0] * 255).round().tolist() == [255, 0, 77]


def test_sizes_parts_and_pace_are_taken(film: Path) -> None:
    target = film.parent / "out.gif"
    arguments = ["--size", "12", "--from", "0:00.1", "--to", "0.4", "--fps", "4", "--colors", "2", "--dither", "bayer2"]
    assert main(["video", str(film), "-o", str(target), *arguments]) == 0
    sheet = read_art(target)
    assert (sheet.frames[0].width, sheet.frames[0].height) == (12, 8)
    assert [frame.duration for frame in sheet.frames] == [300]


def test_nothing_is_replaced_unasked_and_never_the_input(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = film.parent / "out.mp4"
    target.write_bytes(b"mine")
    assert main(["video", str(film), "-o", str(target)]) == 2
    assert main(["video", str(film), "-o", str(film), "--overwrite"]) == 2
    assert target.read_bytes() == b"mine"
    assert "give --overwrite" in capsys.readouterr().err
    assert main(["video", str(film), "-o", str(target), "--overwrite", "--cell", "2"]) == 0
    assert target.read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["-o", "out.avi"], 2, "expected a name that ends in .mp4"),
        (["-o", "out.mp4", "--cell", "1"], 2, "cell is 1 pixels, expected 2 to 256"),
        (["-o", "out.mp4", "--to", "1:60:00:1"], 2, "expected seconds such as 90"),
        (["-o", "out.mp4", "--from", "9"], 1, "holds no frame that can be shown from 9 s"),
        (["-o", "out.mp4", "--scale", "65"], 1, "scale is 65, expected 1 to 64"),
    ],
)
def test_arguments_that_cannot_work_say_why(
    film: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    monkeypatch.chdir(film.parent)
    assert main(["video", str(film), *arguments]) == status
    assert words in capsys.readouterr().err
    assert [path.name for path in film.parent.iterdir()] == ["in.gif"]


def test_ctrl_c_leaves_nothing(film: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pixel_models.video import maker

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(maker.FilmMaker, "make", interrupted)
    assert main(["video", str(film), "-o", str(film.parent / "out.mp4")]) == 130
    assert capsys.readouterr().err.endswith("pixel-kiln: interrupted\n")
    assert [path.name for path in film.parent.iterdir()] == ["in.gif"]


def test_the_shell_offers_what_the_library_has() -> None:
    assert tuple(dashed(name) for name in options.FILM_METHODS) == FILM_METHODS
    assert tuple(dashed(name) for name in options.FILM_DITHERS) == FILM_DITHERS
    assert options.FILM_PALETTES == PALETTE_PER
    assert options.QUALITIES == QUALITIES


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("1:30", 90), ("1:00:02.5", 3602.5), ("2.5", 2.5)])
def test_times_are_read_as_people_write_them(text: str, value: float) -> None:
    assert seconds(text) == value
