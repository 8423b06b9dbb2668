"""GIF, APNG and WebP animations: every pixel of every frame, every millisecond, the loop, the notes."""

from __future__ import annotations

import io
import itertools
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence
from torch import Tensor

from pixel_models.errors import ImageError
from pixel_models.image import from_uint8, to_uint8
from pixel_models.palette import IndexedImage, Palette
from pixel_models.sheets.core import Frame, SpriteSheet
from pixel_models.spritefiles import gif_times, kept, lzw, read_art, read_text, write_art

SUFFIXES = {"gif": ".gif", "apng": ".png", "webp": ".webp"}
KINDS = tuple(SUFFIXES)
NOTES = {"prompt": '{"3": {"größe": 1}}', "workflow": '{"nodes": ["木"]}', "more": "x: y"}

one_frame = pytest.mark.parametrize("kind", KINDS)


def moving(k: int, *, clear: bool, frames: int = 5, height: int = 11, width: int = 14, seed: int = 0) -> IndexedImage:
    """Frames of which each changes a part of the one before, so that colours come, go and stay."""
    dice = torch.Generator().manual_seed(seed)
    colors = torch.randint(0, 256, (k, 3), generator=dice, dtype=torch.uint8)
    indices = torch.randint(0, k, (1, height, width), generator=dice)
    mask = torch.rand(1, height, width, generator=dice) < 0.4
    shown, masks = [indices[0]], [mask[0]]
    for _ in range(frames - 1):
        top, left = (int(torch.randint(0, side, (1,), generator=dice)) for side in (height, width))
        index, hole = shown[-1].clone(), masks[-1].clone()
        part = index[top : top + 5, left : left + 6]
        index[top : top + 5, left : left + 6] = torch.randint(0, k, part.shape, generator=dice)
        hole[top : top + 5, left : left + 6] = torch.rand(part.shape, generator=dice) < 0.5
        shown.append(index)
        masks.append(hole)
    return IndexedImage(torch.stack(shown), Palette(colors), torch.stack(masks) if clear else None)


def with_times(image: IndexedImage, times: list[int]) -> SpriteSheet:
    frames = SpriteSheet.of_batch(image.to_rgba()).frames
    return SpriteSheet(
        frames=tuple(Frame(rgba=f.rgba, name=f.name, duration=time) for f, time in zip(frames, times, strict=True))
    )


def played(path: Path) -> tuple[Tensor, list[float]]:
    """Every frame as Pillow shows it, `f 4 h w`, uint8, 0 where transparent, and the times."""
    pixels: list[Tensor] = []
    times: list[float] = []
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            shown = torch.from_numpy(np.array(frame.convert("RGBA"))).permute(2, 0, 1)
            pixels.append(shown * (shown[3:] > 0))
            times.append(image.info["duration"])
    return torch.stack(pixels), times


@one_frame
@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 15, 16, 17, 255, 256])
def test_every_frame_comes_back_pixel_for_pixel(tmp_path: Path, kind: str, k: int, clear: bool) -> None:
    if kind == "gif" and k == 256 and clear:
        pytest.skip("a GIF holds 255 colours and the transparent one")
    image = moving(k, clear=clear)
    path = tmp_path / f"a{SUFFIXES[kind]}"
    assert write_art(path, image, format=kind, duration=70) == [path]
    assert torch.equal(played(path)[0], to_uint8(image.to_rgba()))
    assert played(path)[1] == [70] * 5
    assert torch.equal(to_uint8(read_art(path).batch()), to_uint8(image.to_rgba()))


@one_frame
@given(
    st.integers(1, 40), st.booleans(), st.integers(2, 6), st.integers(1, 12), st.integers(1, 12), st.integers(0, 10**6)
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_left_of_an_earlier_frame(
    tmp_path: Path, kind: str, k: int, clear: bool, frames: int, height: int, width: int, seed: int
) -> None:
    image = moving(k, clear=clear, frames=frames, height=height, width=width, seed=seed)
    path = tmp_path / f"a{SUFFIXES[kind]}"
    write_art(path, image, format=kind)
    assert torch.equal(played(path)[0], to_uint8(image.to_rgba()))


def test_a_sprite_that_moves_away_leaves_no_ghost_in_a_gif(tmp_path: Path) -> None:
    frames = torch.zeros(8, 4, 8, 8)
    for index in range(8):
        frames[index, :, index, index] = torch.tensor([1, 0.2, 0, 1])
    write_art(tmp_path / "a.gif", frames)
    assert torch.equal(played(tmp_path / "a.gif")[0], to_uint8(frames))
    assert (to_uint8(frames)[:, 3] > 0).sum() == 8


@pytest.mark.parametrize("clear", [False, True])
def test_a_large_gif_is_as_exact_as_a_small_one(tmp_path: Path, clear: bool) -> None:
    image = moving(7, clear=clear, frames=3, height=40, width=50)
    image = IndexedImage(image.indices.flip(1), image.palette, image.transparent).enlarge(8)
    first = IndexedImage(image.indices[:1] * 0, image.palette, None if not clear else image.indices[:1] < 0)
    both = [first, image]
    masks = [one.transparent for one in both if one.transparent is not None]
    film = IndexedImage(
        torch.cat([one.indices for one in both]), image.palette, torch.cat(masks) if len(masks) == 2 else None
    )
    write_art(tmp_path / "a.gif", film)
    assert torch.equal(played(tmp_path / "a.gif")[0], to_uint8(film.to_rgba()))


def composed(data: bytes, size: tuple[int, int]) -> list[np.ndarray]:
    """A GIF played by the letter of its specification, without Pillow: palette indices, -1 where nothing is."""
    flags = data[10]
    at = 13 + ((2 << (flags & 7)) * 3 if flags & 0x80 else 0)
    canvas, shown, clear, dispose = np.full(size[::-1], -1), [], -1, 0
    while data[at] != 0x3B:
        if data[at] == 0x21:
            if data[at + 1] == 0xF9:
                dispose, clear = data[at + 3] >> 2 & 7, data[at + 6] if data[at + 3] & 1 else -1
            at += 2
            while data[at]:
                at += 1 + data[at]
            at += 1
            continue
        left, top, width, height, local = struct.unpack("<HHHHB", data[at + 1 : at + 10])
        assert not local & 0x80  # one palette for all
        bits, at = data[at + 10], at + 11
        stream = b""
        while data[at]:
            stream += data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
        at += 1
        part = np.array(unpacked(stream, bits)).reshape(height, width)
        view = canvas[top : top + height, left : left + width]
        view[part != clear] = part[part != clear]
        shown.append(canvas.copy())
        if dispose == 2:
            view[:] = -1
    return shown


def unpacked(stream: bytes, bits: int) -> list[int]:
    """LZW as the appendix of the specification tells a reader to do it."""
    value, place = int.from_bytes(stream, "little"), 0
    clear, end = 1 << bits, (1 << bits) + 1
    width, table, last, out = bits + 1, dict[int, list[int]](), -1, list[int]()
    while True:
        code = value >> place & (1 << width) - 1
        place += width
        if code == clear:
            table = {index: [index] for index in range(clear)} | {clear: [], end: []}
            width, last = bits + 1, -1
            continue
        if code == end:
            assert len(stream) == (place + 7) // 8
            return out
        entry = table[code] if code in table else [*table[last], table[last][0]]
        if last >= 0 and len(table) < 4096:
            table[len(table)] = [*table[last], entry[0]]
            if len(table) == 1 << width and width < 12:
                width += 1
        out += entry
        last = code


@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("k", [1, 2, 5, 16, 200])
def test_a_gif_is_right_by_the_letter_of_its_specification(tmp_path: Path, k: int, clear: bool) -> None:
    image = moving(k, clear=clear, frames=6)
    write_art(tmp_path / "a.gif", image)
    shown = composed((tmp_path / "a.gif").read_bytes(), (14, 11))
    wanted = image.indices if image.transparent is None else (image.indices + 1).masked_fill(image.transparent, 0)
    assert len(shown) == 6
    for got, frame in zip(shown, wanted.numpy(), strict=True):
        assert np.array_equal(np.maximum(got, 0) if clear else got, frame)


@given(st.integers(2, 8), st.integers(1, 6000), st.integers(0, 99), st.integers(1, 256))
@settings(max_examples=40, deadline=None)
def test_what_is_compressed_for_a_gif_comes_back(bits: int, count: int, seed: int, run: int) -> None:
    values = np.random.default_rng(seed).integers(0, 1 << bits, -(-count // run)).astype(np.uint8)
    data = values.repeat(run)[:count].tobytes()
    assert bytes(unpacked(lzw.compress(data, bits), bits)) == data


@pytest.mark.parametrize("bits", [2, 8])
def test_the_end_is_told_with_as_many_bits_as_a_reader_expects_at_any_length(bits: int) -> None:
    data = np.random.default_rng(bits).integers(0, 1 << bits, 700).astype(np.uint8).tobytes()
    for count in range(1, 700):
        assert bytes(unpacked(lzw.compress(data[:count], bits), bits)) == data[:count]


# --- times and loops ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["apng", "webp"])
def test_times_are_exact(tmp_path: Path, kind: str) -> None:
    times = [1, 17, 33, 100, 999, 1001, 65535, 65536 if kind == "webp" else 70_000]
    path = tmp_path / f"a{SUFFIXES[kind]}"
    write_art(path, with_times(moving(4, clear=True, frames=8), times), format=kind)
    assert [frame.duration for frame in read_art(path).frames] == times
    assert played(path)[1] == pytest.approx(times)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30))
@settings(max_examples=200, deadline=None)
def test_gif_times_drift_by_no_more_than_5_ms_unless_frames_are_too_short(times: list[int]) -> None:
    rounded = gif_times(times)
    assert min(rounded) >= 1
    starts = [0, *itertools.accumulate(times)]
    shown = [0, *(10 * time for time in itertools.accumulate(rounded))]
    if min(times) >= 10:
        assert all(abs(a - b) <= 5 for a, b in zip(starts, shown, strict=True))
    assert gif_times([10 * time for time in rounded]) == rounded  # what can be told exactly is


def test_a_gifs_whole_time_is_right_where_no_frames_is(tmp_path: Path) -> None:
    write_art(tmp_path / "a.gif", with_times(moving(4, clear=True, frames=6), [33, 33, 34, 33, 33, 34]))
    times = [frame.duration for frame in read_art(tmp_path / "a.gif").frames]
    assert times == [30, 40, 30, 30, 40, 30]
    assert sum(times) == 200


@one_frame
def test_frames_that_are_the_same_keep_their_times(tmp_path: Path, kind: str) -> None:
    image = moving(4, clear=True, frames=3)
    order = [0, 0, 0, 1, 1, 2, 0, 0]
    assert image.transparent is not None
    again = IndexedImage(image.indices[order], image.palette, image.transparent[order])
    times = [50, 120, 30, 80, 90, 100, 60, 70]
    path = tmp_path / f"a{SUFFIXES[kind]}"
    write_art(path, with_times(again, times), format=kind)
    assert [frame.duration for frame in read_art(path).frames] == times
    assert torch.equal(played(path)[0], to_uint8(again.to_rgba()))


@one_frame
def test_a_time_of_nought_is_read_as_browsers_show_it(tmp_path: Path, kind: str) -> None:
    frames = [Image.new("RGB", (3, 3), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / f"a{SUFFIXES[kind]}", save_all=True, append_images=frames[1:], duration=0)
    assert [frame.duration for frame in read_art(tmp_path / f"a{SUFFIXES[kind]}").frames] == [100, 100]


@one_frame
@pytest.mark.parametrize("loop", [0, 1, 2, 7])
def test_it_plays_as_often_as_it_should(tmp_path: Path, kind: str, loop: int) -> None:
    path = tmp_path / f"a{SUFFIXES[kind]}"
    write_art(path, moving(3, clear=True), format=kind, loop=loop)
    with Image.open(path) as image:
        # a GIF says how often it plays again, or nothing at all
        told = {0: 0, 1: None}.get(loop, loop - 1) if kind == "gif" else loop
        assert image.info.get("loop") == told


@pytest.mark.parametrize(("kind", "longest"), [("gif", 655350), ("apng", 65535), ("webp", 2**24 - 1)])
def test_a_frame_that_is_shown_for_too_long_is_refused(tmp_path: Path, kind: str, longest: int) -> None:
    path = tmp_path / f"a{SUFFIXES[kind]}"
    write_art(path, moving(3, clear=True), format=kind, duration=longest)
    assert read_art(path).frames[0].duration == longest
    with pytest.raises(ImageError, match=r"ms; .* holds"):
        write_art(path, moving(3, clear=True), format=kind, duration=longest + 8)


# --- sizes, palettes, colours -------------------------------------------------------------------------------


@one_frame
def test_small_frames_stand_at_the_middle_of_the_bottom(tmp_path: Path, kind: str) -> None:
    red = torch.tensor([1.0, 0, 0, 1]).view(4, 1, 1)
    frames = (
        Frame(rgba=red.expand(4, 2, 2), name="small"),
        Frame(rgba=red.expand(4, 6, 5), name="large"),
        Frame(rgba=red.expand(4, 3, 7), name="wide"),
    )
    path = tmp_path / f"a{SUFFIXES[kind]}"
    write_art(path, SpriteSheet(frames=frames), format=kind)
    alpha = read_art(path).batch()[:, 3]
    wanted = torch.zeros(3, 6, 7)
    wanted[0, 4:, 2:4] = 1
    wanted[1, :, 1:6] = 1
    wanted[2, 3:] = 1
    assert torch.equal(alpha, wanted)


@one_frame
def test_every_pixel_is_enlarged_as_a_square(tmp_path: Path, kind: str) -> None:
    image = moving(5, clear=True)
    path = tmp_path / f"a{SUFFIXES[kind]}"
    write_art(path, image, format=kind, scale=3)
    assert torch.equal(played(path)[0], to_uint8(image.enlarge(3).to_rgba()))


@pytest.mark.parametrize("kind", ["gif", "apng"])
def test_all_frames_share_one_palette_in_its_order(tmp_path: Path, kind: str) -> None:
    image = moving(6, clear=True)
    path = tmp_path / f"a{SUFFIXES[kind]}"
    write_art(path, image, format=kind)
    data = path.read_bytes()
    assert data.count(bytes(3) + image.palette.colors.numpy().tobytes()) == 1
    if kind == "apng":
        assert data[24:26] == bytes((4, 3))  # 4 bits, indexed
        assert data.count(b"PLTE") == 1


def test_a_gif_of_many_colours_and_soft_edges_gets_one_palette_and_hard_edges(tmp_path: Path) -> None:
    dice = torch.Generator().manual_seed(1)
    rgba = torch.rand(3, 4, 24, 24, generator=dice)
    write_art(tmp_path / "a.gif", rgba)
    shown, _ = played(tmp_path / "a.gif")
    assert set(shown[:, 3].unique().tolist()) == {0, 255}
    assert torch.equal(shown[:, 3] > 0, to_uint8(rgba)[:, 3] >= 128)
    opaque = shown.permute(0, 2, 3, 1)[shown[:, 3] > 0]
    assert 200 < len(opaque.unique(dim=0)) <= 255
    error = (opaque[:, :3].float() - to_uint8(rgba).permute(0, 2, 3, 1)[shown[:, 3] > 0][:, :3].float()).abs().mean()
    assert error < 20
    assert len(composed((tmp_path / "a.gif").read_bytes(), (24, 24))) == 3  # asserts that there are no local palettes


@pytest.mark.parametrize("kind", ["apng", "webp"])
def test_many_colours_and_soft_edges_are_kept_where_they_can(tmp_path: Path, kind: str) -> None:
    dice = torch.Generator().manual_seed(1)
    rgba = torch.randint(0, 256, (3, 4, 24, 24), generator=dice, dtype=torch.uint8)
    rgba[1, :, 3:] = rgba[0, :, 3:]  # only a part changes
    rgba = rgba * (rgba[:, 3:] > 0)
    path = tmp_path / f"a{SUFFIXES[kind]}"
    write_art(path, from_uint8(rgba), format=kind)
    assert torch.equal(played(path)[0], rgba)


def test_what_changes_little_takes_little_room(tmp_path: Path) -> None:
    dice = torch.Generator().manual_seed(0)
    still = torch.randint(0, 2, (1, 4, 64, 64), generator=dice, dtype=torch.uint8) * 255
    still[:, 3] = 255
    frames = still.repeat(20, 1, 1, 1)
    for index in range(20):
        frames[index, :3, index, index] ^= 255
    for kind, suffix in SUFFIXES.items():
        write_art(tmp_path / f"one{suffix}", from_uint8(frames[:1]), format=kind)
        write_art(tmp_path / f"all{suffix}", from_uint8(frames), format=kind)
        one, every = ((tmp_path / f"{name}{suffix}").stat().st_size for name in ("one", "all"))
        assert every < 3 * one


# --- notes --------------------------------------------------------------------------------------------------


@one_frame
@pytest.mark.parametrize("frames", [1, 3])
def test_notes_come_back(tmp_path: Path, kind: str, frames: int) -> None:
    path = tmp_path / f"a{SUFFIXES[kind]}"
    image = moving(3, clear=True, frames=frames)
    write_art(path, image, format=kind, text=NOTES)
    assert read_text(path) == NOTES
    assert torch.equal(played(path)[0] if frames > 1 else to_uint8(read_art(path).batch()), to_uint8(image.to_rgba()))
    write_art(path, image, format=kind)
    assert read_text(path) == {}


def test_a_webp_bears_its_notes_where_comfyui_puts_them(tmp_path: Path) -> None:
    notes = {key: json.dumps(value) for key, value in {"prompt": {"1": 2}, "workflow": {"ö": 1}, "other": []}.items()}
    write_art(tmp_path / "a.webp", moving(3, clear=True), text=notes)
    with Image.open(tmp_path / "a.webp") as image:
        exif = image.getexif()
        told = {0x0110: "prompt", 0x010F: "workflow", 0x010E: "other"}
        assert {tag: exif[tag] for tag in told} == {tag: f"{key}:{notes[key]}" for tag, key in told.items()}
    # and as ComfyUI itself writes it, with Pillow
    exif = Image.Exif()
    exif[0x0110], exif[0x010F] = f"prompt:{notes['prompt']}", f"workflow:{notes['workflow']}"
    Image.new("RGB", (4, 4)).save(tmp_path / "b.webp", exif=exif)
    assert read_text(tmp_path / "b.webp") == {key: notes[key] for key in ("prompt", "workflow")}


def test_comments_of_other_programs_are_read_whole(tmp_path: Path) -> None:
    frames = [Image.new("P", (3, 3), index) for index in (0, 1)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], comment="made by hand " * 50)
    assert read_text(tmp_path / "a.gif") == {"comment": "made by hand " * 50}
    frames[0].save(tmp_path / "b.gif", comment="[" * 100_000)
    assert read_text(tmp_path / "b.gif") == {"comment": "[" * 100_000}


def test_a_kind_without_notes_says_so(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "a.bmp")
    with pytest.raises(ImageError, match=r"a\.bmp: bears no notes"):
        read_text(tmp_path / "a.bmp")


def test_what_a_format_will_not_hold_is_said() -> None:
    exact = with_times(moving(4, clear=True, frames=2), [100, 50])
    assert [kept(exact, kind) for kind in ("gif", "apng", "webp", "aseprite")] == [[], [], [], []]
    assert "no times" in kept(exact, "png")[0]
    assert "205 ms in all become 210 ms" in kept(with_times(moving(4, clear=True, frames=2), [102, 103]), "gif")[0]
    assert any(
        "15 ms for 100 ms" in note for note in kept(with_times(moving(4, clear=True, frames=2), [15, 15]), "webp")
    )
    soft = " ".join(kept(torch.rand(1, 4, 20, 20), "gif"))
    assert "half-opaque" in soft
    assert "256 colours" in soft


@one_frame
def test_what_other_programs_write_is_read_as_pillow_shows_it(tmp_path: Path, kind: str) -> None:
    image = moving(12, clear=True, frames=4)
    frames = [Image.fromarray(pixels.permute(1, 2, 0).numpy()) for pixels in to_uint8(image.to_rgba())]
    path = tmp_path / f"a{SUFFIXES[kind]}"
    how: dict[str, Any] = {"disposal": 2} if kind == "gif" else {"lossless": True}
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[40, 60, 80, 100], **how)
    back = read_art(path)
    assert [frame.name for frame in back.frames] == ["a_0", "a_1", "a_2", "a_3"]
    assert [frame.duration for frame in back.frames] == [40, 60, 80, 100]
    assert torch.equal(to_uint8(back.batch()), to_uint8(image.to_rgba()))


def test_a_first_picture_outside_of_the_animation_is_no_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (3, 3), color) for color in ("red", "blue", "white")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:], duration=50, default_image=True)
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    back = read_art(tmp_path / "a.png")
    assert to_uint8(back.batch())[:, :3, 0, 0].tolist() == [[0, 0, 255], [255, 255, 255]]
