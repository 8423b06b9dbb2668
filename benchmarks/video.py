"""Films to pixel art: how fast, how steady, how true, how soon after a cut, and in how much memory.

The films are made here of the repository's samples, 854x480 at 24 frames a second, with noise, by a real encoder
(H.264): sprites that move over a background that stands still; pans and zooms with cuts between them, a flash, a fade.

Figures of the last line: `fps_480p_classical` and `fps_480p_learned` are frames a second of the whole way (decode,
cells of 6 pixels, a palette made of the film, encode), the best of a few runs, the second with kiln-pixelate on the CPU
and a palette that is given. `flicker_vs_per_frame` is the share of cells that change although nothing of the film
without noise does, against the same method and palette frame by frame; `oklab_vs_per_frame` the mean Oklab distance to
the cells' colours, likewise, the worst of the films; `cut_delay_frames` after how many frames a cut is shown as well as
frame by frame, the worst; `peak_mb_growth` what the peak of memory grows by from a film to one 20 times as long.
"""

from __future__ import annotations

import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import pixel_models  # noqa: E402  the repository is not installed
from pixel_models.palette import Palette  # noqa: E402
from pixel_models.video import FilmOptions, pixelate_film  # noqa: E402
from pixel_models.video.cells import CellMaker, Cells  # noqa: E402
from pixel_models.video.grid import Grid  # noqa: E402
from pixel_models.video.maker import FilmMaker  # noqa: E402
from pixel_models.video.matcher import Matcher  # noqa: E402
from pixel_models.video.palettes import ShotPalette, film_palettes  # noqa: E402
from pixel_models.video.read import FilmReader, Shown  # noqa: E402
from pixel_models.video.scaler import FrameScaler  # noqa: E402
from pixel_models.video.turn import upright_size  # noqa: E402

SIZE = (854, 480)
RATE = 24
CELL = 6
NOISE = 5.0
SHOT = 24
ROUNDS = 3
LEARNED_FRAMES = 10
LONGER = 20
Frame = np.ndarray[Any, np.dtype[np.uint8]]


def picture(name: str, size: tuple[int, int]) -> Frame:
    """A sample that covers `size` (width, height), its middle."""
    with Image.open(ROOT / "samples" / name) as opened:
        image = opened.convert("RGB")
    scale = max(size[0] / image.width, size[1] / image.height)
    image = image.resize(
        (round(image.width * scale + 0.5), round(image.height * scale + 0.5)), Image.Resampling.BICUBIC
    )
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return np.asarray(image.crop((left, top, left + size[0], top + size[1])))


def sprites_on_a_still() -> Iterator[Frame]:
    """Four sprites that walk over a photo: most of every frame is as the one before."""
    ground = picture("photo_astronaut.png", SIZE)
    walkers: list[Frame] = []
    for name in ("sprite_orc.png", "sprite_dragon.png", "sprite_vampire.png"):
        with Image.open(ROOT / "samples" / name) as opened:
            walkers.append(np.asarray(opened.convert("RGBA").resize((128, 128), Image.Resampling.NEAREST)))
    for index in range(3 * SHOT):
        frame = ground.copy()
        for number, walker in enumerate(walkers):
            left, top = (60 + 250 * number + (3 + 2 * number) * index) % (SIZE[0] - 128), 40 + 120 * number
            part = frame[top : top + 128, left : left + 128]
            part[walker[..., 3] > 127] = walker[..., :3][walker[..., 3] > 127]
        yield frame


def shots() -> Iterator[Frame]:
    """Pans and zooms with cuts between them, a flash in the first, and a fade to black and out of it at the end."""
    wide = (SIZE[0] + 200, SIZE[1] + 120)
    for number, name in enumerate(("photo_cat.png", "drawing_house.png", "photo_astronaut.png", "drawing_rooster.png")):
        ground = picture(name, wide)
        for index in range(SHOT):
            if number % 2:
                left, top = 4 * index, 2 * index
                frame = ground[top : top + SIZE[1], left : left + SIZE[0]]
            else:
                width = wide[0] - 8 * index
                height = round(width * SIZE[1] / SIZE[0])
                zoomed = Image.fromarray(ground[: min(height, wide[1]), :width])
                frame = np.asarray(zoomed.resize(SIZE, Image.Resampling.BILINEAR))
            if number == 0 and index == 10:
                frame = np.minimum(frame.astype(np.int16) + 120, 255).astype(np.uint8)
            if number == 3 and index >= SHOT // 2:
                away = abs(index - 3 * SHOT // 4) / (SHOT // 4)
                frame = (frame * away).astype(np.uint8)
            yield frame


def write(path: Path, frames: Sequence[Frame]) -> None:
    """Encode frames with a camera's noise, as films come."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=RATE, options={"crf": "23", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame in frames:
            noise = rng.normal(0, NOISE, (*frame.shape[:2], 1)).astype(np.float32)
            noisy = np.clip(np.round(frame + noise), 0, 255).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(noisy, format="rgb24")):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)


def repeat(source: Path, target: Path, times: int) -> None:
    """A film again and again, without encoding it anew."""
    with av.open(str(target), "w") as out:
        stream: Any = None
        shift = 0
        for _ in range(times):
            with av.open(str(source)) as again:
                video = again.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                ends = 0
                for packet in again.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    ends = max(ends, packet.pts + (packet.duration or 0))
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                    out.mux(packet)
                shift += ends


class Decoded:
    """The cells of a film, and its palette, as `pixelate_film` finds them."""

    def __init__(self, path: Path) -> None:
        options = FilmOptions(cell=CELL)
        with FilmReader(path) as reader:
            first = next(part for part in reader.parts() if isinstance(part, Shown))
            self.maker = CellMaker("sharp", None)
            size = upright_size(first.frame, reader.pixel_shape)
            self.grid = self.maker.grid(lambda samples: Grid.of(size, options, samples))
            scaler = FrameScaler(self.grid, reader)
            self.pictures = [scaler.picture(part.frame) for part in reader.parts() if isinstance(part, Shown)]
            found = film_palettes(reader, options, self.grid, scaler, self.maker, lambda: None)
        self.palette: Palette = found[0].palette
        self.cells: list[Cells] = self.maker.cells(self.pictures, self.grid)

    def entries(self, *, steady: bool) -> list[np.ndarray[Any, Any]]:
        """Every frame's entries, as a film or frame by frame."""
        options = FilmOptions(cell=CELL, steady=steady)
        film = FilmMaker(options, self.grid, self.maker, [ShotPalette(Fraction(0), self.palette)])
        times = [(picture, Fraction(index, RATE), Fraction(1, RATE)) for index, picture in enumerate(self.pictures)]
        return [drawn.entries for drawn in film.make(times)]

    def errors(self, entries: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """Mean Oklab distance of each frame to its cells' colours."""
        matcher = Matcher(self.palette, chroma=1.0, dither="none", strength=0.0)
        away = [
            np.linalg.norm(matcher.oklab(cells.color) - matcher.lab[one], axis=2).mean()
            for cells, one in zip(self.cells, entries, strict=True)
        ]
        return np.array(away)


def still_cells(frames: Sequence[Frame], grid: Grid) -> list[np.ndarray[Any, Any]]:
    """For each frame but the first, the cells in which no pixel differs from the frame before, `h w`."""
    rows, columns = (np.floor(np.arange(count) * side / count).astype(int) for count, side in (
        (grid.height, SIZE[1]), (grid.width, SIZE[0])
    ))  # fmt: skip
    found = []
    for before, after in itertools.pairwise(frames):
        differs = (before != after).any(axis=2).astype(np.int32)
        counts = np.add.reduceat(np.add.reduceat(differs, rows, axis=0), columns, axis=1)
        # A cell's border is shared by its neighbour, and the encoder's blocks reach over it.
        near = np.pad(counts > 0, 1)
        found.append(~(near[1:-1, 1:-1] | near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:]))
    return found


def flicker(entries: Sequence[np.ndarray[Any, Any]], still: Sequence[np.ndarray[Any, Any]]) -> float:
    """Share of the cells where nothing changed whose entry did."""
    changed = sum(int(((a != b) & mask).sum()) for a, b, mask in zip(entries, entries[1:], still, strict=False))
    return changed / sum(int(mask.sum()) for mask in still)


def cut_delay(film: np.ndarray[Any, Any], alone: np.ndarray[Any, Any]) -> int:
    """Frames after a cut until the film's error is at most a tenth over that of frame by frame, the worst."""
    worst = 0
    for cut in range(SHOT, 4 * SHOT, SHOT):
        late = next(index for index in range(cut, len(film)) if film[index] <= 1.1 * alone[index])
        worst = max(worst, late - cut)
    return worst


def speed(source: Path, folder: Path, **options: Any) -> float:  # noqa: ANN401
    """Frames a second of the whole way."""
    began, worked = time.perf_counter(), time.process_time()
    model = options.pop("model", None)
    report = pixelate_film(source, folder / "out.mp4", FilmOptions(cell=CELL, **options), model=model)
    wall, work = (now - then for now, then in ((time.perf_counter(), began), (time.process_time(), worked)))
    print(
        f"{report.frames} frames: {report.frames / wall:.1f} a second, {1000 * work / report.frames:.0f} ms of CPU each"
    )
    return report.frames / wall


def peak_mb(source: Path, folder: Path) -> float:
    """Peak memory of a process that pixelates a film, MB."""
    command = [sys.executable, str(Path(__file__).resolve()), "--peak", str(source), str(folder / "peak.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        still, cuts, long = folder / "still.mp4", folder / "cuts.mp4", folder / "long.mp4"
        frames = list(sprites_on_a_still())
        write(still, frames)
        write(cuts, list(shots()))
        seen = Decoded(still)
        steady, alone = seen.entries(steady=True), seen.entries(steady=False)
        masks = still_cells(frames, seen.grid)
        share, share_alone = flicker(steady, masks), flicker(alone, masks)
        print(f"cells that change where nothing does: {share:.5f} as a film, {share_alone:.5f} frame by frame")
        ratios = [seen.errors(steady).mean() / seen.errors(alone).mean()]
        cut = Decoded(cuts)
        error, error_alone = cut.errors(cut.entries(steady=True)), cut.errors(cut.entries(steady=False))
        ratios.append(error.mean() / error_alone.mean())
        print(f"Oklab error against frame by frame: {ratios[0]:.4f} still, {ratios[1]:.4f} moving")
        runs = [speed(cuts, folder) for _ in range(ROUNDS)]
        moving = [speed(still, folder) for _ in range(ROUNDS)]
        model = pixel_models.load("kiln-pixelate.safetensors")
        learned = speed(still, folder, model=model, palette=cut.palette, end=LEARNED_FRAMES / RATE)
        repeat(cuts, long, LONGER)
        growth = peak_mb(long, folder) - peak_mb(cuts, folder)
        figures = {
            "fps_480p_classical": round(min(max(runs), max(moving)), 1),
            "fps_480p_learned": round(learned, 2),
            "flicker_vs_per_frame": round(share / share_alone, 4),
            "oklab_vs_per_frame": round(float(max(ratios)), 4),
            "cut_delay_frames": cut_delay(error, error_alone),
            "peak_mb_growth": round(growth, 1),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        pixelate_film(Path(sys.argv[2]), Path(sys.argv[3]), FilmOptions(cell=CELL))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    else:
        main()
