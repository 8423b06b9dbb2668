"""How `batch` makes a picture: by the very functions of `pixelate` and `downscale`, in whatever process."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..dataset import Make
from ..hub import find_weights
from ..image import enlarge
from ..palette import IndexedImage, Palette
from ..spec import Purpose
from .commands import digest_of, load_model, model_name, sprite_of
from .downscaling import cells_of
from .files import read_still

_MANY = 64
"""Colours of each sprite that the palette of a whole set is made of."""


@dataclass(frozen=True)
class MakeSprites:
    """Loads the model and makes sprites; light, so that it can be sent to other processes and machines."""

    arguments: argparse.Namespace
    """Of `batch`, with `cell` filled in."""

    palette: tuple[str, ...] = ()
    """Hex colours to use; empty: a palette for each picture."""

    def with_palette(self, palette: Palette) -> MakeSprites:
        """The same, in these colours."""
        return dataclasses.replace(self, palette=tuple(palette.to_hex()))

    def for_palette(self) -> MakeSprites:
        """The same, in many colours and at native size: what the palette of the set is made of."""
        changed = {**vars(self.arguments), "colors": _MANY, "dither": "none", "scale": 1}
        return MakeSprites(argparse.Namespace(**changed))

    def weights_digest(self) -> str | None:
        """What tells the model from others; None where none is used.

        Raises:
            HubError: it is not here.
        """
        if self.arguments.method is not None:
            return None
        return digest_of(find_weights(model_name(self.arguments, Purpose.PIXELATE)))

    def __call__(self, device: torch.device) -> Make:
        """Load the model.

        Raises:
            PixelModelError: it cannot be loaded.
        """
        arguments = self.arguments
        palette = Palette.from_hex(" ".join(self.palette)) if self.palette else None
        model = None
        if arguments.method is None:
            model = load_model(model_name(arguments, Purpose.PIXELATE), Purpose.PIXELATE, device)

        def make(path: Path) -> tuple[Tensor | IndexedImage, tuple[int, int]]:
            rgba = read_still(path, first_frame=arguments.first_frame)
            made = sprite_of(model, rgba, arguments, palette) if model else cells_of(rgba, arguments, palette)
            if isinstance(made, IndexedImage):
                _, height, width = made.indices.shape
                return made.enlarge(arguments.scale), (width, height)
            return enlarge(made, arguments.scale), (made.shape[3], made.shape[2])

        return make
