"""A film of training, written while a run goes on: a frame for every epoch or so, drawn from the same numbers.

Frames lie in `film/` beside the log, each a whole PNG named by its step. `film.webp` is made of them whenever there
are a tenth more than it holds, and at the end; it is written beside and renamed, so a kill leaves a whole one.

    python -m train.film RUN --out film.gif --scale 2 --duration 60
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from pixel_models.image import check_image
from pixel_models.sheets.core import SpriteSheet
from pixel_models.spritefiles import read_art, write_art

FOLDER, FILM = "film", "film.webp"
"""Names inside a run's folder."""

DURATION = 100
"""Milliseconds that a frame is shown; the last one stays ten times as long."""


@runtime_checkable
class Filmed(Protocol):
    """A recipe that brings a film."""

    @property
    def film_every(self) -> int:
        """Steps from frame to frame; 0: no film."""
        ...

    def film_frame(self, nets: Mapping[str, nn.Module], /) -> Tensor:
        """What the averaged networks make now of numbers that never change: `4 h w`, float32 in [0, 1]."""
        ...


class FilmWriter:
    """Keeps the frames of one run, and the film of them."""

    def __init__(self, out: Path, start: int) -> None:
        """Go on after step `start`: frames of later steps, which will be made again, are removed.

        Args:
            out: the run's folder.
            start: steps that are done; 0 begins a new film.
        """
        self.out, self.folder = out, out / FOLDER
        for path in frame_paths(out):
            if int(path.stem) > start or start == 0:
                path.unlink()
        self._held = len(frame_paths(out)) if (out / FILM).is_file() and start else 0

    def add(self, step: int, frame: Tensor) -> None:
        """Write the frame of a step, `4 h w`, float32 in [0, 1], and now and then the film."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_art(self.folder / f"{step:07d}.png", frame[None])
        if len(frame_paths(self.out)) > 1.1 * self._held:
            self.write()

    def write(self) -> None:
        """Make the film of all frames that there are."""
        paths = frame_paths(self.out)
        if paths:
            write_film(paths, self.out / FILM)
        self._held = len(paths)


def frame_paths(out: Path) -> list[Path]:
    """The frames of a run, in order."""
    return sorted(path for path in (out / FOLDER).glob("*.png") if path.stem.isdigit())


def write_film(frames: Sequence[Path], path: Path, *, scale: int = 1, duration: int = DURATION, every: int = 1) -> Path:
    """Make an animation of pictures of one size.

    Args:
        frames: their files, in order.
        path: where; its ending decides the kind, as `write_art` has it.
        scale: every pixel so many times along both axes.
        duration: milliseconds a frame.
        every: take each so manieth frame alone; the last one always.

    Raises:
        FileNotFoundError: there are no frames.
        ImageError: a frame cannot be read, or the kind of file is not known.
    """
    if not frames:
        msg = "there are no frames; train with --film-every above 0 first"
        raise FileNotFoundError(msg)
    chosen = [*frames[:-1:every], frames[-1]]
    pictures = torch.cat([frame.rgba[None] for path_ in chosen for frame in read_art(path_).frames])
    check_image(pictures, "frames", channels=(4,))
    shown = SpriteSheet.of_batch(pictures, duration=duration).frames
    shown = (*shown[:-1], dataclasses.replace(shown[-1], duration=10 * duration))
    return write_art(path, SpriteSheet(frames=shown), scale=scale, loop=0)[0]


def grid_frame(pictures: Tensor, columns: int, gap: int = 1) -> Tensor:
    """Sprites `n c h w`, RGB or RGB times hard alpha and alpha, side by side: `4 H W`, straight alpha."""
    n, channels, height, width = pictures.shape
    rows = -(-n // columns)
    frame = pictures.new_zeros(4, rows * (height + gap) - gap, columns * (width + gap) - gap)
    for index, picture in enumerate(pictures):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        whole = picture if channels == 4 else torch.cat([picture, torch.ones_like(picture[:1])])
        frame[:, top : top + height, left : left + width] = whole
    return frame.clamp(0, 1)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.film", description="A run's frames as an animation.")
    command.add_argument("run", type=Path, help="folder of a run that has a folder film/")
    command.add_argument("--out", type=Path, required=True, help="the animation: .webp, .apng or .gif")
    command.add_argument("--scale", type=int, default=1, help="every pixel so many times (default 1)")
    command.add_argument("--duration", type=int, default=DURATION, help=f"milliseconds a frame (default {DURATION})")
    command.add_argument("--every", type=int, default=1, help="take each so manieth frame alone (default 1)")
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    if options.every < 1:
        parser().error(f"--every is {options.every}, expected 1 or more")
    made = write_film(
        frame_paths(options.run), options.out, scale=options.scale, duration=options.duration, every=options.every
    )
    print(made, file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
