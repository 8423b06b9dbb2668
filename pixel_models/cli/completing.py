"""The command behind `pixel-kiln complete`."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from ..codes import CodeGrid, encode
from ..errors import ImageError, PixelModelError
from ..generate import Choice
from ..generate.parts import between, keep_outside, keep_side, keep_some, repeat
from ..generate.sprites import MOST_PIXELS, complete_sprites
from ..image import enlarge, remove_leftovers
from ..palette import Palette
from ..sampling import StepCallback
from ..spritefiles import SAVE_SUFFIXES
from .batch import Tally
from .common import attempt, check_range, note_of
from .done import is_done, make_folder
from .drawing import progress, write_sprites
from .files import read_still
from .jobs import Job, make_plan
from .parse_sampling import TRANSPARENT
from .sampling import Models, check_drawing, labels_of, load_models, palette_for, picture, settings_of

_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class Work:
    """What is done to each sprite."""

    arguments: argparse.Namespace
    models: Models
    labels: list[list[str]]
    count: int
    choice: Choice
    palette: Palette | str
    fill: Tensor | None = None
    """`1 4 h w`: the mask of `--fill`."""

    other: Tensor | None = None
    """`1 4 h w`: the picture of `--between`."""

    def drawn(self, rgba: Tensor, callback: StepCallback) -> Tensor:
        """The results for one sprite.

        Args:
            rgba: `1 4 h w`.
            callback: called after each place.

        Returns:
            `count 4 h w`; pixels that are kept are those of `rgba`.

        Raises:
            PixelModelError: the sprite, or what belongs to it, does not fit.
        """
        if max(rgba.shape[2:]) > MOST_PIXELS:
            told = f"{rgba.shape[3]}x{rgba.shape[2]}"
            msg = f"is {told} pixels, expected at most {MOST_PIXELS} a side; bring it to its own size with `snap`"
            raise ImageError(msg)
        # The masks have a generator of their own, so that what is drawn first does not depend on how many there are.
        dice = torch.Generator().manual_seed(self.arguments.seed)
        masks = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=dice)))
        given, keep, opaque = self._parts(rgba, masks)
        if bool(keep.all()):
            msg = "nothing of it is to be drawn anew; mark a larger part of it, or ask for another action"
            raise ImageError(msg)
        made = complete_sprites(
            self.models.prior,
            self.models.coder,
            given,
            keep,
            dice,
            opaque=opaque,
            labels=self.labels,
            palette=palette_for(self.models, self.palette),
            choice=self.choice,
            callback=callback,
        )
        new = picture(self.models, made)
        if self.other is not None:
            return new  # what is kept there is of two sprites, and known as codes alone
        stays = enlarge(keep, given.patch)[:, None, : given.height, : given.width]
        if self.fill is not None:  # a code of which one pixel is drawn anew is, and yet its others stay
            stays = stays | ~_white(self.fill)
        return torch.where(stays, rgba, new)

    def _parts(self, rgba: Tensor, masks: torch.Generator) -> tuple[CodeGrid, Tensor, Tensor | None]:
        """Codes, which of them stay, and the silhouette, for each result."""
        options = self.arguments
        if self.other is not None:
            return *self._between(rgba, self.other, masks), None
        given = repeat(self._codes(rgba), self.count)
        visible = rgba[:, 3] >= 0.5
        if options.silhouette:
            if not bool(visible.any()):
                msg = "is wholly transparent, so it has no silhouette"
                raise ImageError(msg)
            return given, torch.zeros_like(given.indices, dtype=torch.bool), visible.expand(self.count, -1, -1).clone()
        if options.keep is not None:
            keep = keep_side(given, options.keep, _SHARE if options.share is None else options.share)
        elif options.vary is not None:
            keep = keep_some(given, options.vary, masks)
        elif self.fill is None:  # transparent; a place of which anything shows is the user's own drawing
            keep = ~keep_outside(given, visible)
        else:
            if self.fill.shape != rgba.shape:
                told = (f"{part.shape[3]}x{part.shape[2]}" for part in (self.fill, rgba))
                msg = "the mask of --fill is {} pixels, expected {} as the sprite".format(*told)
                raise ImageError(msg)
            keep = keep_outside(given, _white(self.fill))
        return given, keep, None

    def _between(self, rgba: Tensor, other: Tensor, masks: torch.Generator) -> tuple[CodeGrid, Tensor]:
        place, one, two = self.arguments.place, self._codes(rgba), self._codes(other)
        steps = [(index + 1) / (self.count + 1) for index in range(self.count)]
        pairs = [between(one, two, step if place is None else place, masks) for step in steps]
        indices = torch.cat([codes.indices for codes, _ in pairs])
        return dataclasses.replace(pairs[0][0], indices=indices), torch.cat([keep for _, keep in pairs])

    def _codes(self, rgba: Tensor) -> CodeGrid:
        """Codes as the prior was trained on, which say themselves what is transparent, beside what is so."""
        alpha = (rgba[:, 3:] >= 0.5).float()
        codes = encode(self.models.coder, rgba[:, :3], alpha, keep_alpha=False, nearest="picture")
        return dataclasses.replace(codes, transparent=alpha[:, 0] < 0.5)


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln complete`: the exit status."""
    count, choice, palette = check_drawing(arguments)
    _check(arguments)
    single = Path(arguments.out).suffix.lower() in SAVE_SUFFIXES and not Path(arguments.out).is_dir()
    plan = make_plan(arguments.inputs, arguments.out, moving=single)
    fill, other = (
        None if name in (None, TRANSPARENT) else read_still(Path(name), first_frame=True)
        for name in (arguments.fill, arguments.between)
    )
    models = load_models(arguments)
    work = Work(arguments, models, labels_of(arguments, models), count, choice, palette, fill, other)
    note = note_of("complete", {**settings_of(arguments, models, palette), "count": count, **_action(work)})
    tally = Tally(failed=len(plan.problems))
    sys.stderr.writelines(f"pixel-kiln: {line}\n" for line in (*plan.notes, *plan.problems))
    for folder in {job.target.parent for job in plan.jobs}:
        remove_leftovers(folder)
    try:
        for job in plan.jobs:
            tally.failed += attempt(job.source, functools.partial(_one, job, work, note, tally, single=single))
    finally:
        sys.stderr.write(f"pixel-kiln: {tally}\n")
    return 1 if tally.failed else 0


def _one(job: Job, work: Work, note: str, tally: Tally, *, single: bool) -> Iterator[Path]:
    """Make a file's results, unless they are there."""
    targets = [job.target]
    if not single and work.count > 1:
        name = job.target.with_suffix("").name
        targets = [job.target.with_name(f"{name}_{index:04}.png") for index in range(work.count)]
    needed = [work.arguments.overwrite or not is_done(Job(job.source, target), note) for target in targets]
    if not any(needed):
        tally.skipped += 1
        return
    rgba = read_still(job.source, first_frame=work.arguments.first_frame)
    with progress(job.source.name) as callback:
        made = work.drawn(rgba, callback)
    make_folder(job.target.parent)
    yield from write_sprites(targets, made, note, work.palette, work.arguments.scale)
    tally.written += 1


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options of other actions, and numbers out of range.

    Raises:
        PixelModelError: says which.
    """
    for option, action in (("share", "keep"), ("place", "between")):
        if getattr(arguments, option) is not None and getattr(arguments, action) is None:
            msg = f"--{option} goes with --{action} alone; leave it out"
            raise PixelModelError(msg)
    for option in ("share", "place", "vary"):
        if (value := getattr(arguments, option)) is not None:
            check_range(f"--{option}", value, (0, 1))


def _action(work: Work) -> dict[str, object]:
    """What decides what stays, for the note; pictures by their content."""
    names = ("keep", "share", "silhouette", "vary", "place")
    pictures = {"fill": work.fill, "between": work.other}
    return {
        **{name: getattr(work.arguments, name) for name in names},
        **{name: hashlib.sha256(x.numpy().tobytes()).hexdigest()[:16] for name, x in pictures.items() if x is not None},
    }


def _white(mask: Tensor) -> Tensor:
    """Where a mask `1 4 h w` is white, `1 h w`, bool."""
    return (mask[:, :3].mean(1) >= 0.5) & (mask[:, 3] >= 0.5)
