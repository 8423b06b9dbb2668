"""The commands behind `pixel-kiln vq`."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from .. import load
from ..checkpoint import LoadedModel
from ..codes import (
    CODES_SUFFIXES,
    CodeGrid,
    clear_codes,
    code_map,
    code_sheet,
    decode,
    encode,
    load_codes,
    nearest_codes,
    recolor_codes,
    save_codes,
    swap_codes,
)
from ..errors import CodesError, ImageError
from ..hub import find_weights
from ..image import enlarge, write_png
from ..palette import IndexedImage, find_palette
from ..registry import SHIPPED
from ..sampling import StepCallback
from ..sheets import SpriteSheet
from ..spec import Purpose
from ..spritefiles import SAVE_SUFFIXES, write_art
from .batch import Make
from .common import ENLARGE_RANGE, attempt, check_range, index_if_few, join_alpha, note_of, run_files, split_alpha
from .done import claim
from .files import read_file, read_still, stack
from .jobs import gather


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln vq ACTION`: the exit status."""
    return {"encode": _encode, "decode": _decode, "swap": _swap, "recolor": _recolor}[arguments.action](arguments)


def _encode(arguments: argparse.Namespace) -> int:
    found = gather(arguments.inputs, arguments.out)
    target = Path(arguments.out)
    if target.suffix.lower() not in CODES_SUFFIXES:
        msg = f"{target}: codes are written as {' or '.join(CODES_SUFFIXES)}; choose such a name"
        raise CodesError(msg)

    def work() -> Iterator[Path]:
        sources = [source for source, _ in found]
        extra = [Path(name) for name in (arguments.map, arguments.codebook) if name]
        for path in (target, *extra):
            claim(path, sources, overwrite=arguments.overwrite)
        model = _load(arguments)
        pictures = [stack(read_file(source)) for source in sources]
        sizes = {tuple(picture.shape[-2:]) for picture in pictures}
        if len(sizes) > 1:
            told = ", ".join(f"{width}x{height}" for height, width in sorted(sizes))
            msg = f"the pictures have several sizes ({told}), expected one; encode those of one size together"
            raise ImageError(msg)
        codes = _codes(model, torch.cat(pictures), arguments, keep_alpha=arguments.keep_alpha)
        save_codes(target, codes)
        yield target
        if arguments.map:
            yield _picture(Path(arguments.map), enlarge(code_map(model, codes), codes.patch), None)
        if arguments.codebook:
            yield _picture(Path(arguments.codebook), *code_sheet(model))

    return attempt(found[0][0], work)


def _decode(arguments: argparse.Namespace) -> int:
    check_range("--scale", arguments.scale, ENLARGE_RANGE)
    source, target = Path(arguments.input), Path(arguments.out)
    if target.suffix.lower() not in SAVE_SUFFIXES:
        msg = f"{target}: pictures are written as {' '.join(SAVE_SUFFIXES)}; choose such a name"
        raise ImageError(msg)

    def work() -> Iterator[Path]:
        claim(target, [source], overwrite=arguments.overwrite)
        codes = load_codes(source)
        rgba = enlarge(join_alpha(*decode(_load(arguments), codes)), arguments.scale)
        yield from write_art(target, SpriteSheet.of_batch(rgba))

    return attempt(source, work)


def _swap(arguments: argparse.Namespace) -> int:
    other = read_still(Path(arguments.other), first_frame=True)
    settings = {
        "other": hashlib.sha256(Path(arguments.other).read_bytes()).hexdigest()[:16],
        "one_by_one": arguments.one_by_one,
        "background": arguments.background,
    }

    def start() -> Make:
        model = _load(arguments)
        theirs = _codes(model, other, arguments)

        def make(rgba: Tensor, callback: StepCallback) -> Tensor | IndexedImage:
            del callback
            made, _ = swap_codes(
                _codes(model, rgba, arguments),
                theirs,
                simultaneous=not arguments.one_by_one,
                background=arguments.background,
                clear=clear_codes(model),
            )
            return index_if_few(join_alpha(*decode(model, made)))

        return make

    return run_files(arguments, start, _note("vq swap", arguments, settings), moving=True)


def _recolor(arguments: argparse.Namespace) -> int:
    palette = find_palette(arguments.palette)

    def start() -> Make:
        model = _load(arguments)
        wanted, clear = nearest_codes(model, palette), clear_codes(model)

        def make(rgba: Tensor, callback: StepCallback) -> Tensor | IndexedImage:
            del callback
            made = recolor_codes(_codes(model, rgba, arguments), wanted, clear=clear)
            return index_if_few(join_alpha(*decode(model, made)))

        return make

    return run_files(arguments, start, _note("vq recolor", arguments, {"palette": palette.to_hex()}), moving=True)


def _codes(model: LoadedModel, rgba: Tensor, arguments: argparse.Namespace, *, keep_alpha: bool = True) -> CodeGrid:
    return encode(model, *split_alpha(rgba), keep_alpha=keep_alpha, nearest=arguments.nearest)


def _name(arguments: argparse.Namespace) -> str:
    """The model that is asked for, or the first of the shipped ones."""
    return arguments.model or next(entry.name for entry in SHIPPED if entry.purpose is Purpose.ENCODE)


def _load(arguments: argparse.Namespace) -> LoadedModel:
    return load(_name(arguments), purpose=Purpose.ENCODE)


def _note(command: str, arguments: argparse.Namespace, settings: dict[str, object]) -> str:
    digest = hashlib.sha256(find_weights(_name(arguments)).read_bytes()).hexdigest()[:16]
    return note_of(command, {"model": digest, "nearest": arguments.nearest, **settings})


def _picture(path: Path, rgb: Tensor, alpha: Tensor | None) -> Path:
    """One picture, or the first of several one below the other."""
    tall = torch.cat(list(rgb), dim=1)[None]
    write_png(path, index_if_few(join_alpha(tall, None if alpha is None else torch.cat(list(alpha), dim=1)[None])))
    return path
