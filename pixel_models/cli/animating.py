"""The command behind `pixel-kiln animate`."""

from __future__ import annotations

import argparse
import dataclasses
import functools
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from ..animation import (
    AMPLITUDE_RANGE,
    DURATION_RANGE,
    FRAMES_RANGE,
    MOST_SKINS,
    Motion,
    animate,
    cycle_colors,
    dedupe_frames,
    index_in_order,
    onion_skins,
    parse_cycles,
    parts_from_colors,
)
from ..errors import ImageError, PixelModelError
from ..image import enlarge, remove_leftovers, write_png
from ..palette import find_palette, index_exactly
from ..sheets import Frame, SpriteSheet, format_metadata, metadata_suffix, pack_sheet, write_sheet
from ..spritefiles import write_art
from .batch import Tally
from .beside import BESIDE, check_beside, fingerprint
from .common import ENLARGE_RANGE, attempt, check_range, note_of, split_alpha
from .done import NOTE, is_done, make_folder
from .files import count_art, read_file, read_still
from .frames import tell_losses
from .jobs import Job, make_plan
from .parse_animate import ANIMATED, box
from .saving import LOOP_RANGE

MOST_IN_A_ROW = 16
"""Frames of a sheet that is one strip; more become a grid."""


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln animate`: the exit status."""
    _check(arguments)
    out = Path(arguments.out)
    single = out.suffix.lower() in ANIMATED and not out.is_dir()
    plan = make_plan(arguments.inputs, arguments.out, moving=single)
    eyes = _eyes(arguments.eyes)
    parts = None if arguments.parts is None else read_still(Path(arguments.parts), first_frame=True)[0]
    if not single:
        plan.jobs = [Job(job.source, job.target.with_suffix(f".{arguments.kind}")) for job in plan.jobs]
    note = note_of("animate", _settings(arguments, eyes, parts))
    tally = Tally(failed=len(plan.problems))
    sys.stderr.writelines(f"pixel-kiln: {line}\n" for line in (*plan.notes, *plan.problems))
    for folder in {job.target.parent for job in plan.jobs}:
        remove_leftovers(folder)
    work = functools.partial(_one, arguments=arguments, eyes=eyes, parts=parts, note=note, tally=tally)
    try:
        for job in plan.jobs:
            tally.failed += attempt(job.source, functools.partial(work, job))
    finally:
        sys.stderr.write(f"pixel-kiln: {tally}\n")
    return 1 if tally.failed else 0


def _one(
    job: Job,
    *,
    arguments: argparse.Namespace,
    eyes: Tensor | tuple[int, ...] | None,
    parts: Tensor | None,
    note: str,
    tally: Tally,
) -> Iterator[Path]:
    """Make one file, and what belongs beside it, unless all of that is there."""
    suffix = job.target.suffix.lower()
    around: int | None = arguments.onion
    skins = None if around is None else job.target.with_name(f"{job.target.stem}_onion.png")
    targets = [job.target] if skins is None else [job.target, skins]
    # metadata holds no note: it belongs to its picture, and is made with it
    beside = job.target.with_suffix(metadata_suffix(arguments.format)) if suffix == ".png" else None
    done = [not arguments.overwrite and is_done(Job(job.source, target), note) for target in targets]
    if all(done) and (beside is None or beside.is_file()):
        tally.skipped += 1
        return
    if beside is not None and not arguments.overwrite:
        check_beside(job.target, beside)
    sheet = _frames(job.source, arguments, eyes, parts)
    if arguments.tag is not None:
        sheet = SpriteSheet(
            frames=tuple(dataclasses.replace(frame, tag=arguments.tag) for frame in sheet.frames), loop=sheet.loop
        )
    if arguments.dedupe is not None:
        deduped = dedupe_frames(sheet, arguments.dedupe)
        sheet = deduped.sheet
        sys.stderr.writelines(f"pixel-kiln: {job.source}: {line}\n" for line in deduped.report())
    if arguments.loop is not None:
        sheet = SpriteSheet(frames=sheet.frames, loop=arguments.loop)
    make_folder(job.target.parent)
    yield from _write(job.target, sheet, arguments, note)
    if skins is not None and around is not None:
        seen = SpriteSheet.of_batch(onion_skins(sheet, before=around, after=around))
        picture = pack_sheet(seen, layout="row" if len(seen) <= MOST_IN_A_ROW else "grid", padding=1).picture
        assert picture is not None
        write_png(skins, enlarge(picture[None], arguments.scale), {NOTE: note})
        yield skins
    tally.written += 1


def _frames(
    source: Path, arguments: argparse.Namespace, eyes: Tensor | tuple[int, ...] | None, parts: Tensor | None
) -> SpriteSheet:
    """The animation of a file."""
    motion: Motion | None = arguments.motion
    if motion is None and arguments.cycle is None:
        art = read_file(source).unplaced()
        if arguments.duration is None:
            return art
        frames = tuple(dataclasses.replace(frame, duration=arguments.duration) for frame in art.frames)
        return SpriteSheet(frames=frames, loop=art.loop)
    if count_art(source) > 1 and not arguments.first_frame:
        msg = f"is an animation of {count_art(source)} frames; give --first-frame to move the first"
        raise ImageError(msg)
    rgba = read_still(source, first_frame=True)
    if arguments.cycle is not None:
        palette = None if arguments.palette is None else find_palette(arguments.palette)
        picture = index_exactly(*split_alpha(rgba)) if palette is None else index_in_order(rgba, palette)
        return cycle_colors(picture, parse_cycles(",".join(arguments.cycle)), name=source.stem)
    assert motion is not None
    return animate(
        rgba,
        motion,
        amplitude=arguments.amplitude,
        frames=arguments.frames,
        duration=arguments.duration,
        easing=arguments.easing,
        eyes=eyes,
        parts=None if parts is None else parts_from_colors(parts, (rgba.shape[2], rgba.shape[3])),
        view=arguments.view,
        name=source.stem,
    )


def _write(target: Path, sheet: SpriteSheet, arguments: argparse.Namespace, note: str) -> list[Path]:
    text = {NOTE: note}
    if target.suffix.lower() != ".png":
        own = arguments.tag is None and (arguments.motion or arguments.cycle)  # a tag that nobody asked for is no loss
        told = tuple(dataclasses.replace(frame, tag="") for frame in sheet.frames) if own else sheet.frames
        tell_losses(SpriteSheet(frames=told, loop=sheet.loop), target.suffix.lower().removeprefix("."))
        return write_art(target, sheet, scale=arguments.scale, text=text)
    frames = tuple(_larger(frame, arguments.scale) for frame in sheet.frames)
    packed = pack_sheet(
        SpriteSheet(frames=frames, loop=sheet.loop), layout="row" if len(frames) <= MOST_IN_A_ROW else "grid"
    )
    text[BESIDE] = fingerprint(format_metadata(packed, arguments.format, target.name).encode())
    return write_sheet(target, packed, arguments.format, overwrite=True, text=text)  # foreign files were refused before


def _larger(frame: Frame, scale: int) -> Frame:
    pivot = None if frame.pivot is None else (frame.pivot[0] * scale, frame.pivot[1] * scale)
    return dataclasses.replace(frame, rgba=enlarge(frame.rgba, scale), pivot=pivot)


def _check(arguments: argparse.Namespace) -> None:
    """Refuse numbers out of range, and options of another motion.

    Raises:
        PixelModelError: says which.
    """
    ranges = {
        "amplitude": AMPLITUDE_RANGE,
        "frames": FRAMES_RANGE,
        "duration": DURATION_RANGE,
        "dedupe": (0, 1),
        "onion": (0, MOST_SKINS),
        "loop": LOOP_RANGE,
        "scale": ENLARGE_RANGE,
    }
    for option, limits in ranges.items():
        if (value := getattr(arguments, option)) is not None:
            check_range(f"--{option}", value, limits)
    if arguments.palette is not None and arguments.cycle is None:
        msg = "--palette goes with --cycle alone; leave it out"
        raise PixelModelError(msg)
    if arguments.cycle is not None:
        parse_cycles(",".join(arguments.cycle))
    for option, motions in {
        "eyes": ("blink", "bob", "squash", "hop"),
        "parts": ("walk",),
        **dict.fromkeys(("amplitude", "frames", "easing"), (arguments.motion or "",)),
    }.items():
        if getattr(arguments, option) is not None and (arguments.motion is None or arguments.motion not in motions):
            known = f"--motion {' or '.join(motions)}" if motions != ("",) else "--motion"
            msg = f"--{option} goes with {known} alone; leave it out"
            raise PixelModelError(msg)


def _eyes(given: str | None) -> Tensor | tuple[int, int, int, int] | None:
    """A box, or where a picture is white: `h w`, bool."""
    if given is None:
        return None
    if (where := box(given)) is not None:
        return where
    rgba = read_still(Path(given), first_frame=True)[0]
    return (rgba[:3].mean(0) >= 0.5) & (rgba[3] >= 0.5)


def _settings(
    arguments: argparse.Namespace, eyes: Tensor | tuple[int, ...] | None, parts: Tensor | None
) -> dict[str, object]:
    """What decides what a file holds; pictures by their content."""
    names = ("motion", "cycle", "amplitude", "frames", "duration", "easing", "view", "tag", "dedupe", "onion", "loop")
    kept: dict[str, object] = {"palette": find_palette(arguments.palette).to_hex() if arguments.palette else None}
    kept |= {name: getattr(arguments, name) for name in (*names, "format", "scale")}
    for name, value in (("eyes", eyes), ("parts", parts)):
        kept[name] = hashlib.sha256(value.numpy().tobytes()).hexdigest()[:16] if isinstance(value, Tensor) else value
    return kept
