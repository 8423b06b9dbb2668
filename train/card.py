"""The card of published weights, in the form that the hub shows: built from what the weight files say of themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pixel_models.checkpoint import LoadedModel
from pixel_models.errors import CheckpointError
from pixel_models.hub import HubSource
from pixel_models.spec import Purpose, config_to_json

PACK = "https://github.com/pixel-kiln/pixel-kiln"
"""Where the node pack is."""

HUB_LICENCES = (
    *("apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "gpl-3.0", "unlicense", "openrail", "cc0-1.0"),
    *("cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0"),
)
"""Licences that the hub knows by name; any other is shown as `other` with its own name."""

_NODES = {
    Purpose.PIXELATE: "Pixelate (CycleGAN)",
    Purpose.TRANSLATE: "Pixelate (CycleGAN)",
    Purpose.DEPIXELATE: "Depixelate (CycleGAN)",
}
_WORK = {
    Purpose.PIXELATE: "pictures to pixel art",
    Purpose.TRANSLATE: "pictures to pictures, made into pixel art on an exact grid",
    Purpose.DEPIXELATE: "pixel art to smooth pictures",
}
_DATA = re.compile(r"(?P<source>.+?) by (?P<author>.+), (?P<licence>[^,]+)")


@dataclass(frozen=True)
class Weights:
    """One file to publish."""

    name: str
    """File name."""

    model: LoadedModel
    sha256: str

    @property
    def title(self) -> str:
        """The file's name without its suffix."""
        return self.name.rpartition(".")[0]

    def fact(self, key: str) -> str:
        """What the file says of itself under `key`.

        Raises:
            CheckpointError: it says nothing under `key`.
        """
        if text := self.model.metadata.get(key, "").strip():
            return text
        msg = f"{self.name} does not say its {key}, and weights are published with licence and data; "
        raise CheckpointError(msg + "run `python -m train.release` on it first")


def check_facts(weights: Sequence[Weights]) -> None:
    """Refuse weights that do not say what they may be used for and what they learned from.

    Raises:
        CheckpointError: one names no licence or no data.
    """
    for one in weights:
        for key in ("licence", "data"):
            one.fact(key)


def make_card(weights: Sequence[Weights], target: HubSource, pictures: Mapping[str, str], credit: str) -> str:
    """The README of the repository, in Markdown with the hub's YAML on top.

    Args:
        weights: the files, one or more.
        target: the repository and the revision that users are told to pin.
        pictures: path in the repository of a before-after picture -> name of the file that made it.
        credit: whose the pictures are, in Markdown.

    Raises:
        CheckpointError: a file names no licence or no data.
    """
    lines = [*_head(weights), f"# {target.repository.partition('/')[2]}", "", *_table(weights)]
    if pictures:
        lines += ["", *(f"![{name}: before and after]({path})" for path, name in pictures.items()), "", credit]
    lines += ["", *_use(weights, target)]
    for one in weights:
        lines += ["", f"## {one.title}", "", *_about(one)]
    return "\n".join(lines) + "\n"


def _head(weights: Sequence[Weights]) -> list[str]:
    """The hub's own fields. JSON strings are YAML too."""
    licences = sorted({one.fact("licence") for one in weights})
    known = licences[0].lower() if len(licences) == 1 and licences[0].lower() in HUB_LICENCES else "other"
    named = [] if known != "other" else [f"license_name: {json.dumps(' and '.join(licences))}"]
    tags = ["pixel-art", "comfyui", "sprites", *sorted({one.model.spec.id for one in weights})]
    head = [f"license: {known}", *named, "library_name: pixel-kiln", "pipeline_tag: image-to-image"]
    return ["---", *head, "tags:", *(f"- {json.dumps(tag)}" for tag in tags), "---"]


def _table(weights: Sequence[Weights]) -> list[str]:
    rows = ["| file | what it does | architecture | parameters | SHA-256 |", "|---|---|---|---|---|"]
    for one in weights:
        numbers = sum(parameter.numel() for parameter in one.model.module.parameters())
        spec = one.model.spec
        rows.append(
            f"| `{one.name}` | {_WORK.get(spec.purpose, spec.purpose)} | `{spec.id}` | {numbers:,} | `{one.sha256}` |"
        )
    return rows


def _use(weights: Sequence[Weights], target: HubSource) -> list[str]:
    """How to use the files in ComfyUI, from the shell and from Python."""
    lines = ["## In ComfyUI", "", f"1. Install [Pixel Kiln]({PACK}) in `ComfyUI/custom_nodes`."]
    lines += ["2. Add **Load Pixel Model**, turn `download` on, and write into `hub_model`:", ""]
    sources = {one.name: HubSource(target.repository, target.revision, one.name) for one in weights}
    lines += ["| `hub_model` | connect it to |", "|---|---|"]
    for one in weights:
        lines.append(f"| `{sources[one.name]}` | {_NODES.get(one.model.purpose, 'a node of its kind')} |")
    first = sources[weights[0].name]
    return [
        *lines, "",
        "Without a network: put the file into `ComfyUI/models/pixel_models`, press **R**, choose it as `model_name`.",
        "",
        "## From the shell and from Python", "",
        "```", f"pixel-kiln models download {first}",
        *([f"pixel-kiln {weights[0].model.purpose.value.replace('translate', 'pixelate')} IN -o OUT --model {first}"]
          if weights[0].model.purpose in _NODES else []), "```", "",
        "```python", "import pixel_models", "", f'model = pixel_models.load("{first}", download=True)', "```",
    ]  # fmt: skip


def _about(one: Weights) -> list[str]:
    """Licence, data, training, measures and limits of one file."""
    model = one.model
    paper = f" ([paper]({model.spec.paper}))" if model.spec.paper.startswith("http") else ""
    lines = [f"Architecture `{model.spec.id}`{paper}, config `{config_to_json(model.config)}`.", ""]
    lines += [f"Licence of the weights: {one.fact('licence')}.", "", "### What it learned from", ""]
    lines += _data(one.fact("data"))
    if training := _object(model.metadata.get("training", "")):
        lines += ["", "### Training", "", *(f"- {key}: {value}" for key, value in training.items())]
    metrics = _object(model.metadata.get("metrics", ""))
    if metrics and all(isinstance(row, dict) and row for row in metrics.values()):
        lines += ["", "### Measures", "", *_measures(metrics)]
    if limits := model.metadata.get("limits", "").strip():
        lines += ["", "### Where it falls short", "", limits]
    return lines


def _data(text: str) -> list[str]:
    """The sources as `train.release` notes them, `SOURCE by AUTHOR, LICENCE; …`, as a table; else the text itself."""
    matches = [_DATA.fullmatch(part.strip()) for part in text.split(";")]
    rows = [f"| {m['source']} | {m['author']} | {m['licence']} |" for m in matches if m]
    if len(rows) != len(matches):
        return [text]
    return ["The pictures keep their authors' licences.", "", "| source | author | licence |", "|---|---|---|", *rows]


def _measures(rows: Mapping[str, Mapping[str, object]]) -> list[str]:
    columns = list(next(iter(rows.values())))
    head = "| | " + " | ".join(column.replace("_", " ") for column in columns) + " |"
    body = [f"| {name} | " + " | ".join(str(row.get(c, "")) for c in columns) + " |" for name, row in rows.items()]
    return [head, "|---" * (len(columns) + 1) + "|", *body]


def _object(text: str) -> dict[str, dict[str, object]]:
    """A JSON object; empty where the text is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {"settings": text} if text.strip() else {}  # pyright: ignore[reportReturnType]
    return value if isinstance(value, dict) else {}
