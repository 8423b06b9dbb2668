"""The film of a run: whole after every frame, the same after a stop, and a command that makes others of its frames."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pixel_models.spritefiles import read_art
from train import film


def frame(step: int) -> Tensor:
    """A picture that tells its step."""
    picture = torch.zeros(4, 6, 5)
    picture[3, :3] = 1
    picture[0, :3] = step / 255
    return picture


def steps(path: Path) -> list[int]:
    """The steps that the frames of a film tell."""
    return [round(float(one.rgba[0, 0, 0]) * 255) for one in read_art(path).frames]


def test_a_film_is_whole_whenever_a_run_stops(tmp_path: Path) -> None:
    writer = film.FilmWriter(tmp_path, 0)
    for step in range(0, 150, 5):
        writer.add(step, frame(step))
        told = steps(tmp_path / film.FILM)
        assert told == list(range(0, told[-1] + 1, 5))
        assert len(told) >= (step // 5 + 1) / 1.11
    assert not list(tmp_path.rglob("*.partial*"))


def test_a_run_that_goes_on_drops_what_it_makes_again(tmp_path: Path) -> None:
    writer = film.FilmWriter(tmp_path, 0)
    for step in (0, 5, 10, 15):
        writer.add(step, frame(step))
    again = film.FilmWriter(tmp_path, 7)
    assert [int(path.stem) for path in film.frame_paths(tmp_path)] == [0, 5]
    again.add(10, frame(10))
    again.write()
    assert steps(tmp_path / film.FILM) == [0, 5, 10]
    film.FilmWriter(tmp_path, 0)
    assert film.frame_paths(tmp_path) == []


def test_frames_become_another_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = film.FilmWriter(tmp_path, 0)
    for step in range(0, 60, 10):
        writer.add(step, frame(step))
    out = tmp_path / "film.gif"
    film.main([str(tmp_path), "--out", str(out), "--scale", "2", "--every", "2", "--duration", "60"])
    assert capsys.readouterr().out.strip() == str(out)
    made = read_art(out)
    assert [one.duration for one in made.frames] == [60, 60, 60, 600]
    assert made.frames[0].rgba.shape == (4, 12, 10)
    assert steps(out) == [0, 20, 40, 50]
    with pytest.raises(FileNotFoundError, match="--film-every"):
        film.main([str(tmp_path / "nothing"), "--out", str(out)])
    with pytest.raises(SystemExit):
        film.main([str(tmp_path), "--out", str(out), "--every", "0"])


def test_sprites_stand_side_by_side() -> None:
    sprites = torch.ones(5, 4, 3, 3) * torch.arange(1, 6)[:, None, None, None] / 5
    whole = film.grid_frame(sprites, 3)
    assert whole.shape == (4, 7, 11)
    assert whole[:, 3].abs().sum() == 0
    assert whole[0, 5, [1, 5]].tolist() == pytest.approx([0.8, 1.0])
    assert whole[:, 4:, 8:].abs().sum() == 0
    assert film.grid_frame(sprites[:, :3], 5)[3, 0, 0] == 1
