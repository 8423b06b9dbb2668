"""Films as they come from phones, cameras, broadcasts and broken downloads."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pixel_models.errors import FilmError
from pixel_models.palette import Palette
from pixel_models.spritefiles import read_art
from pixel_models.video import FilmOptions, pixelate_film

av = pytest.importorskip("av")

COLORS = Palette(torch.tensor([(0, 0, 0), (255, 0, 77), (0, 228, 54), (255, 255, 255)], dtype=torch.uint8))
OPTIONS = FilmOptions(cell=4, palette=COLORS)
SIZE = (96, 64)


def picture(index: int, size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """Red left, green right, a white square that moves down by a cell a frame."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[:, : size[0] // 2], pixels[:, size[0] // 2 :] = COLORS.colors[1].numpy(), COLORS.colors[2].numpy()
    pixels[4 * index % size[1] :][:4, :4] = 255
    return pixels


def encode(out: Any, stream: Any, count: int, *, first: int = 0, form: str = "yuv420p", step: int = 40) -> None:  # noqa: ANN401
    """Frames from `first` on, `step` milliseconds each."""
    stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(picture(index, (stream.width, stream.height)), format="rgb24")
        frame = frame.reformat(format=form)
        frame.pts, frame.time_base = first + step * index, Fraction(1, 1000)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def add_picture(
    out: Any,  # noqa: ANN401
    codec: str = "libx264",
    size: tuple[int, int] = SIZE,
    form: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> Any:  # noqa: ANN401
    """A stream of pictures, 25 a second."""
    stream = out.add_stream(codec, rate=25, options=options or {})
    stream.width, stream.height, stream.pix_fmt = *size, form
    return stream


def first_frame(path: Path) -> np.ndarray[Any, Any]:
    """`h w 3` of what was made."""
    return (read_art(path).frames[0].rgba[:3] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def expected(size: tuple[int, int] = SIZE) -> np.ndarray[Any, Any]:
    """The first frame in cells."""
    return picture(0, size)[::4, ::4]


@pytest.mark.parametrize(("name", "codec"), [("h264", "libx264"), ("m4v", "mpeg4"), ("mjpeg", "mjpeg")])
def test_bare_streams_that_tell_no_times_go_at_their_pace(tmp_path: Path, name: str, codec: str) -> None:
    form = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    with av.open(str(tmp_path / f"in.{name}"), "w", format=name) as out:
        stream = add_picture(out, codec, form=form)
        for index in range(6):
            frame = av.VideoFrame.from_ndarray(picture(index, SIZE), format="rgb24").reformat(format=form)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    report = pixelate_film(tmp_path / f"in.{name}", tmp_path / "out.webp", OPTIONS)
    frames = read_art(tmp_path / "out.webp").frames
    assert report.frames == 6
    assert [frame.duration for frame in frames] == [40] * 6
    assert np.array_equal(first_frame(tmp_path / "out.webp"), expected())
    part = FilmOptions(cell=4, palette=COLORS, start=0.08, end=0.2)
    assert pixelate_film(tmp_path / f"in.{name}", tmp_path / "part.webp", part).frames == 3


def test_a_film_that_begins_late_is_not_said_to_be_cut_short(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mkv"), "w") as out:
        encode(out, add_picture(out), 6, first=5000)
    report = pixelate_film(tmp_path / "in.mkv", tmp_path / "out.webp", OPTIONS)
    assert report.frames == 6
    assert report.notes == []


def test_of_several_pictures_the_one_with_frames_is_taken(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mkv"), "w") as out:
        add_picture(out, "mpeg4")
        encode(out, add_picture(out), 5)
    report = pixelate_film(tmp_path / "in.mkv", tmp_path / "out.webp", OPTIONS)
    assert report.frames == 5
    assert np.array_equal(first_frame(tmp_path / "out.webp"), expected())


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mp4"), "w") as out:
        stream = add_picture(out)
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        encode(out, stream, 2)
    assert pixelate_film(tmp_path / "in.mp4", tmp_path / "out.webp", OPTIONS).cells == (32, 16)


@pytest.mark.parametrize("size", [(97, 63), (107, 61)])
def test_odd_sizes_are_covered_to_the_border(tmp_path: Path, size: tuple[int, int]) -> None:
    with av.open(str(tmp_path / "in.mp4"), "w") as out:
        encode(out, add_picture(out, size=size, form="yuv444p"), 2, form="yuv444p")
    report = pixelate_film(tmp_path / "in.mp4", tmp_path / "out.webp", OPTIONS)
    made = first_frame(tmp_path / "out.webp")
    assert report.cells == (round(size[0] / 4), round(size[1] / 4))
    assert made[2:, 0].tolist() == [list(COLORS.colors[1].tolist())] * (report.cells[1] - 2)
    assert made[2:, -1].tolist() == [list(COLORS.colors[2].tolist())] * (report.cells[1] - 2)


@pytest.mark.parametrize(("name", "codec", "form"), [("mov", "qtrle", "argb"), ("webm", "libvpx-vp9", "yuva420p")])
def test_transparency_of_films_is_kept(tmp_path: Path, name: str, codec: str, form: str) -> None:
    options = {} if codec == "qtrle" else {"auto-alt-ref": "0", "crf": "4", "deadline": "realtime", "cpu-used": "8"}
    with av.open(str(tmp_path / f"in.{name}"), "w") as out:
        stream = add_picture(out, codec, form=form, options=options)
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for index in range(3):
            pixels = np.concatenate([picture(index, SIZE), np.full((64, 96, 1), 255, np.uint8)], axis=2)
            pixels[32:] = 0
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=form)
            frame.pts, frame.time_base = 40 * index, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    pixelate_film(tmp_path / f"in.{name}", tmp_path / "out.webp", OPTIONS)
    alpha = read_art(tmp_path / "out.webp").frames[0].rgba[3]
    assert bool((alpha[:8] == 1).all())
    assert bool((alpha[8:] == 0).all())


def test_sound_of_no_named_layout_is_encoded_again(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.avi"), "w") as out:
        stream, tone = add_picture(out, "mpeg4"), out.add_stream("pcm_s16le", rate=48000)
        tone.codec_context.layout = "stereo"
        encode(out, stream, 10)
        for index in range(10):
            wave = av.AudioFrame.from_ndarray(np.full((1, 2048), 900, np.int16), format="s16", layout="stereo")
            wave.sample_rate, wave.pts = 48000, 1024 * index
            out.mux(tone.encode(wave))
    for name in ("out.mp4", "out.webm"):
        pixelate_film(tmp_path / "in.avi", tmp_path / name, OPTIONS)
        with av.open(str(tmp_path / name)) as made:
            assert made.streams.audio[0].codec_context.layout.nb_channels == 2


def test_broken_sound_does_not_cost_the_film(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.ts"), "w") as out:
        stream, tone = add_picture(out, "mpeg2video"), out.add_stream("aac", rate=44100)
        stream.time_base = stream.codec_context.time_base = Fraction(1, 25)
        for index in range(12):
            frame = av.VideoFrame.from_ndarray(picture(index, SIZE), format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        for index in range(20):
            wave = av.AudioFrame.from_ndarray(np.full((1, 1024), 0.1, np.float32), format="fltp", layout="mono")
            wave.sample_rate, wave.pts = 44100, 1024 * index
            out.mux(tone.encode(wave))
        out.mux(tone.encode(None))
    data = bytearray((tmp_path / "in.ts").read_bytes())
    heads = [at for at in range(len(data) - 1) if data[at] == 0xFF and data[at + 1] in (0xF0, 0xF1, 0xF9)]
    for at in heads[4::3]:
        data[at : at + 2] = b"\0\0"
    (tmp_path / "in.ts").write_bytes(data)
    report = pixelate_film(tmp_path / "in.ts", tmp_path / "out.mp4", OPTIONS)
    assert report.frames == 12
    assert "Damaged parts of the sound were left out." in report.notes


def test_sound_that_cannot_be_read_is_left_out_and_said(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.ts"), "w") as out:
        stream, _ = (
            add_picture(out, options={"crf": "1"}),
            out.add_stream("mp2", rate=48000),
        )  # of which the file holds nothing
        encode(out, stream, 60)
    report = pixelate_film(tmp_path / "in.ts", tmp_path / "out.mp4", OPTIONS)
    assert report.notes == ["The sound cannot be read, and is left out."]
    with av.open(str(tmp_path / "out.mp4")) as made:
        assert [stream.type for stream in made.streams] == ["video"]


def _hurt(data: bytes, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    made = bytearray(data)
    for _ in range(8):
        at = int(rng.integers(0, len(made)))
        made[at : at + 32] = rng.bytes(len(made[at : at + 32]))
    return bytes(made)


@pytest.mark.parametrize("name", ["in.mp4", "in.mkv", "in.ts", "in.avi", "in.webm"])
def test_what_was_cut_off_or_hurt_anywhere_is_read_or_refused_by_name(tmp_path: Path, name: str) -> None:
    codec = {"in.ts": "mpeg2video", "in.avi": "mpeg4", "in.webm": "libvpx"}.get(name, "libx264")
    with av.open(
        str(tmp_path / "whole"), "w", format={"in.ts": "mpegts", "in.mkv": "matroska"}.get(name, name[3:])
    ) as out:
        stream = add_picture(out, codec)
        for index in range(12):
            frame = av.VideoFrame.from_ndarray(picture(index, SIZE), format="rgb24").reformat(format="yuv420p")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    data = (tmp_path / "whole").read_bytes()
    (tmp_path / "whole").unlink()
    changes: list[Callable[[], bytes]] = [lambda cut=cut: data[: len(data) * cut // 8 + 1] for cut in range(8)]
    changes += [lambda seed=seed: _hurt(data, seed) for seed in range(8)]
    for change in changes:
        (tmp_path / name).write_bytes(change())
        try:
            made = pixelate_film(tmp_path / name, tmp_path / "out.gif", OPTIONS)
        except FilmError as error:
            assert name in str(error)  # noqa: PT017
            assert [path.name for path in tmp_path.iterdir()] == [name]
        else:
            assert 1 <= made.frames <= 12
            (tmp_path / "out.gif").unlink()
