"""The twelve models of the paper's Tables 2, 3 and 8: what the paper measured, and how a row is trained here.

Saravanan and Guzdial, "Pixel VQ-VAEs for Improved Pixel Art Representation", EXAG 2022,
https://arxiv.org/abs/2203.12130.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pixel_models.checkpoint import LoadedModel, load_checkpoint

WEIGHTS = {"train.vqvae": "vqvae.safetensors", "train.vae": "vae.safetensors"}
"""The file that each recipe leaves in its folder."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model of the tables."""

    name: str
    size: str = ""
    """LowRes, MedRes or HiRes: 4x4, 2x2 or 1 pixel a code; none for the VAE."""

    mse: float
    """The paper's, on its own data."""
    ssim: float
    """The paper's, on its own data."""

    recipe: str = "train.vqvae"
    """The module whose `main` trains it."""

    options: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name and size."""
        return f"{self.name} {self.size}".rstrip()

    @property
    def folder(self) -> str:
        """Of its run, below the tables' folder."""
        return self.title.lower().replace(" ", "-")


_PLAIN = ("--background", "white", "black")
_VAE = ("--setting", "table")


def _codes(kind: str, size: str, mse: float, ssim: float) -> Row:
    switches = {
        "base VQ-VAE": ("--no-pixelsight", "--no-adapter"),
        "Adapter VQ-VAE": ("--no-pixelsight", "--adapter"),
        "PixelSight VQ-VAE": ("--pixelsight", "--no-adapter"),
        "Pixel VQ-VAE": ("--pixelsight", "--adapter"),
    }
    return Row(name=kind, size=size, mse=mse, ssim=ssim, options=(*_PLAIN, "--model", size.lower(), *switches[kind]))


ROWS: tuple[Row, ...] = (
    Row(name="VAE", mse=0.01815, ssim=0.64272, recipe="train.vae", options=_VAE),
    Row(name="Pixel VAE", mse=0.01257, ssim=0.74339, recipe="train.vae", options=(*_VAE, "--pixel")),
    _codes("base VQ-VAE", "LowRes", 0.01076, 0.60198),
    _codes("Adapter VQ-VAE", "LowRes", 0.01049, 0.77879),
    _codes("PixelSight VQ-VAE", "LowRes", 0.01079, 0.79586),
    _codes("Pixel VQ-VAE", "LowRes", 0.01040, 0.78669),
    _codes("base VQ-VAE", "MedRes", 0.00584, 0.63973),
    _codes("Adapter VQ-VAE", "MedRes", 0.00489, 0.66650),
    _codes("PixelSight VQ-VAE", "MedRes", 0.00504, 0.78298),
    _codes("Pixel VQ-VAE", "MedRes", 0.00421, 0.91210),
    _codes("PixelSight VQ-VAE", "HiRes", 0.00133, 0.73070),
    _codes("Pixel VQ-VAE", "HiRes", 0.00070, 0.82967),
)
"""In the paper's order; a base or Adapter HiRes would have no layers at all."""


def chosen_rows(names: Sequence[str]) -> tuple[Row, ...]:
    """The rows of these folders' names; all without names.

    Raises:
        ValueError: there is no such row.
    """
    unknown = sorted(set(names) - {row.folder for row in ROWS})
    if unknown:
        msg = f"there is no row {unknown}; expected some of {[row.folder for row in ROWS]}"
        raise ValueError(msg)
    return tuple(row for row in ROWS if not names or row.folder in names)


def weights_of(row: Row, runs: Path) -> Path:
    """Where a row's weights are, or will be."""
    return runs / row.folder / WEIGHTS[row.recipe]


def load_row(row: Row, runs: Path) -> LoadedModel:
    """A trained row.

    Raises:
        CheckpointError: its file is missing or damaged.
    """
    return load_checkpoint(weights_of(row, runs))


def train_row(row: Row, data: Path, runs: Path, extra: Sequence[str]) -> Path:
    """Train a row by its recipe's own command, or go on where its folder holds a state; returns the weights.

    Args:
        row: which.
        data: folder of sprites.
        runs: where runs are.
        extra: options that all rows share: the budget.

    Raises:
        ModuleNotFoundError: this version has no such recipe.
    """
    command: Callable[[Sequence[str]], object] = importlib.import_module(row.recipe).main
    out = runs / row.folder
    command(["--sprites", str(data), "--out", str(out), "--channels", "3", *row.options, *extra])
    return weights_of(row, runs)
