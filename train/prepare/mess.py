"""Makes a folder of sheets, animations and doubles out of known sprites, to measure what `--find` brings back."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter

from pixel_models.spritefiles import write_art

from .forms import form_of
from .model import Pixels

_COLORS = ((255, 255, 255), (255, 0, 255), (72, 84, 110), (0, 0, 0))
"""Backgrounds."""


@dataclass
class Mess:
    """What was put where."""

    folder: Path
    rng: np.random.Generator
    wanted: list[tuple[str, str, list[Pixels]]] = field(default_factory=list)
    """Path, kind, and the sprites that are in it, cropped."""
    doubles: list[tuple[str, str]] = field(default_factory=list)
    """Path and disguise."""

    def put(self, name: str, kind: str, sprites: Sequence[Pixels], write: Callable[[Path], object]) -> None:
        """Write one file and note what is in it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
        self.wanted.append((name, kind, [crop(sprite) for sprite in sprites]))


def read_pool(archives: Sequence[Path], rng: np.random.Generator) -> list[Pixels]:
    """Sprites of zips with a manifest that flags their doubles: distinct ones with hard alpha, shuffled."""
    pool: list[Pixels] = []
    seen: set[str] = set()
    for archive in archives:
        with zipfile.ZipFile(archive) as file:
            name = next(name for name in file.namelist() if name.endswith("manifest.csv"))
            for row in csv.DictReader(io.StringIO(file.read(name).decode())):
                plain = row["tier"] == "1" and not row["flags"] and row["generated"] == "0"
                if plain and float(row["alpha_coverage"]) < 0.95 and float(row["soft_alpha"]) == 0:
                    data = file.read(name.removesuffix("manifest.csv") + row["path"])
                    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
                    pixels = pixels * (pixels[..., 3:] >= 128)
                    key = form_of(pixels).shape
                    if 12 <= max(pixels.shape[:2]) <= 36 and min(crop(pixels).shape[:2]) >= 6 and key not in seen:
                        seen.add(key)
                        pool.append(pixels)
    return [pool[index] for index in rng.permutation(len(pool))]


def make_mess(folder: Path, pool: list[Pixels], rng: np.random.Generator, count: int) -> Mess:
    """Write `count` files of most kinds, and four times as many doubles; `pool` is used up from its end."""
    mess = Mess(folder, rng)

    def take(number: int) -> list[Pixels]:
        return [pool.pop() for _ in range(number)]

    for index in range(count):
        sprites, gap = take(int(rng.integers(9, 49))), int(rng.choice([0, 0, 1, 2]))
        sheet = in_cells(
            sprites, int(rng.integers(3, 9)), int(rng.choice([36, 40, 48])), gap, int(rng.choice([0, gap]))
        )
        mess.put(f"cells/{index}.png", "regular cells", sprites, Image.fromarray(sheet).save)
        sprites = [s for s in take(int(rng.integers(16, 40))) if s.shape[:2] == (32, 32)]
        sheet = in_cells(sprites, int(rng.integers(3, 7)), 32, 0, 0)
        mess.put(f"tight/{index}.png", "cells without gaps", sprites, Image.fromarray(sheet).save)
        sprites = [crop(sprite) for sprite in take(int(rng.integers(8, 40)))]
        sheet, kind = packed(sprites, rng), "packed anyhow"
        if index % 2:
            sheet, kind = on(sheet, _COLORS[index // 2 % 3]), "packed on a plain colour"
        mess.put(f"packed/{index}.png", kind, sprites, Image.fromarray(sheet).save)
        sprites = take(int(rng.integers(4, 16)))
        sheet = large(in_cells(sprites, 4, 40, 0, 0), int(rng.choice([2, 3, 4, 8])))
        mess.put(f"large/{index}.png", "sheet, 2 to 8 times enlarged", sprites, Image.fromarray(sheet).save)
        sprites, times = take(int(rng.integers(4, 13))), int(rng.choice([3, 4, 6, 8]))
        sheet = Image.fromarray(on(large(in_cells(sprites, 4, 40, 0, 0), times), _COLORS[0])).convert("RGB")
        quality = int(rng.choice([75, 85, 92]))
        mess.put(
            f"jpeg/{index}.jpg",
            "sheet, 3 to 8 times, JPEG",
            sprites,
            lambda p, s=sheet, q=quality: s.save(p, quality=q),
        )
        _singles(mess, take, index)
    _disguise(mess, count)
    return mess


def _singles(mess: Mess, take: Callable[[int], list[Pixels]], index: int) -> None:
    """One sprite a file, in several states, and an animation."""
    rng, white = mess.rng, _COLORS[0]
    one = take(1)
    mess.put(f"plain/{index}.png", "sprite", one, Image.fromarray(one[0]).save)
    one = take(1)
    picture = Image.fromarray(on(np.pad(one[0], ((2, 2), (2, 2), (0, 0))), _COLORS[index % 4]))
    mess.put(f"ground/{index}.png", "sprite on a plain colour", one, picture.save)
    one = take(1)
    base = on(np.pad(one[0], ((3, 3), (3, 3), (0, 0))), white)
    picture = Image.fromarray(large(base, int(rng.choice([4, 6, 8, 10])))).convert("RGB")
    mess.put(f"jpegs/{index}.jpg", "sprite, 4 to 10 times, JPEG", one, lambda p: picture.save(p, quality=85))
    one = take(1)
    base = on(np.pad(one[0], ((3, 3), (3, 3), (0, 0))), white)
    blurred = Image.fromarray(large(base, int(rng.choice([4, 6, 8])))).filter(ImageFilter.GaussianBlur(0.8))
    mess.put(f"blurred/{index}.png", "sprite, 4 to 8 times, blurred", one, blurred.save)
    one = take(1)
    small = Image.fromarray(on(np.pad(one[0], ((3, 3), (3, 3), (0, 0))), white))
    times = int(rng.choice([3, 4, 6]))
    smooth = small.resize((small.width * times, small.height * times), Image.Resampling.BILINEAR)
    mess.put(f"bilinear/{index}.png", "sprite, 3 to 6 times, bilinear", one, smooth.save)
    one = take(1)
    still = np.pad(one[0], ((3, 3), (3, 3), (0, 0)))
    dark = np.concatenate([still[..., :3] // 2, still[..., 3:]], axis=2)
    frames = [np.roll(frame, shift, 0) for frame in (still, dark) for shift in (0, 2, -2)]
    batch = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 255
    mess.put(f"moving/{index}.gif", "frames of a GIF", [still, dark], lambda p: write_art(p, batch))


def _disguise(mess: Mess, count: int) -> None:
    """Doubles of what is there already: mirrored, recoloured, shifted, mirrored and recoloured."""
    sharp = ("regular cells", "cells without gaps", "packed anyhow", "sprite")
    there = [sprite for _, kind, sprites in mess.wanted if kind in sharp for sprite in sprites]
    for number, index in enumerate(mess.rng.permutation(len(there))[: 4 * count].tolist()):
        how = ("mirrored", "recoloured", "shifted", "mirrored and recoloured")[number % 4]
        sprite = there[index][:, ::-1] if "mirrored" in how else there[index]
        if "recoloured" in how:
            sprite = np.concatenate([255 - sprite[..., [1, 2, 0]], sprite[..., 3:]], axis=2) * (sprite[..., 3:] > 0)
        room = [(int(a), int(b)) for a, b in mess.rng.integers(0, 5, (2, 2))]
        name = f"more/{number}.png"
        (mess.folder / "more").mkdir(exist_ok=True)
        Image.fromarray(np.ascontiguousarray(np.pad(sprite, (*room, (0, 0))))).save(mess.folder / name)
        mess.doubles.append((name, how))


def crop(pixels: Pixels) -> Pixels:
    """Without empty margins."""
    rows, columns = ((pixels[..., 3] >= 128).any(axis=axis).nonzero()[0] for axis in (1, 0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else pixels[:0, :0]


def large(pixels: Pixels, times: int) -> Pixels:
    """Every pixel so many times along both axes."""
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def on(pixels: Pixels, color: tuple[int, int, int]) -> Pixels:
    """Opaque, on a plain colour."""
    ground = np.empty_like(pixels)
    ground[...] = (*color, 255)
    return np.where(pixels[..., 3:] > 0, pixels, ground)


def in_cells(sprites: Sequence[Pixels], columns: int, cell: int, gap: int, margin: int) -> Pixels:
    """Sprites at the middle of the bottom of square cells."""
    rows = -(-len(sprites) // columns)
    height, width = (2 * margin + number * (cell + gap) - gap for number in (rows, columns))
    sheet = np.zeros((height, width, 4), np.uint8)
    for index, sprite in enumerate(sprites):
        h, w = sprite.shape[:2]
        x = margin + index % columns * (cell + gap) + (cell - w) // 2
        y = margin + index // columns * (cell + gap) + cell - h
        sheet[y : y + h, x : x + w] = sprite
    return sheet


def packed(sprites: Sequence[Pixels], rng: np.random.Generator, width: int = 256) -> Pixels:
    """Sprites in rows with gaps of 2 to 8 pixels."""
    places: list[tuple[int, int]] = []
    x = y = int(rng.integers(2, 9))
    tall = 0
    for sprite in sprites:
        h, w = sprite.shape[:2]
        if x + w + 2 > width:
            x, y, tall = int(rng.integers(2, 9)), y + tall + int(rng.integers(2, 9)), 0
        places.append((x, y))
        x, tall = x + w + int(rng.integers(2, 9)), max(tall, h)
    sheet = np.zeros((y + tall + 3, width, 4), np.uint8)
    for sprite, (left, top) in zip(sprites, places, strict=True):
        sheet[top : top + sprite.shape[0], left : left + sprite.shape[1]] = sprite
    return sheet
