"""What the commands that draw sprites share, whatever draws: their files, a bar of progress, a model's labels."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ..errors import ImageError
from ..generate.labels import Labelled, labels_by_group
from ..palette import Palette
from ..sampling import StepCallback
from ..sheets import SpriteSheet
from ..spritefiles import ART_SUFFIXES, SAVE_SUFFIXES, write_art
from .common import tell
from .done import NOTE
from .frames import tell_losses

SEED_RANGE = (0, 2**63 - 1)


def tell_labels(config: Labelled) -> int:
    """A group a line, its values after a tab, parted by commas; the exit status."""
    groups = labels_by_group(config)
    for group, values in groups.items():
        tell(group, ", ".join(values))
    if not groups:
        sys.stderr.write("pixel-kiln: this model has no labels\n")
    return 0


def targets_of(out: str, count: int) -> list[Path]:
    """The files that so many sprites become: one, or as many as there are sprites when OUT is a folder.

    Raises:
        ImageError: OUT is a file that loses pixels.
    """
    place = Path(out)
    suffix = place.suffix.lower()
    if place.is_dir() or out.endswith(("/", os.sep)) or suffix not in ART_SUFFIXES:
        return [place / f"sprite_{index:04}.png" for index in range(count)]
    if suffix not in SAVE_SUFFIXES:
        msg = f"{out}: {suffix} loses pixels; expected a name that ends in {' or '.join(SAVE_SUFFIXES)}, or a folder"
        raise ImageError(msg)
    return [place]


def write_sprites(
    targets: Sequence[Path], rgba: Tensor, note: str, palette: Palette | str, scale: int
) -> Iterator[Path]:
    """Write sprites `b 4 h w`: one a target, or all to the only one, as a sheet (.png) or as frames.

    Yields:
        The files.
    """
    colors = palette if isinstance(palette, Palette) else None
    arts: Sequence[Tensor | SpriteSheet] = list(rgba.split(1))
    if len(targets) == 1 and len(rgba) > 1:
        suffix = targets[0].suffix.lower()
        arts = [sheet_of(rgba) if suffix == ".png" else SpriteSheet.of_batch(rgba)]
        if isinstance(arts[0], SpriteSheet) and colors is None:
            tell_losses(arts[0], suffix.removeprefix("."))
    for target, art in zip(targets, arts, strict=True):
        yield from write_art(target, art, scale=scale, palette=colors, text={NOTE: note})


def sheet_of(rgba: Tensor) -> Tensor:
    """Sprites `b 4 h w` on one picture `1 4 H W`, row by row, about as many rows as columns; what is left is clear."""
    count, channels, height, width = rgba.shape
    columns = next(n for n in range(1, count + 1) if n * n >= count)
    rows = -(-count // columns)
    cells = F.pad(rgba, (0, 0, 0, 0, 0, 0, 0, rows * columns - count)).view(rows, columns, channels, height, width)
    return cells.permute(2, 0, 3, 1, 4).reshape(1, channels, rows * height, columns * width)


@contextmanager
def progress(what: str) -> Iterator[StepCallback]:
    """A bar on stderr, where that is a terminal; it is gone when the work is done."""
    with tqdm(desc=what, unit="place", file=sys.stderr, leave=False, disable=not sys.stderr.isatty()) as bar:

        def step(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield step
