"""What makes films steady: cells that stay, edges that do not drag, cuts, palettes, frames in memory."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from pixel_models.color import srgb_to_oklab
from pixel_models.downscale import DOWNSCALE_METHODS
from pixel_models.errors import FilmError
from pixel_models.palette import Palette, nearest_indices
from pixel_models.video import FILM_DITHERS, FILM_METHODS, FilmOptions, pixelate_frames
from pixel_models.video.cells import Cells, mean_of, sharp
from pixel_models.video.grid import Grid
from pixel_models.video.matcher import Matcher
from pixel_models.video.options import FilmDither
from pixel_models.video.shots import ShotFinder, ShotSplitter
from pixel_models.video.steady import Steady
from pixel_models.video.yuv import matrix_for, to_yuv

GREYS = Palette(torch.arange(0, 256, 17, dtype=torch.uint8)[:, None].expand(-1, 3))
MIXED = Palette.from_hex("#1a1c2c #5d275d #b13e53 #ef7d57 #ffcd75 #a7f070 #38b764 #257179 #29366f #3b5dc9 #f4f4f4")


def cells_of(values: np.ndarray) -> Cells:
    """Cells of one colour each, `h w 3` in [0, 255]."""
    clipped = np.clip(values, 0, 255).astype(np.float32)
    return Cells(np.round(clipped).astype(np.uint8), clipped, None)


def matcher(palette: Palette = GREYS, dither: FilmDither = "none") -> Matcher:
    """Of a palette, without more weight for hues."""
    return Matcher(palette, chroma=1.0, dither=dither, strength=0.5)


def noisy(base: np.ndarray, count: int, sigma: float) -> list[Cells]:
    """The same picture with other noise in every frame."""
    rng = np.random.default_rng(0)
    return [cells_of(base + rng.normal(0, sigma, base.shape)) for _ in range(count)]


@pytest.mark.parametrize("dither", ["none", "bayer4", "blue_noise"])
def test_noise_does_not_flicker_where_the_film_stands_still(dither: FilmDither) -> None:
    base = np.linspace(10, 240, 40 * 30).reshape(30, 40, 1).repeat(3, 2)
    changes = {}
    for steady in (True, False):
        maker = Steady(matcher(dither=dither), clean=False, steady=steady)
        made = [maker.step(one) for one in noisy(base, 12, 1.5)]
        changes[steady] = np.mean([(a != b).mean() for a, b in itertools.pairwise(made)])
    assert changes[False] > 0.02
    assert changes[True] < 0.2 * changes[False]


def test_what_moves_leaves_no_trail_and_comes_at_once() -> None:
    colors = MIXED.colors.numpy()
    maker = Steady(matcher(MIXED))
    for index in range(12):
        frame = np.full((16, 40, 3), colors[0])
        frame[4:12, 2 * index : 2 * index + 8] = colors[3]
        entries = maker.step(cells_of(frame))
        assert np.array_equal(MIXED.colors.numpy()[entries], frame), index


def test_a_slow_fade_is_followed_in_small_steps() -> None:
    maker, palette = Steady(matcher(), clean=False), GREYS.colors.numpy()[:, 0].astype(int)
    for level in np.arange(20, 220, 0.7):
        entries = maker.step(cells_of(np.full((4, 4, 3), level)))
        # As near as half a step of the palette, and what a change has to be to be seen.
        assert abs(palette[entries] - level).max() <= 8.5 + 9


def test_colours_of_the_palette_map_to_themselves_and_others_to_the_nearest() -> None:
    rng = np.random.default_rng(1)
    color = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    exact = matcher(MIXED)
    rgb = torch.from_numpy(color).permute(2, 0, 1)[None].float() / 255
    assert np.array_equal(exact.nearest(color), nearest_indices(rgb, MIXED)[0].numpy())
    assert exact.nearest(MIXED.colors.numpy()).tolist() == list(range(len(MIXED)))
    stretched = Matcher(MIXED, chroma=2.0, dither="none", strength=0.0)
    alike = stretched.nearest(color) == nearest_indices(rgb, MIXED, chroma=2.0)[0].numpy()
    assert alike.mean() > 0.97
    lab = srgb_to_oklab(rgb)[0].permute(1, 2, 0).numpy()
    assert np.abs(exact.oklab(color) - lab).max() < 1e-4


def test_sharp_takes_the_larger_side_of_an_edge_where_box_would_mix() -> None:
    picture = np.zeros((6, 6, 3), np.uint8)
    picture[:, :2] = (200, 40, 40)
    picture[:, 5] = (90, 90, 90)
    grid = Grid(2, 2, 3, (12, 12))
    mean = mean_of(picture, grid)
    assert mean[0, 0].round().tolist() == [133, 27, 27]
    assert sharp(picture, mean, grid)[:, :].tolist() == [[[200, 40, 40], [0, 0, 0]]] * 2
    flat = (np.full((6, 6, 3), 100) + np.arange(6)[None, :, None]).astype(np.uint8)
    assert np.array_equal(sharp(flat, mean_of(flat, grid), grid), np.round(mean_of(flat, grid)))


def scene(seed: int, shift: int = 0) -> np.ndarray:
    """Means of a picture with its own colours, `36 64 3`, moved by some cells."""
    rng = np.random.default_rng(seed)
    tint = rng.uniform(0.2, 1, 3)
    wide = rng.uniform(0, 255, (9, 40, 1)).repeat(4, 0).repeat(4, 1) * tint
    return wide[:, shift : shift + 64].astype(np.float32)


def test_a_cut_is_found_at_its_frame_and_a_fast_pan_is_none() -> None:
    finder = ShotFinder()
    frames = [scene(1, 3 * index) for index in range(20)] + [scene(2, 3 * index) for index in range(20)]
    assert [index for index, frame in enumerate(frames) if finder.is_cut(frame)] == [20]


def test_a_flash_and_a_fade_part_no_shots_but_black_between_two_does() -> None:
    still = scene(1)
    flash = [still] * 8 + [np.minimum(still + 130, 255)] * 2 + [still] * 8
    splitter = ShotSplitter()
    assert [splitter.add(frame) for frame in flash] == [None] * len(flash)
    assert splitter.end() is None
    splitter = ShotSplitter()
    frames = [still] * 6 + [scene(2)] * 6
    found = [splitter.add(frame) for frame in frames]
    assert [*{one for one in found if one is not None}] == [6]
    splitter = ShotSplitter()
    fade = [still * (1 - step / 10) for step in range(11)] + [scene(2) * (step / 10) for step in range(1, 11)]
    found = [one for one in (splitter.add(frame.astype(np.float32)) for frame in fade) if one is not None]
    assert len(found) == 1
    assert 9 <= found[0] <= 13


def test_a_cut_in_the_last_frames_is_told_at_the_end() -> None:
    splitter = ShotSplitter()
    assert [splitter.add(frame) for frame in [scene(1)] * 6 + [scene(2)]] == [None] * 7
    assert splitter.end() == 6


@pytest.mark.parametrize("method", FILM_METHODS)
def test_frames_in_memory_by_every_method(method: str) -> None:
    assert (method == "sharp") != (method in DOWNSCALE_METHODS)
    frames = MIXED.colors[torch.arange(24).view(4, 6) % 11].permute(2, 0, 1)[None].float() / 255
    frames = frames.repeat_interleave(5, 2).repeat_interleave(5, 3).repeat(2, 1, 1, 1)
    made = pixelate_frames(frames, FilmOptions(cell=5, palette=MIXED, method=method, clean=False))  # type: ignore[arg-type]
    assert [tuple(one.indices.shape) for one in made] == [(1, 4, 6)] * 2
    for one in made:
        assert one.indices[0].tolist() == (torch.arange(24).view(4, 6) % 11).tolist()


@pytest.mark.parametrize("dither", FILM_DITHERS)
def test_a_dither_lies_still(dither: FilmDither) -> None:
    ramp = torch.linspace(0.1, 0.9, 48).expand(3, 32, 48)
    frames = torch.stack([ramp, ramp + 0.002, ramp - 0.002]).clamp(0, 1)
    first, *others = pixelate_frames(frames, FilmOptions(cell=2, palette=GREYS, dither=dither, strength=1.0))
    assert all(torch.equal(first.indices, one.indices) for one in others)
    assert first.palette == GREYS


def test_each_shot_of_a_batch_can_have_its_palette_and_transparency_stays_hard() -> None:
    red, blue = torch.tensor([0.8, 0.1, 0.1]), torch.tensor([0.1, 0.1, 0.8])
    frames = torch.stack([red] * 5 + [blue] * 5)[:, :, None, None].expand(-1, -1, 24, 24).clone()
    frames[:, :, :, 12:] *= 0.5
    alpha = torch.ones(10, 1, 24, 24)
    alpha[:, :, :7] = 0.2
    made = pixelate_frames(frames, FilmOptions(cell=4, colors=2, palette_per="shot"), alpha=alpha)
    assert made[0].palette != made[9].palette
    assert made[4].palette == made[0].palette
    assert made[0].transparent is not None
    assert made[0].transparent[0, :, 0].tolist() == [True, True, False, False, False, False]


def test_the_same_frames_give_the_same_result() -> None:
    frames = torch.rand(4, 3, 30, 40, generator=torch.Generator().manual_seed(3))
    options = FilmOptions(size=(10, 0), colors=5)
    one, two = pixelate_frames(frames, options), pixelate_frames(frames, options)
    assert all(torch.equal(a.indices, b.indices) and a.palette == b.palette for a, b in zip(one, two, strict=True))
    assert one[0].indices.shape == (1, 8, 10)


def test_palettes_come_back_from_video_colours_within_two_levels() -> None:
    rng = np.random.default_rng(0)
    colors = rng.integers(0, 256, (300, 3)).astype(np.uint8)
    for height in (480, 1080):
        matrix = matrix_for(height)
        y, u, v = to_yuv(colors, matrix).astype(np.float64).T
        y, u, v = (y - 16) * 255 / 219, (u - 128) * 255 / 224, (v - 128) * 255 / 224
        red, blue = y + 2 * (1 - matrix.red) * v, y + 2 * (1 - matrix.blue) * u
        green = (y - matrix.red * red - matrix.blue * blue) / (1 - matrix.red - matrix.blue)
        assert np.abs(np.clip(np.stack([red, green, blue], 1), 0, 255) - colors).max() <= 2


def test_options_out_of_range_say_what_is_expected() -> None:
    for options, words in (
        ({}, "give either cell or size"),
        ({"cell": 1}, "cell is 1 pixels, expected 2 to 256"),
        ({"cell": 4, "colors": 1}, "colors is 1, expected 2 to 256"),
        ({"cell": 4, "dither": "atkinson"}, "dither is 'atkinson', expected one of none, bayer2"),
        ({"cell": 4, "fps": 0}, "fps is 0 frames a second"),
        ({"cell": 4, "start": 3.0, "end": 2.0}, "from 3.0 to 2.0 seconds is no part"),
        ({"size": (0, 0)}, "size is 0x0 cells"),
    ):
        with pytest.raises(FilmError, match=words):
            FilmOptions(**options)  # type: ignore[arg-type]
    with pytest.raises(FilmError, match="10x10 cells of a film of 8x8 pixels"):
        Grid.of((8, 8), FilmOptions(size=(10, 0)), 0)
