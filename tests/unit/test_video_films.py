"""Films in and out: times, sound, turned and cut-short files, exact colours, and nothing half-written."""

from __future__ import annotations

import itertools
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pixel_models.errors import FilmError
from pixel_models.palette import Palette
from pixel_models.sheets import read_sheet
from pixel_models.spritefiles import read_art
from pixel_models.video import FilmOptions, FilmPalette, pixelate_film

av = pytest.importorskip("av")

RED, GREEN, WHITE = (255, 0, 77), (0, 228, 54), (255, 255, 255)
COLORS = Palette(torch.tensor([(0, 0, 0), RED, GREEN, WHITE], dtype=torch.uint8))
SIZE = (96, 64)
OPTIONS = FilmOptions(cell=4, palette=COLORS)


def picture(index: int, size: tuple[int, int] = SIZE) -> np.ndarray[Any, Any]:
    """Red above, green below, a white square that moves by two cells a frame: nothing of it is symmetric."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[: size[1] // 2], pixels[size[1] // 2 :] = RED, GREEN
    left = 8 * index % (size[0] - 8)
    pixels[8:16, left : left + 8] = WHITE
    return pixels


def write_film(
    path: Path,
    times: list[int],
    *,
    codec: str = "libx264",
    form: str = "yuv420p",
    sound: str = "",
    turn: int = 0,
    options: dict[str, str] | None = None,
) -> Path:
    """A film whose frames are shown at `times`, milliseconds."""
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream(codec, rate=25, options={"crf": "5", **(options or {})})
        stream.width, stream.height, stream.pix_fmt = *SIZE, form
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        tone: Any = out.add_stream(sound, rate=44100 if sound == "aac" else 48000) if sound else None
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24").reformat(format=form)
            frame.pts, frame.time_base = time, stream.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        for index in range(20 if sound else 0):
            wave = av.AudioFrame.from_ndarray(np.full((1, 1024), 0.1, np.float32), format="fltp", layout="mono")
            wave.sample_rate, wave.pts = tone.rate, 1024 * index
            out.mux(tone.encode(wave))
        if tone:
            out.mux(tone.encode(None))
    if turn:
        path.write_bytes(turned(path.read_bytes(), turn))
    return path


def turned(data: bytes, degrees: int) -> bytes:
    """An MP4 whose picture is to be turned clockwise, as phones note it: by the matrix of its track's header."""
    cosine, sine = round(np.cos(np.radians(degrees))), round(np.sin(np.radians(degrees)))
    whole = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    matrix = (cosine << 16, sine << 16, 0, -sine << 16, cosine << 16, 0, 0, 0, 1 << 30)
    at = data.index(whole, data.index(b"tkhd"))
    return data[:at] + struct.pack(">9i", *matrix) + data[at + len(whole) :]


def frames_of(path: Path) -> tuple[list[int], list[np.ndarray[Any, Any]], list[str]]:
    """Times in milliseconds, RGB frames, and the names of the sounds' codecs."""
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        sounds = [one.codec_context.name.removeprefix("lib") for one in film.streams.audio]
        decoded = list(film.decode(stream))
    times = [round(1000 * frame.pts * stream.time_base) for frame in decoded]
    return times, [frame.to_ndarray(format="rgb24") for frame in decoded], sounds


def cells_of(index: int) -> np.ndarray[Any, Any]:
    """What a frame must be at native size."""
    return picture(index)[::4, ::4]


@pytest.mark.parametrize(("suffix", "sound"), [(".mp4", "aac"), (".mov", "aac"), (".mkv", "aac"), (".webm", "opus")])
def test_every_kind_of_film_keeps_uneven_times_and_sound(tmp_path: Path, suffix: str, sound: str) -> None:
    times = [0, 40, 130, 170, 400]
    source = write_film(tmp_path / "in.mp4", times, sound="aac")
    report = pixelate_film(source, tmp_path / f"out{suffix}", OPTIONS)
    found, frames, sounds = frames_of(tmp_path / f"out{suffix}")
    assert (report.frames, report.cells) == (5, (24, 16))
    assert found == times
    assert sounds == [sound]
    for index, frame in enumerate(frames):
        assert np.abs(frame[1::4, 1::4].astype(int) - cells_of(index)).max() <= 12


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_exact_films_hold_the_palettes_very_colours(tmp_path: Path, suffix: str) -> None:
    source = write_film(tmp_path / "in.mp4", [0, 40, 80])
    pixelate_film(source, tmp_path / f"out{suffix}", OPTIONS, quality="exact", scale=3)
    for index, frame in enumerate(frames_of(tmp_path / f"out{suffix}")[1]):
        assert np.array_equal(frame, cells_of(index).repeat(3, 0).repeat(3, 1))
    with av.open(str(tmp_path / f"out{suffix}")) as film:  # else browsers take RGB for something else
        context = film.streams.video[0].codec_context
        assert (int(context.colorspace), int(context.color_range)) == (0, 2)


@pytest.mark.parametrize("suffix", [".gif", ".apng", ".webp"])
@pytest.mark.parametrize("scale", [1, 3])
def test_animations_come_back_as_they_were_drawn(tmp_path: Path, suffix: str, scale: int) -> None:
    source = write_film(tmp_path / "in.mp4", [0, 40, 130, 170, 400])
    pixelate_film(source, tmp_path / f"out{suffix}", OPTIONS, scale=scale)
    sheet = read_art(tmp_path / f"out{suffix}")
    assert [frame.duration for frame in sheet.frames[:4]] == [40, 90, 40, 230]
    for index, frame in enumerate(sheet.frames):
        made = (frame.rgba[:3] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        assert np.array_equal(made, cells_of(index).repeat(scale, 0).repeat(scale, 1))


def test_a_sheet_and_a_folder_of_frames_hold_pictures_and_times(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mp4", [0, 40, 130])
    paths = pixelate_film(source, tmp_path / "out.png", OPTIONS).paths
    sheet = read_sheet(tmp_path / "out.json")
    assert [path.name for path in paths] == ["out.png", "out.json"]
    assert [frame.duration for frame in sheet.frames[:2]] == [40, 90]
    pixelate_film(source, tmp_path / "frames", OPTIONS)
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert names == [*(f"frame_{index:06}.png" for index in range(3)), "frames.ffconcat"]
    assert frames_of(tmp_path / "frames" / "frame_000001.png")[1][0].shape == (16, 24, 3)
    (tmp_path / "frames" / "mine.txt").write_text("kept")
    with pytest.raises(FilmError, match=r"holds mine\.txt"):
        pixelate_film(source, tmp_path / "frames", OPTIONS)


def test_transparency_of_a_gif_is_kept_through_webm_and_black_in_mp4(tmp_path: Path) -> None:
    from PIL import Image

    drawn = []
    for index in range(3):
        image = Image.new("RGBA", (24, 16))
        image.paste((*RED, 255), (4 * index, 4, 4 * index + 8, 12))
        drawn.append(image)
    drawn[0].save(tmp_path / "in.gif", save_all=True, append_images=drawn[1:], duration=100, disposal=2)
    options = FilmOptions(cell=2, palette=COLORS)
    pixelate_film(tmp_path / "in.gif", tmp_path / "a.webm", options, scale=2)
    for name in ("b.gif", "b.apng", "b.webp"):
        pixelate_film(tmp_path / "a.webm", tmp_path / name, options)
        for index, frame in enumerate(read_art(tmp_path / name).frames):
            expected = torch.zeros(8, 12)
            expected[2:6, 2 * index : 2 * index + 4] = 1
            assert torch.equal(frame.rgba[3], expected), (name, index)
            assert torch.equal(frame.rgba[0], expected)
    report = pixelate_film(tmp_path / "in.gif", tmp_path / "c.mp4", options, scale=2)
    assert any("black" in note for note in report.notes)
    assert np.abs(frames_of(tmp_path / "c.mp4")[1][0][0, 0]).max() <= 4


@pytest.mark.parametrize(("turn", "expected"), [(90, -1), (270, 1), (180, 2)])
def test_a_film_that_was_held_sideways_is_brought_upright(tmp_path: Path, turn: int, expected: int) -> None:
    source = write_film(tmp_path / "in.mp4", [0, 40], turn=turn)
    pixelate_film(source, tmp_path / "out.webp", OPTIONS)
    made = (read_art(tmp_path / "out.webp").frames[0].rgba[:3] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    assert np.array_equal(made, np.rot90(cells_of(0), expected))


@pytest.mark.parametrize("form", ["yuv420p10le", "yuv444p", "gray"])
def test_deep_full_and_grey_films_are_read(tmp_path: Path, form: str) -> None:
    source = write_film(tmp_path / "in.mp4", [0, 40], form=form)
    report = pixelate_film(source, tmp_path / "out.apng", OPTIONS)
    made = (read_art(tmp_path / "out.apng").frames[1].rgba[:3] * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    assert report.frames == 2
    assert np.array_equal((made == 255).all(2), (cells_of(1) == 255).all(2))
    assert form == "gray" or np.array_equal(made, cells_of(1))


def test_frames_of_another_shape_stand_on_black_in_the_middle(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.ts"), "w", format="mpegts") as out:
        stream: Any = out.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        shift = 0
        for size in (SIZE, (64, 64)):
            encoder: Any = av.CodecContext.create("mpeg2video", "w")
            encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
            encoder.time_base, encoder.framerate, encoder.bit_rate = Fraction(1, 25), Fraction(25), 4_000_000
            encoder.max_b_frames = 0
            packets = []
            for index in range(3):
                frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 255, np.uint8), format="rgb24")
                frame = frame.reformat(format="yuv420p")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                packets += encoder.encode(frame)
            for packet in [*packets, *encoder.encode(None)]:
                packet.stream, packet.time_base = stream, Fraction(1, 25)
                packet.pts, packet.dts = (packet.pts or 0) + shift, (packet.dts or 0) + shift
                out.mux(packet)
            shift += 3
    report = pixelate_film(tmp_path / "in.ts", tmp_path / "out.webp", OPTIONS)
    first, *_, last = (frame.rgba[:3] for frame in read_art(tmp_path / "out.webp").frames)
    assert bool((first == 1).all())
    assert bool((last[:, :, 4:20] == 1).all())
    assert bool((last[:, :, :4] == 0).all())
    assert any("change their shape" in note for note in report.notes)


def test_a_part_of_a_film_at_a_lower_pace_begins_at_nothing(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mp4", [40 * index for index in range(20)], sound="aac")
    options = FilmOptions(cell=4, palette=COLORS, start=0.2, end=0.6, fps=12.5)
    report = pixelate_film(source, tmp_path / "out.mp4", options)
    times, frames, sounds = frames_of(tmp_path / "out.mp4")
    assert times == [0, 80, 160, 240, 320]
    assert report.frames == 5
    assert sounds == ["aac"]
    assert np.abs(frames[0][1::4, 1::4].astype(int) - cells_of(5)).max() <= 12
    with pytest.raises(FilmError, match=r"holds no frame that can be shown from 5 s to its end; the film lasts 0\.8"):
        pixelate_film(source, tmp_path / "none.mp4", FilmOptions(cell=4, palette=COLORS, start=5))
    assert not (tmp_path / "none.mp4").exists()


def test_a_film_that_is_cut_short_gives_what_there_is_and_says_so(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", [40 * index for index in range(60)])
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 2 // 3])
    report = pixelate_film(source, tmp_path / "out.mp4", OPTIONS)
    assert 10 < report.frames < 60
    assert any("cut short" in note for note in report.notes)
    whole = write_film(tmp_path / "in.mp4", [0, 40, 80])
    whole.write_bytes(whole.read_bytes()[:-600])
    with pytest.raises(FilmError, match=r"in\.mp4: .*it was cut short"):
        pixelate_film(whole, tmp_path / "no.mp4", OPTIONS)


def test_what_is_no_film_is_refused_by_name(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "text.mp4").write_text("no film at all")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://localhost:9/a.ts\n")
    Image.new("RGB", (8, 8)).save(tmp_path / "still.png")
    with av.open(str(tmp_path / "sound.m4a"), "w", format="mp4") as out:
        tone: Any = out.add_stream("aac", rate=44100)
        wave = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        wave.sample_rate = 44100
        out.mux(tone.encode(wave))
        out.mux(tone.encode(None))
    for name, words in {
        "text.mp4": "is no film",
        "empty.mp4": "the file is empty",
        "list.m3u8": "is no film",
        "still.png": "is a picture, not a film",
        "sound.m4a": "holds no moving picture, only audio",
        "missing.mp4": "there is no such file",
    }.items():
        with pytest.raises(FilmError, match=f"{name}: {words}"):
            pixelate_film(tmp_path / name, tmp_path / "out.mp4", OPTIONS)
    assert not (tmp_path / "out.mp4").exists()


def test_cancelling_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mp4", [40 * index for index in range(8)], sound="aac")

    def stop(step: int, total: int) -> None:
        if step == 5 and total:
            raise KeyboardInterrupt

    for name in ("out.mp4", "out.webm", "out.gif", "out.apng", "out.webp", "out.png", "frames"):
        if "." in name:
            (tmp_path / name).write_bytes(b"old")
        with pytest.raises(KeyboardInterrupt):
            pixelate_film(source, tmp_path / name, OPTIONS, callback=stop)
        left = sorted(path.name for path in tmp_path.iterdir() if path.name not in ("in.mp4", name))
        assert left == [], name
        assert "." not in name or (tmp_path / name).read_bytes() == b"old"
        (tmp_path / name).unlink(missing_ok=True)


def test_a_sheet_refuses_more_frames_than_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pixel_models.video import stills

    monkeypatch.setattr(stills, "MOST_SHEET_PIXELS", 24 * 16 * 3)
    source = write_film(tmp_path / "in.mp4", [40 * index for index in range(8)])
    with pytest.raises(FilmError, match="more than 3 different frames"):
        pixelate_film(source, tmp_path / "out.png", OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_palette_is_made_for_the_film_or_for_each_shot(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "in.mp4"), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25, options={"crf": "5"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for color in itertools.chain([(150, 90, 80)] * 6, [(80, 90, 150)] * 6):
            pixels = np.full((64, 96, 3), color, np.uint8)
            pixels[:, 48:] = np.array(color) // 2
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    found: dict[FilmPalette, int] = {"film": 0, "shot": 0}
    for per in found:
        options = FilmOptions(cell=4, colors=3, palette_per=per)
        report = pixelate_film(tmp_path / "in.mp4", tmp_path / f"{per}.gif", options)
        assert report.cuts == 1
        found[per] = report.colors
        frames = read_art(tmp_path / f"{per}.gif").frames
        assert len({tuple(frame.rgba[:3, 0, 0].tolist()) for frame in frames}) == 2
    assert 2 <= found["film"] <= 3 < found["shot"]
    assert bool((read_art(tmp_path / "shot.gif").frames[0].rgba[0] > 0.2).all())


def test_sound_that_no_container_takes_is_encoded_again(tmp_path: Path) -> None:
    source = write_film(tmp_path / "in.mkv", [40 * index for index in range(10)], sound="libopus")
    assert frames_of(source)[2] == ["opus"]
    report = pixelate_film(source, tmp_path / "out.mov", OPTIONS)
    assert frames_of(tmp_path / "out.mov")[2] == ["aac"]
    assert "encoded again as aac" in report.notes[0]
    assert pixelate_film(source, tmp_path / "mute.mov", OPTIONS, sound=False).notes == []
    assert frames_of(tmp_path / "mute.mov")[2] == []
