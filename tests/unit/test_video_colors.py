"""Colours of films: wide ones and high dynamic range in sRGB, ranges and matrices, tagged or not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixel_models.video.grid import Grid
from pixel_models.video.options import FilmOptions
from pixel_models.video.read import FilmReader, Shown
from pixel_models.video.scaler import FrameScaler
from pixel_models.video.srgb import HLG, PQ, is_beyond, to_srgb

av = pytest.importorskip("av")

Array = np.ndarray[Any, Any]

GREYS = [(0, 0, 0), (0.02, 0.02, 0.02), (0.18, 0.18, 0.18), (0.4, 0.4, 0.4)]
PATCHES = np.array([*GREYS, (0.4, 0, 0), (0, 0.4, 0), (0, 0, 0.4), (0.35, 0.2, 0.1), (0.1, 0.3, 0.4)])
"""Linear light, 1 = paper white: up to 0.4 a film of high dynamic range is shown as it is."""

# ITU-R BT.2087-0: linear BT.709 to linear BT.2020.
TO_BT2020 = np.array([(0.6274, 0.3293, 0.0433), (0.0691, 0.9195, 0.0114), (0.0164, 0.0880, 0.8956)])
# SMPTE EG 432-1's primaries (Display P3), from BT.709.
TO_P3 = np.array([(0.8225, 0.1774, 0.0), (0.0332, 0.9669, 0.0), (0.0171, 0.0724, 0.9108)])
WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 9: (0.2627, 0.0593)}


def srgb(light: Array) -> Array:
    """In [0, 1]."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def pq(light: Array) -> Array:
    """BT.2100's inverse EOTF; paper white is lit with 203 cd/m² (BT.2408)."""
    root = np.clip(203 * light / 10000, 0, 1) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * root) / (1 + 2392 / 128 * root)) ** (2523 / 32)


def hlg(light: Array) -> Array:
    """BT.2100's inverse OOTF for a screen of 1000 cd/m², then its OETF."""
    shown = 0.203 * light
    luminance = np.maximum(shown @ [0.2627, 0.678, 0.0593], 1e-9)[..., None]
    scene = shown * luminance ** (1 / 1.2 - 1)
    bent = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * np.maximum(scene, 0)), bent)


def write_patches(path: Path, signal: Array, form: str, matrix: int, *, full: bool = False, tags: Any = ()) -> Path:  # noqa: ANN401
    """A lossless film of one frame, patches 16 pixels wide; `tags` are matrix, range, curve and primaries."""
    red, blue = WEIGHTS[matrix]
    depth = 10 if "10" in form else 8
    y = signal @ [red, 1 - red - blue, blue]
    planes = [y, (signal[:, 2] - y) / (2 * (1 - blue)), (signal[:, 0] - y) / (2 * (1 - red))]
    most = 2**depth - 1
    spans = (
        ((most, 0), (most, most / 2 + 0.5))
        if full
        else ((219 << depth - 8, 16 << depth - 8), (224 << depth - 8, 128 << depth - 8))
    )
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 16 * len(signal), 16, form
        context = stream.codec_context
        frame: Any = av.VideoFrame(stream.width, 16, form)
        if tags:
            context.colorspace, context.color_range, context.color_trc, context.color_primaries = tags
            frame.colorspace, frame.color_range = tags[:2]
        for plane, values, (span, zero) in zip(frame.planes, planes, (spans[0], *spans[1:] * 2), strict=True):
            rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
            line = np.clip(np.round(values * span + zero), 0, most).astype(np.uint16 if depth > 8 else np.uint8)
            wide = line.repeat(plane.width // len(signal)).view(np.uint8)
            rows[:, : len(wide)] = wide
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def seen(path: Path) -> Array:
    """The colour that each patch is given, `n 3`."""
    with FilmReader(path) as reader:
        frame = next(part for part in reader.parts() if isinstance(part, Shown)).frame
        grid = Grid.of((frame.width, frame.height), FilmOptions(cell=16), 1)
        scaler = FrameScaler(grid, reader)
        pixels = scaler.picture(frame)
        assert scaler.notes == []
        return pixels[0].astype(int)


@pytest.mark.parametrize("curve", [PQ, HLG])
@pytest.mark.parametrize("form", ["yuv420p10le", "yuv444p10le"])
def test_high_dynamic_range_shows_a_scene_as_a_plain_film_does(tmp_path: Path, curve: int, form: str) -> None:
    signal = (pq if curve == PQ else hlg)(PATCHES @ TO_BT2020.T)
    path = write_patches(tmp_path / "a.mkv", signal, form, 9, tags=(9, 1, curve, 9))
    assert np.abs(seen(path) - 255 * srgb(PATCHES)).max() <= 6
    grey = seen(path)[: len(GREYS)]
    assert np.ptp(grey, axis=1).max() <= 1


def test_wide_colours_of_plain_films_are_not_washed_out(tmp_path: Path) -> None:
    for name, matrix, primaries in (("p3", TO_P3, 12), ("bt2020", TO_BT2020, 9)):
        signal = srgb(PATCHES @ matrix.T)
        path = write_patches(tmp_path / f"{name}.mkv", signal, "yuv444p10le", 1, tags=(1, 1, 1, primaries))
        assert np.abs(seen(path) - 255 * srgb(PATCHES)).max() <= 3, name


@pytest.mark.parametrize(
    ("matrix", "full", "tags"),
    [
        (5, False, ()),
        (5, False, (6, 1, 6, 6)),
        (1, False, (1, 1, 1, 1)),
        (1, True, (1, 2, 1, 1)),
        (5, True, (5, 2, 2, 2)),
    ],
)
def test_ranges_and_matrices_are_those_that_the_film_says(
    tmp_path: Path, matrix: int, full: bool, tags: tuple[int, ...]
) -> None:
    patches = np.concatenate([PATCHES, np.eye(3), np.ones((1, 3))])
    path = write_patches(tmp_path / "a.mkv", srgb(patches), "yuv444p", matrix, full=full, tags=tags)
    found = seen(path)
    assert np.abs(found - 255 * srgb(patches)).max() <= 2
    assert found[-1].tolist() == [255, 255, 255]


def test_levels_that_the_standards_name_come_out_as_they_say() -> None:
    def level(signal: float, curve: int, primaries: int = 9) -> list[int]:
        return to_srgb(np.full((1, 1, 3), round(65535 * signal), np.uint16), curve, primaries)[0, 0].tolist()

    # BT.2408: paper white is 58 % of PQ and 75 % of HLG; BT.2390 bends 203 cd/m² of 1000 to 157, for white of 203.
    bent = round(255 * float(srgb(np.array(157 / 203))))
    for curve, paper in ((PQ, 0.5807), (HLG, 0.75)):
        assert level(paper, curve) == pytest.approx([bent] * 3, abs=2)
        assert level(0.0, curve) == [0, 0, 0]
    # 1000 cd/m² is 75.2 % of PQ and all of HLG; nothing is lighter.
    assert level(0.7518, PQ) == level(1.0, PQ) == level(1.0, HLG) == [255, 255, 255]
    # 10 cd/m² lies below the bend: 4.9 % of white.
    assert level(0.3, PQ) == pytest.approx([round(255 * float(srgb(np.array(10.0 / 203))))] * 3, abs=2)
    rising = [level(step / 50, PQ)[0] for step in range(51)]
    assert rising == sorted(rising)


def test_a_light_that_is_bent_keeps_its_hue() -> None:
    signal = pq(np.array([[[2.0, 1.0, 0.5]]]) @ TO_BT2020.T)
    shown = to_srgb(np.round(65535 * signal).astype(np.uint16), PQ, 9)[0, 0] / 255
    light = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    assert light / light[0] == pytest.approx([1, 0.5, 0.25], abs=0.02)


def test_plain_films_are_left_alone() -> None:
    assert not is_beyond(1, 1)
    assert not is_beyond(6, 6)
    assert not is_beyond(0, 0)
    assert is_beyond(HLG, 0)
    assert is_beyond(1, 12)
