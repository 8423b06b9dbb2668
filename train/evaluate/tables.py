"""Tables as text, CSV and pictures."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

_GREY = (72, 72, 88)
_GAP = 4


def columns_of(table: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Every column that some row has, in the order they are met."""
    return list(dict.fromkeys(key for row in table.values() for key in row))


def write_csv(path: Path, table: Mapping[str, Mapping[str, object]]) -> None:
    """A row a line, its name first; what a row does not have stays empty."""
    beside = path.with_name(path.name + ".partial")
    with beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["model", *columns_of(table)])
        writer.writeheader()
        writer.writerows({"model": name, **row} for name, row in table.items())
    beside.replace(path)


def write_markdown(path: Path, table: Mapping[str, Mapping[str, object]]) -> str:
    """The same as a Markdown table; returns its text."""
    columns = columns_of(table)
    lines = ["| | " + " | ".join(c.replace("_", " ") for c in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(_cell(row.get(c)) for c in columns) + " |" for name, row in table.items()]
    text = "\n".join(lines)
    beside = path.with_name(path.name + ".partial")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(path)
    return text


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{int(value):,}" if isinstance(value, float) and value >= 1000 else str(value)


def labelled_sheet(rows: Mapping[str, Sequence[Tensor] | Tensor], scale: int) -> Image.Image:
    """Rows of pictures `3 h w` in [0, 1], every pixel a square of `scale` pixels, the row's name before them."""
    font = ImageFont.load_default(14)
    label = 10 + max(int(font.getlength(name)) for name in rows)
    pictures = {name: [_enlarged(p, scale) for p in row] for name, row in rows.items()}
    heights = [max(p.height for p in row) + _GAP for row in pictures.values()]
    width = label + max(sum(p.width + _GAP for p in row) for row in pictures.values())
    canvas = Image.new("RGB", (width, sum(heights) + _GAP), _GREY)
    draw, top = ImageDraw.Draw(canvas), _GAP
    for (name, row), height in zip(pictures.items(), heights, strict=True):
        draw.text((5, top + (height - _GAP) // 2 - 8), name, fill="white", font=font)
        left = label
        for picture in row:
            canvas.paste(picture, (left, top))
            left += picture.width + _GAP
        top += height
    return canvas


def _enlarged(picture: Tensor, scale: int) -> Image.Image:
    pixels = (picture.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
