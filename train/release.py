"""`python -m train.release`: a run's weights with licence, data, training facts and measures, and a card, to ship."""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pixel_models.checkpoint import LoadedModel, load_checkpoint, save_checkpoint

LICENCE = "Apache-2.0"
"""Of the weights themselves."""


def data_rows(folders: Sequence[Path]) -> list[tuple[str, str, str, int]]:
    """Source, author, licence and number of training pictures of prepared sets, sorted."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for folder in folders:
        with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["split"] == "train":
                    source = row["source"].split(" (")[0]
                    counts[(source or folder.name, row["author"] or "unknown", row["licence"] or "unknown")] += 1
    return [(*key, count) for key, count in sorted(counts.items())]


def card(model: LoadedModel, name: str, data: Sequence[tuple[str, str, str, int]], facts: Mapping[str, object]) -> str:
    """The model card in Markdown."""
    lines = [
        f"# {name}",
        "",
        f"To {model.purpose}. Architecture `{model.spec.id}` ({model.spec.paper}), config `{model.config}`,",
        f"{sum(p.numel() for p in model.module.parameters()):,} parameters, stored in 16 bit.",
        "",
        f"Licence of the weights: {LICENCE}. The pictures they were trained on keep their authors' licences:",
        "",
        "| source | author | licence | training pictures |",
        "|---|---|---|---|",
        *(f"| {source} | {author} | {licence} | {count} |" for source, author, licence, count in data),
        "",
        "## Training",
        "",
        *(f"- {key}: {value}" for key, value in facts.items() if key not in {"measures", "limits"}),
    ]
    measures = facts.get("measures")
    if isinstance(measures, Mapping) and measures:
        rows: Mapping[str, Mapping[str, float]] = measures["rows"]
        columns = list(next(iter(rows.values())))
        lines += [
            "",
            "## Measures",
            "",
            "Held-out pictures, 32 and 64 cells, 16 colours; `python -m train.evaluate pixelators` makes this table.",
            f"Kernel distance: to held-out sprites, over the features `{measures['features']}`, x1000.",
            "",
            "| | " + " | ".join(column.replace("_", " ") for column in columns) + " |",
            "|---" * (len(columns) + 1) + "|",
            *(f"| {row} | " + " | ".join(f"{values[c]:g}" for c in columns) + " |" for row, values in rows.items()),
        ]
    if facts.get("limits"):
        lines += ["", "## Where it falls short", "", str(facts["limits"])]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    command = argparse.ArgumentParser(prog="python -m train.release", description=__doc__)
    command.add_argument("weights", nargs="+", type=Path, help="weight files of a run")
    command.add_argument("--data", nargs="+", type=Path, required=True, help="the prepared sets it was trained on")
    command.add_argument("--fact", nargs="*", default=[], metavar="KEY=VALUE", help="more lines for the card")
    command.add_argument("--measures", type=Path, help="table.json of `train.evaluate pixelators`")
    command.add_argument("--limits", default="", help="where the model falls short, in words")
    command.add_argument("-o", "--out", type=Path, required=True, help="folder of the weights and cards")
    options = command.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    data = data_rows(options.data)
    for path in options.weights:
        model = load_checkpoint(path)
        facts: dict[str, object] = {"run": model.metadata.get("training", "")}
        facts |= dict(fact.split("=", 1) for fact in options.fact)
        measures = json.loads(options.measures.read_text()) if options.measures else {}
        told = card(model, path.stem, data, {**facts, "measures": measures, "limits": options.limits})
        metadata = {
            "licence": LICENCE,
            "purpose": str(model.purpose),
            "data": "; ".join(f"{source} by {author}, {licence}" for source, author, licence, _ in data),
            "training": json.dumps(facts),
            "metrics": json.dumps(measures.get("rows", {})),
            "limits": options.limits,
        }
        target = options.out / path.name
        save_checkpoint(target, model.module, model.spec, model.config, metadata, half=True)
        target.with_suffix(".md").write_text(told, encoding="utf-8")
        print(path.name, hashlib.sha256(target.read_bytes()).hexdigest())  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
