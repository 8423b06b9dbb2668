"""Sprites as codes, computed once and stored: what a prior is trained on, with labels and what of each place shows."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from pixel_models.checkpoint import LoadedModel
from pixel_models.codes import encode

from .attributes import column_names, first_appearance, n_hot, names_of, rows_by_name, vocabulary
from .canvas import randint
from .loop import generator_of
from .pictures import read_picture_set
from .sprites import hard, jitter

FORMAT = "pixel-kiln-codes-of-sprites-1"
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class CodeSet:
    """Sprites on square canvases as codes, each in several variants: the first is the sprite itself."""

    codes: Tensor
    """`n v c h w`, uint8, or int16 where the codebook is larger; c is 1, or 3 for levels of RGB."""

    opaque: Tensor
    """`n v h w`, uint8: how much of each place shows, of 255."""

    labels: Tensor
    """`n v k`, bool."""

    names: tuple[str, ...]
    """Of the k labels."""

    weights: Tensor
    """`n`, float64, how often each is drawn; sums to 1."""

    paths: tuple[str, ...]
    """Of the n sprites, inside their folder, without suffix."""

    def __len__(self) -> int:
        """How many sprites."""
        return len(self.codes)


@dataclass(frozen=True, kw_only=True)
class CodeSetting:
    """How sprites become codes."""

    side: int
    """Of the canvas, pixels; larger sprites are left out."""

    least: int = 0
    """Sprites whose longer side is smaller are left out."""

    variants: int = 16
    """Of each sprite: flipped, moved by a pixel where there is room, in another palette."""

    jitter: float = 0.5
    """Share of the variants that get another palette."""

    groups: tuple[str, ...] = ("kind", "style", "color")
    """Which labels; see `train.attributes.GROUPS`."""

    least_labelled: int = 25
    """Labels of fewer sprites are left out."""

    columns: tuple[str, ...] = ()
    """Columns of the manifest whose values are labels too, however few have them, as in the paper (``type1`` …)."""


def code_set(
    folder: Path,
    split: str,
    coder: LoadedModel | None,
    setting: CodeSetting,
    store: Path | None = None,
    names: Sequence[str] | None = None,
) -> CodeSet:
    """The sprites of a split as codes, from `store` where they lie there, else computed and stored.

    Args:
        folder: a set that `train.prepare` wrote, or any folder of sprites.
        split: train, val or test.
        coder: the VQ-VAE; None: levels of RGB on white.
        setting: canvas, variants, labels.
        store: folder of stored sets; None: nothing is stored.
        names: the labels; None: those that the split has, which is for training.

    Raises:
        FileNotFoundError: there is no such folder or split, or no sprite fits the canvas.
    """
    key = _key(folder, split, coder, setting, names)
    path = None if store is None else store / f"{split}-{key}.safetensors"
    if path is not None and path.is_file():
        return _read(path)
    made = _compute(folder, split, coder, setting, names)
    if path is not None:
        _write(path, made)
    return made


def canvas_of(sprite: Tensor, side: int, down: int = 0, right: int = 0) -> Tensor:
    """A sprite `4 h w` in the middle of a transparent square, or that far off it: `4 side side`."""
    height, width = sprite.shape[1:]
    top, left = (side - height) // 2 + down, (side - width) // 2 + right
    return F.pad(sprite, (left, side - width - left, top, side - height - top))


def _variant(sprite: Tensor, setting: CodeSetting, generator: torch.Generator) -> Tensor:
    g = generator
    if float(torch.rand((), generator=g)) < 0.5:
        sprite = sprite.flip(2)
    if float(torch.rand((), generator=g)) < setting.jitter:
        sprite = jitter(sprite, g)
    moves: list[int] = []
    for size in sprite.shape[1:]:
        low = (setting.side - size) // 2
        moves.append(randint(g, -min(1, low), min(1, setting.side - size - low)))
    return canvas_of(sprite, setting.side, *moves)


def _compute(
    folder: Path, split: str, coder: LoadedModel | None, setting: CodeSetting, known: Sequence[str] | None
) -> CodeSet:
    whole = read_picture_set(folder, split)
    fits = [setting.least <= max(p.shape[1:]) <= setting.side and bool((p[3] >= 128).any()) for p in whole.pictures]
    if not any(fits):
        msg = f"no sprite of {folder} ({split}) has a longer side of {setting.least} to {setting.side} pixels"
        raise FileNotFoundError(msg)
    sprites, rows = whole.where(fits), rows_by_name(folder)
    waiting: list[Tensor] = []
    done: list[tuple[Tensor, Tensor]] = []
    names: list[list[list[str]]] = []
    columns: list[list[str | None]] = []
    for index in tqdm(range(len(sprites)), desc=f"codes of {split}", unit="sprite", file=sys.stderr, mininterval=2):
        sprite, generator = hard(sprites.pictures[index]), generator_of(0, "codes", sprites.names[index])
        made = [canvas_of(sprite, setting.side)]
        made += [_variant(sprite, setting, generator) for _ in range(setting.variants - 1)]
        row: Mapping[str, str] = rows.get(sprites.names[index], {})
        columns.append(column_names(row, setting.columns))
        told = [name for name in columns[-1] if name is not None]
        names.append([[*names_of(picture, row, setting.groups), *told] for picture in made])
        waiting.append(torch.stack(made))
        if len(waiting) * setting.variants >= _AT_ONCE or index == len(sprites) - 1:
            done.append(_encode(torch.stack(waiting), coder))
            waiting = []
    listed = first_appearance(columns)
    found = tuple(known or ())
    if known is None:
        common = vocabulary([one[0] for one in names], setting.least_labelled)
        found = (*(name for name in common if name not in listed), *listed)
    labels = torch.stack([n_hot(one, found) for one in names])
    grids, shown = (torch.cat([part[i] for part in done]) for i in range(2))
    return CodeSet(grids, shown, labels, found, sprites.weights, sprites.names)


def _encode(rgba: Tensor, coder: LoadedModel | None) -> tuple[Tensor, Tensor]:
    """Sprites `n v 4 s s` uint8 to codes `n v c h w` and what shows `n v h w`."""
    n, v = rgba.shape[:2]
    pixels = rgba.flatten(0, 1).float() / 255
    if coder is None:
        on_white = rgba[:, :, :3].where(rgba[:, :, 3:] > 0, torch.tensor(255, dtype=torch.uint8))
        return on_white, rgba[:, :, 3]
    if getattr(coder.config, "channels", 3) == 4:
        grid = encode(coder, pixels[:, :3], pixels[:, 3:], keep_alpha=False, nearest="picture")
    else:  # codes that cannot say what is transparent stand for the sprite on white, background and all
        white = pixels[:, :3] * pixels[:, 3:] + 1 - pixels[:, 3:]
        grid = encode(coder, white, keep_alpha=False, nearest="picture")
    small = torch.uint8 if grid.codebook_size <= 256 else torch.int16
    shows = F.avg_pool2d(pixels[:, 3:], grid.patch)[:, 0]
    return (
        grid.indices.to(small).view(n, v, 1, *grid.indices.shape[1:]),
        (255 * shows).round().to(torch.uint8).view(n, v, *shows.shape[1:]),
    )


def _key(folder: Path, split: str, coder: LoadedModel | None, setting: CodeSetting, names: Sequence[str] | None) -> str:
    manifest = folder / "manifest.csv"
    inside = manifest.read_bytes() if manifest.is_file() else b"".join(str(p).encode() for p in _files(folder))
    what = (FORMAT, split, coder.fingerprint if coder else "rgb", repr(setting), list(names) if names else None)
    return hashlib.sha256(inside + json.dumps(what).encode()).hexdigest()[:16]


def _files(folder: Path) -> list[tuple[str, int, int]]:
    """What tells a folder without manifest from what it was: names, sizes and times of its files."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(p.relative_to(folder).as_posix(), p.stat().st_size, p.stat().st_mtime_ns) for p in paths]


def _write(path: Path, made: CodeSet) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    tensors = {"codes": made.codes, "opaque": made.opaque, "labels": made.labels, "weights": made.weights}
    metadata = {"format": FORMAT, "names": json.dumps(made.names), "paths": json.dumps(made.paths)}
    save_file({key: value.contiguous() for key, value in tensors.items()}, beside, metadata)
    beside.replace(path)


def _read(path: Path) -> CodeSet:
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        codes, opaque, labels, weights = (file.get_tensor(key) for key in ("codes", "opaque", "labels", "weights"))
    return CodeSet(
        codes, opaque, labels, tuple(json.loads(metadata["names"])), weights, tuple(json.loads(metadata["paths"]))
    )
