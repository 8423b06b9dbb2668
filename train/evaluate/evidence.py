"""`python -m train.evaluate pixelart`: does the pixel-art measure rank what artists let pass above what they do not?

Every reference sprite is varied in good and in bad ways, slightly to heavily; a measure is right about a pair of a good
and a bad variant of one sprite if it gives the good one the better value.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ..loop import generator_of
from ..losses import over_white
from ..metrics import oklab_error
from ..pictures import read_picture_set
from ..pixelart import pixel_art_scores
from ..sheet import sheet
from ..ssim import WINDOW, squared_error, ssim
from .variants import BAD, GOOD, HELD_OUT, LEVELS
from .variants.good import dithered

MEASURES = ("pixel art", "SSIM", "MSE", "Oklab", "colours")
"""Ours, and what it is compared with; `colours` only counts them: the ratio of the fewer to the more."""

MATCHED = 1.5
"""Two variants are of one severity if their squared errors differ by no larger a factor."""


@dataclass(frozen=True)
class Judged:
    """A variant of a sprite, and every measure's value of it: more is better."""

    kind: str
    level: int
    picture: Tensor
    """`4 h w`."""
    values: Mapping[str, float]
    parts: Mapping[str, float] = field(default_factory=dict)


def judge(kind: str, level: int, made: Tensor, reference: Tensor) -> Judged:
    """Measure a variant `4 h w` of a sprite."""
    score = pixel_art_scores(made[None], reference[None])[0]
    one, two = (F.pad(over_white(x[None]), (WINDOW // 2,) * 4, value=1.0) for x in (made, reference))
    values = {
        "pixel art": score.score,
        "SSIM": float(ssim(one, two)),
        "MSE": -float(squared_error(one, two)),
        "Oklab": -oklab_error(one, two),
        "colours": _count_ratio(made, reference),
    }
    return Judged(kind, level, made, values, score.to_dict())


def _count_ratio(one: Tensor, two: Tensor) -> float:
    few, many = sorted(max(1, x[:3, x[3] >= 0.5].unique(dim=1).shape[1]) for x in (one, two))
    return few / many


def references(folder: Path, split: str, count: int) -> list[Tensor]:
    """Sprites with something in them, `4 h w` float32 with hard alpha, spread over the labels; half again dithered."""
    sprites = read_picture_set(folder, split)
    order = torch.randperm(len(sprites), generator=generator_of(0, "evidence", split)).tolist()
    chosen: list[Tensor] = []
    for index in order:
        sprite = sprites.pictures[index].float() / 255
        solid = (sprite[3:] >= 0.5).float()
        sprite = torch.cat([sprite[:3] * solid, solid])
        several = len(sprite[:3, solid[0] > 0].unique(dim=1)[0]) >= 4 if bool(solid.any()) else False
        if several and solid.sum() >= 48 and max(sprite.shape[1:]) <= 64:
            chosen.append(sprite)
        if len(chosen) == count:
            break
    made = [dithered(x, generator_of(index, "dither")) for index, x in enumerate(chosen[: count // 2])]
    return chosen + [x for x in made if x is not None]


def variants_of(reference: Tensor, index: int) -> Iterator[Judged]:
    """Every kind at every level that the sprite allows, and that changes it."""
    for kind, make in {**GOOD, **BAD}.items():
        for level in range(LEVELS):
            made = make(reference, level, generator_of(index, kind, level))
            if made is not None and not torch.equal(made, reference):
                yield judge(kind, level, made, reference)


@dataclass
class Tally:
    """How often a measure was right."""

    right: float = 0.0
    pairs: int = 0

    def add(self, good: float, bad: float) -> None:
        """Count a pair; a tie is half right."""
        self.right += 1.0 if good > bad else 0.5 if good == bad else 0.0
        self.pairs += 1

    @property
    def share(self) -> float:
        """Of the pairs, 0 to 1."""
        return self.right / max(1, self.pairs)


def tallies(judged: Sequence[Sequence[Judged]]) -> dict[str, dict[str, Tally]]:
    """Comparison to measure to tally, over the variants of each sprite.

    `all`: every good with every bad; `same severity`: those of about equal squared error; `unseen kinds`: those of
    which both are held out; `good: …` and `bad: …`: of one kind; `worse with level`: a bad kind against itself, a level
    heavier; `other sprite` is not among them.
    """
    found: dict[str, dict[str, Tally]] = defaultdict(lambda: {name: Tally() for name in MEASURES})
    for variants in judged:
        good, bad = ([v for v in variants if v.kind in kinds] for kinds in (GOOD, BAD))
        for one in good:
            for two in bad:
                groups = ["all", f"good: {one.kind}", f"bad: {two.kind}"]
                if {one.kind, two.kind} <= HELD_OUT:
                    groups.append("unseen kinds")
                ratio = one.values["MSE"] / min(two.values["MSE"], -1e-12)
                if 1 / MATCHED <= ratio <= MATCHED:
                    groups.append("same severity")
                    groups += ["same severity, unseen kinds"] if {one.kind, two.kind} <= HELD_OUT else []
                for group in groups:
                    for name in MEASURES:
                        found[group][name].add(one.values[name], two.values[name])
        for one in bad:
            for two in bad:
                if one.kind == two.kind and one.level + 1 == two.level:
                    for name in MEASURES:
                        found["worse with level"][name].add(one.values[name], two.values[name])
    return dict(found)


def picture_sheet(reference: Tensor, variants: Sequence[Judged]) -> Image.Image:
    """The sprite, then a row each kind: its levels."""
    blank = torch.full_like(reference, 0.5)
    rows = [torch.stack([reference, blank, blank])]
    for kind in (*GOOD, *BAD):
        own = {v.level: v.picture for v in variants if v.kind == kind}
        if own:
            rows.append(torch.stack([own.get(level, blank) for level in range(LEVELS)]))
    return sheet([over_white(row) for row in rows], side=96)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    about = (__doc__ or "").split("\n")[0]
    command = argparse.ArgumentParser(prog="python -m train.evaluate pixelart", description=about)
    command.add_argument("--data", type=Path, required=True, help="prepared folder of sprites")
    command.add_argument("--split", default="test", help="val to choose by, test to report (default)")
    command.add_argument("--count", type=int, default=200, help="sprites; half of them also dithered")
    command.add_argument("--out", type=Path, required=True, help="folder of evidence.json and sheets")
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    sprites = references(options.data, options.split, options.count)
    judged = [list(variants_of(x, i)) for i, x in enumerate(tqdm(sprites, file=sys.stderr, unit="sprite"))]
    options.out.mkdir(parents=True, exist_ok=True)
    found = tallies(judged)
    rows = {
        group: {"pairs": next(iter(own.values())).pairs} | {name: round(t.share, 4) for name, t in own.items()}
        for group, own in found.items()
    }
    means: dict[str, dict[str, float]] = {}
    for kind in (*GOOD, *BAD):
        own = [v for variants in judged for v in variants if v.kind == kind]
        if own:
            keys = {**own[0].values, **own[0].parts}
            means[kind] = {k: round(sum({**v.values, **v.parts}[k] for v in own) / len(own), 4) for k in keys}
    told = {"split": options.split, "sprites": len(sprites), "right": rows, "means": means}
    (options.out / "evidence.json").write_text(json.dumps(told, indent=1))
    step = max(1, len(sprites) // 8)
    for index in range(0, len(sprites), step):
        picture_sheet(sprites[index], judged[index]).save(options.out / f"variants-{index:03d}.png")
    for group, row in rows.items():
        print(group.ljust(32), " ".join(f"{k}={v}" for k, v in row.items()))  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
