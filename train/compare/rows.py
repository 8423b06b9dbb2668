"""The rows of the comparison: which recipe trains a model, with which options, and the file that it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Takes = Literal["folders", "sprites", "one picture each"]
"""What a recipe learns from: `--a` and `--b`; `--sprites`; or `--a` and `--b` with a single picture in each."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One model of the comparison; a new recipe joins with a row in `ROWS`."""

    title: str
    """Unique, as it stands in tables and above columns."""

    module: str
    """Its `python -m module` trains the model."""

    weights: str
    """The file of the trained generator, in the folder of the run."""

    options: tuple[str, ...] = ()
    """Beside those that all rows share."""

    takes: Takes = "folders"

    @property
    def folder(self) -> str:
        """Of its run, below the comparison's folder."""
        return self.title.lower().replace(" ", "-")


_NATIVE = ("--arch", "native")

_UNPAIRED = ("cycle", "identity", "adversarial", "adversarial_back", "color", "cluster", "lone")
"""Terms of the native-grid CycleGAN that need pictures of A, a discriminator, or both ways at once."""

ROWS: tuple[Row, ...] = (
    Row(title="CycleGAN classic", module="train.classic", weights="classic-a-to-b.safetensors"),
    Row(title="CycleGAN native", module="train.cyclegan", weights="kiln-pixelate.safetensors"),
    Row(title="CUT", module="train.cut", weights="cut.safetensors"),
    Row(title="CUT native", module="train.cut", weights="cut.safetensors", options=_NATIVE),
    Row(title="FastCUT", module="train.fastcut", weights="fastcut.safetensors"),
    Row(title="FastCUT native", module="train.fastcut", weights="fastcut.safetensors", options=_NATIVE),
    Row(title="SinCUT", module="train.sincut", weights="sincut.safetensors", takes="one picture each"),
    Row(
        title="SinCUT native",
        module="train.sincut",
        weights="sincut.safetensors",
        options=_NATIVE,
        takes="one picture each",
    ),
    Row(title="pix2pix", module="train.pix2pix", weights="pix2pix.safetensors", takes="sprites"),
    Row(title="Cascade", module="train.pixelization", weights="pixelization.safetensors"),
    Row(
        title="Native pairs only",
        module="train.cyclegan",
        weights="kiln-pixelate.safetensors",
        options=("--without", *_UNPAIRED),
    ),
)


def chosen_rows(names: Sequence[str]) -> tuple[Row, ...]:
    """The rows of these titles or folders; all without names.

    Raises:
        ValueError: there is no such row.
    """
    wanted = {name.lower().replace(" ", "-") for name in names}
    if unknown := sorted(wanted - {row.folder for row in ROWS}):
        msg = f"there is no row {unknown}; expected some of {[row.folder for row in ROWS]}"
        raise ValueError(msg)
    return tuple(row for row in ROWS if not names or row.folder in wanted)


def loaded_files(given: Sequence[str]) -> dict[str, Path | str]:
    """Titles to weight files, or to names of models, from options such as ``--load CUT=cut.safetensors``.

    Raises:
        ValueError: one has no title, no file, or a title that came before.
    """
    files: dict[str, Path | str] = {}
    for text in given:
        title, _, file = text.partition("=")
        if not title.strip() or not file or title.strip() in files:
            msg = f"--load is {text!r}, expected TITLE=FILE, each title once"
            raise ValueError(msg)
        files[title.strip()] = Path(file) if Path(file).exists() else file
    return files
