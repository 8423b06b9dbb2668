"""The commands behind `pixel-kiln pixelate` and `depixelate`."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch
from torch import Tensor

from .. import load
from ..checkpoint import LoadedModel
from ..depixelate import SCALE_RANGE, require_depixelator
from ..depixelate import depixelate as make_smooth
from ..dither import DITHERS
from ..drawers import require_pixelator
from ..errors import PixelModelError
from ..hub import find_weights
from ..palette import IndexedImage, Palette, find_palette
from ..pixelate import CELL_RANGE, COLOR_RANGE
from ..pixelate import pixelate as make_sprite
from ..registry import SHIPPED
from ..sampling import StepCallback
from ..spec import Purpose
from .batch import Make
from .common import ENLARGE_RANGE, check_range, join_alpha, note_of, run_files, split_alpha, undashed
from .fit import centre_on, crop_to_shape, inner_size
from .parser import DEFAULT_CELL


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln pixelate` or `depixelate`: the exit status."""
    return pixelate(arguments) if arguments.command == "pixelate" else depixelate(arguments)


def pixelate(arguments: argparse.Namespace) -> int:
    """`pixel-kiln pixelate`: the exit status."""
    check_range("--cell", DEFAULT_CELL if arguments.cell is None else arguments.cell, CELL_RANGE)
    check_range("--colors", arguments.colors, COLOR_RANGE)
    check_range("--scale", arguments.scale, ENLARGE_RANGE)
    check_range("--strength", arguments.strength, (0, 1))
    palette = None if arguments.palette is None else find_palette(arguments.palette)
    name = model_name(arguments, Purpose.PIXELATE)
    weights = find_weights(name)
    device = choose_device(arguments.device)
    settings = {
        "cell": None if arguments.size else arguments.cell or DEFAULT_CELL,
        "size": arguments.size,
        "fit": arguments.fit if arguments.size else None,
        "colors": None if palette else arguments.colors,
        "palette": palette.to_hex() if palette else None,
        "clean": arguments.clean,
        "dither": arguments.dither,
        "strength": arguments.strength,
        "scale": arguments.scale,
    }

    def start() -> Make:
        model = load_model(name, Purpose.PIXELATE, device)

        def make(rgba: Tensor, callback: StepCallback) -> IndexedImage:
            return sprite_of(model, rgba, arguments, palette, callback).enlarge(arguments.scale)

        return make

    return run_files(arguments, start, _note("pixelate", weights, settings))


def depixelate(arguments: argparse.Namespace) -> int:
    """`pixel-kiln depixelate`: the exit status."""
    check_range("--scale", arguments.scale, SCALE_RANGE)
    name = model_name(arguments, Purpose.DEPIXELATE)
    weights = find_weights(name)
    device = choose_device(arguments.device)

    def start() -> Make:
        model = load_model(name, Purpose.DEPIXELATE, device)

        def make(rgba: Tensor, callback: StepCallback) -> Tensor:
            rgb, alpha = split_alpha(rgba)
            smooth, soft = make_smooth(
                model, rgb, alpha=alpha, scale=arguments.scale, tile=arguments.tile, callback=callback
            )
            return smooth if soft is None else join_alpha(smooth, soft)

        return make

    return run_files(arguments, start, _note("depixelate", weights, {"scale": arguments.scale}))


def sprite_of(
    model: LoadedModel,
    rgba: Tensor,
    arguments: argparse.Namespace,
    palette: Palette | None,
    callback: StepCallback | None = None,
) -> IndexedImage:
    """Pixelate one picture `1 4 h w` as the arguments say; one frame, at native size."""
    size: tuple[int, int] | None = arguments.size
    if size and arguments.fit == "crop":
        rgba = crop_to_shape(rgba, size)
    height, width = rgba.shape[-2:]
    inner = inner_size((width, height), size) if size and arguments.fit == "pad" else size
    rgb, alpha = split_alpha(rgba)
    made = make_sprite(
        model,
        rgb,
        alpha=alpha,
        cell=None if size else arguments.cell or DEFAULT_CELL,
        size=inner,
        colors=arguments.colors,
        palette=palette,
        clean=arguments.clean,
        dither=undashed(arguments.dither, DITHERS),
        strength=arguments.strength,
        tile=arguments.tile,
        callback=callback,
    )
    return centre_on(made.frames[0], size) if size else made.frames[0]


def model_name(arguments: argparse.Namespace, purpose: Purpose) -> str:
    """The model that is asked for, or the shipped one."""
    return arguments.model or next(entry.name for entry in SHIPPED if entry.purpose == purpose)


def load_model(name: str, purpose: Purpose, device: torch.device) -> LoadedModel:
    """Load a model for `pixelate` or `depixelate` onto a device.

    Raises:
        PixelModelError: it cannot be found or loaded, or is of another kind.
    """
    model = load(name)
    model = require_pixelator(model) if purpose is Purpose.PIXELATE else require_depixelator(model)
    model.module.to(device)
    return model


def digest_of(weights: Path) -> str:
    """What tells one weight file from another, in notes."""
    return hashlib.sha256(weights.read_bytes()).hexdigest()[:16]


def _note(command: str, weights: Path, settings: dict[str, object]) -> str:
    return note_of(command, {"model": digest_of(weights), **settings})


def choose_device(name: str) -> torch.device:
    """The device that `--device` names.

    Raises:
        PixelModelError: it is not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        msg = "--device cuda: torch finds no CUDA device here; use --device cpu or auto"
        raise PixelModelError(msg)
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
