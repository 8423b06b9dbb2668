"""`python -m train.compare`: trains or loads every model of the translation family → a table and a picture sheet.

Every row learns from the same folders, for as long as the others, in a process of its own. Then all make sprites of
the same held-out pictures, beside Pillow's box filter and median cut, k-centroid, and the shipped network.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import pixel_models
from pixel_models.checkpoint import LoadedModel
from pixel_models.drawers import require_pixelator
from pixel_models.errors import PixelModelError

from ..evaluate.pixelators import KCentroid, held_out_pictures, white, without_weights
from ..evaluate.tables import write_csv, write_markdown
from ..pictures import read_picture_set
from .contestants import COLORS, ByModel, Contestant, Pillow
from .measures import SIDES, Yardstick, steps_of, told
from .pages import page
from .rows import ROWS, Row, chosen_rows, loaded_files
from .singles import single_folder
from .training import FACTS, Budget, Data, TrainingError, train_row, training_facts

PILLOW, CENTROID, SHIPPED = "Pillow box + median cut", "k-centroid", "kiln-pixelate"

_TRAINING = (*FACTS, "parameters", "seconds_512_to_64")
_PAGE_SIDE, _PAGE_ROWS = 128, 10
_LARGE_SIDE, _LARGE_GROUPS = 256, 3

Table = dict[str, dict[str, object]]


def data_of(options: argparse.Namespace, rows: Sequence[Row]) -> tuple[Data, dict[str, str]]:
    """The folders that rows learn from, and the names of the single pictures, which are chosen where none is given."""
    one = {"a": options.one_a, "b": options.one_b}
    names: dict[str, str] = {}
    if any(row.takes == "one picture each" for row in rows):
        for side, source in (("a", options.a), ("b", options.b)):
            if one[side]:
                names[f"single picture of {side.upper()}"] = one[side].name
                continue
            one[side] = options.out / "one" / side
            names[f"single picture of {side.upper()}"] = single_folder(read_picture_set(source), one[side])
    return Data(a=options.a, b=options.b, one_a=one["a"] or options.a, one_b=one["b"] or options.b), names


def trained(rows: Sequence[Row], options: argparse.Namespace, data: Data, budget: Budget | None) -> Table:
    """Train every row, or only look at what is there; what it took, or why it failed, by title."""
    runs = options.out / "runs"
    if budget is None:
        return {row.title: told(training_facts(runs / row.folder)) for row in rows}
    return {row.title: _trained(row, runs, data, budget) for row in rows}


def _trained(row: Row, runs: Path, data: Data, budget: Budget) -> dict[str, object]:
    try:
        return told(train_row(row, runs, data, budget))
    except TrainingError as error:
        print(f"{row.title} failed: {error}", file=sys.stderr)  # noqa: T201  a command's own output
        return {"failed": str(error)}


def contestants_of(
    rows: Sequence[Row], files: Mapping[str, Path | str], runs: Path, table: Table
) -> dict[str, Contestant]:
    """Everyone who takes part, in the order of the columns; files that cannot be used are told in the table."""
    sources: dict[str, Path | str] = {SHIPPED: SHIPPED}
    sources |= {row.title: runs / row.folder / row.weights for row in rows if "failed" not in table.get(row.title, {})}
    everyone: dict[str, Contestant] = {PILLOW: Pillow(), CENTROID: ByModel(without_weights(KCentroid(), CENTROID))}
    for title, source in {**sources, **files}.items():
        own = table.setdefault(title, {})
        try:
            model = require_pixelator(pixel_models.load(source))
        except (PixelModelError, OSError, ValueError) as error:
            own["failed"] = str(error)
            continue
        everyone[title] = ByModel(model)
        _add_steps(own, model)
    return everyone


def _add_steps(row: dict[str, object], model: LoadedModel) -> None:
    if "steps" not in row and (steps := steps_of(model)) is not None:
        row["steps"] = steps


def measured(everyone: Mapping[str, Contestant], yardstick: Yardstick, table: Table) -> dict[int, dict[str, Tensor]]:
    """Fill the table; returns every contestant's sprites, `n 3 s s`, by the number of cells and by title."""
    sprites: dict[int, dict[str, Tensor]] = {side: {} for side in SIDES}
    for title, contestant in everyone.items():
        print(f"measuring {title}", file=sys.stderr)  # noqa: T201  a command's own output
        try:
            found, made = yardstick.measure(contestant)
        except (PixelModelError, ValueError, RuntimeError) as error:
            table.setdefault(title, {})["failed"] = f"{type(error).__name__}: {error}"
            continue
        table.setdefault(title, {}).update(told(found))
        for side in SIDES:
            sprites[side][title] = made[side].rgb()
    return sprites


def write_tables(out: Path, table: Table, facts: Mapping[str, object]) -> str:
    """Write `table.json`, `compare.csv` and `compare.md`; returns the text of the last."""
    (out / "table.json").write_text(json.dumps({"facts": facts, "rows": table}, indent=1), encoding="utf-8")
    write_csv(out / "compare.csv", table)
    parts: dict[str, Table] = {
        "Training and speed": {t: {k: row[k] for k in _TRAINING if k in row} for t, row in table.items()},
        **{f"At {side} cells": _columns_at(table, f"_{side}") for side in SIDES},
        "On pairs made from held-out sprites": {
            t: {k: v for k, v in row.items() if k.startswith("pair_")} for t, row in table.items()
        },
    }
    texts = [f"- {name}: {value}" for name, value in facts.items()]
    for heading, part in parts.items():
        full = {title: row for title, row in part.items() if row}
        texts.append(f"\n## {heading}\n\n{write_markdown(out / 'compare.md', full)}" if full else "")
    failed = [f"- {title}: {row['failed']}" for title, row in table.items() if "failed" in row]
    texts += ["\n## Failed\n", *failed] if failed else []
    text = "\n".join(texts) + "\n"
    (out / "compare.md").write_text(text, encoding="utf-8")
    return text


def _columns_at(table: Table, ending: str) -> Table:
    of_training = set(_TRAINING)
    return {
        title: {k.removesuffix(ending): v for k, v in row.items() if k.endswith(ending) and k not in of_training}
        for title, row in table.items()
    }


def write_pages(out: Path, pictures: Tensor, sprites: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Write `sheet-CELLS-NUMBER.png` with everyone, and `large-CELLS.png` with those that need no training."""
    for side, by_title in sprites.items():
        columns = {"input": pictures, **by_title}
        for start in range(0, len(pictures), _PAGE_ROWS):
            part = {title: made[start : start + _PAGE_ROWS] for title, made in columns.items()}
            page(part, _PAGE_SIDE).save(out / f"sheet-{side}-{start // _PAGE_ROWS + 1}.png")
        few = {title: made for title, made in columns.items() if title in ("input", PILLOW, CENTROID, SHIPPED)}
        page(few, _LARGE_SIDE, _LARGE_GROUPS).save(out / f"large-{side}.png")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.compare", description=(__doc__ or "").split("\n")[0])
    command.add_argument("--a", type=Path, required=True, help="prepared folder of drawings or photos")
    command.add_argument("--b", type=Path, required=True, help="prepared folder of sprites at native size")
    command.add_argument("--out", type=Path, required=True, help="folder of the runs, tables and pages")
    command.add_argument("--rows", nargs="*", default=[], metavar="ROW", help=", ".join(row.folder for row in ROWS))
    command.add_argument(
        "--load", nargs="*", default=[], metavar="TITLE=FILE", help="weight files to compare, in the place of a row too"
    )
    command.add_argument("--no-training", action="store_true", help="only rows whose weights are there already")
    length = command.add_mutually_exclusive_group()
    length.add_argument("--seconds", type=float, help="of training, for every row (default 900)")
    length.add_argument("--steps", type=int, help="of training, for every row, in the place of seconds")
    command.add_argument("--trial", type=int, default=30, metavar="STEPS", help="by which the time of a step is found")
    command.add_argument("--setting", default="small", help="of every recipe: tiny, small (default) or full")
    command.add_argument("--threads", type=int, default=0, help="processor threads (0: PyTorch's choice)")
    command.add_argument("--precision", choices=["no", "bf16"], default="no")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--one-a", type=Path, metavar="FILE", help="picture of A for SinCUT (default: the most varied)"
    )
    command.add_argument("--one-b", type=Path, metavar="FILE", help="its sprite, or sheet of sprites (default: as A's)")
    command.add_argument("--split", default="test", help="val to choose by, test to report (default)")
    command.add_argument("--count", type=int, default=42, help="held-out pictures, evenly over their labels")
    command.add_argument("--pairs", type=int, default=60, help="pairs made from held-out sprites")
    command.add_argument("--canvases", type=int, default=600, help="of held-out sprites, for the kernel distances")
    command.add_argument("--features", default="kiln", help="of the second kernel distance; see train.evaluate")
    return command


def budget_of(options: argparse.Namespace) -> Budget | None:
    """What every row gets; None: nothing is trained."""
    if options.no_training:
        return None
    return Budget(
        seconds=options.seconds or (None if options.steps else 900.0),
        steps=options.steps,
        trial=options.trial,
        setting=options.setting,
        threads=options.threads,
        precision=options.precision,
        seed=options.seed,
    )


def facts_of(options: argparse.Namespace, budget: Budget | None, describer: str) -> dict[str, Any]:
    """What a reader has to know beside the figures."""
    length = "none: only what was there" if budget is None else f"{budget.steps} steps"
    if budget is not None and budget.steps is None:
        length = f"{budget.seconds:g} seconds, setting {budget.setting}"
    return {
        "data": f"{options.a.name} and {options.b.name}",
        "held out": f"{options.count} pictures of the split {options.split}, {COLORS} colours each",
        "training of a row": length,
        "threads": torch.get_num_threads(),
        "precision": options.precision,
        "seed": options.seed,
        "trained on": "cuda" if torch.cuda.is_available() else "cpu",
        "torch": torch.__version__.partition("+")[0],
        "kernel distance": "over random-conv-1, squares of 16 cells",
        "kiln distance": f"over {describer}, squares of 32 cells",
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    files, budget, runs = loaded_files(options.load), budget_of(options), options.out / "runs"
    rows = [row for row in chosen_rows(options.rows) if row.title not in files]
    if budget is None:
        rows = [row for row in rows if (runs / row.folder / row.weights).is_file()]
    options.out.mkdir(parents=True, exist_ok=True)
    data, names = data_of(options, rows)
    table = trained(rows, options, data, budget)
    pictures = held_out_pictures(options.a, options.count, options.split)
    sprites = read_picture_set(options.b, options.split)
    yardstick = Yardstick.of(pictures, sprites, options.features, options.pairs, options.canvases)
    everyone = contestants_of(rows, files, runs, table)
    made = measured(everyone, yardstick, table)
    ordered = {title: table[title] for title in [*everyone, *table]}
    print(write_tables(options.out, ordered, facts_of(options, budget, yardstick.describer.name) | names))  # noqa: T201
    write_pages(options.out, white(pictures), made)


if __name__ == "__main__":
    main()
