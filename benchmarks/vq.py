"""Encoding and decoding 64 sprites of 64x64 through a Pixel VQ-VAE against the plain network, in one run.

    python benchmarks/vq.py [PICTURE ...]

Plain is `module.encode` and `module.decode` of the whole batch under `torch.inference_mode` with the default threads;
ours is `codes.encode` from pixels with alpha, and `codes.decode`, checks and alpha included. The models are the paper's
Pixel VQ-VAEs (256 codes, 512 features) with alpha, untrained: speed depends on the pictures, not on the weights.

Without arguments the sprites are 64 of the project's test split, each in the middle of a transparent canvas, where the
data lie beside the repository (`../shared/data`). Elsewhere they are the nine of the repository's samples (David
Gervais' tiles, 32x32), each with its channels in all six orders, and ten of those inverted as well, each moved by
another few pixels, so that the 64 pictures are no copies of each other. With arguments: the first 64 of these files
that fit the canvas.

Figures of the last line are plain time over ours, each the least of several calls (a few seconds for plain, thousandths
of one for ours: on a computer with other work to do their relation says little). Cold is the first call with a new
model, whose table of patches is still to be made; encoding keeps nothing between calls, so that its warm figure is
another call's and no more. `decode_hires` is the cold figure of Pixel HiRes (goal 50). `encode_sprites` is the cold
figure of all three models together: the sum of their plain times over the sum of ours (goal 10). The two with `_cpu`
are the same from the processor's time of all threads, which other work hardly changes. `agree` is the share of codes
that are the plain network's (two may tie to rounding).
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import statistics
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pixel_models.archs.vqvae import VQVAE, VQVAEConfig  # noqa: E402  the repository is not installed
from pixel_models.checkpoint import LoadedModel  # noqa: E402
from pixel_models.codes import decode, encode  # noqa: E402
from pixel_models.registry import REGISTRY  # noqa: E402
from pixel_models.sheets import slice_sheet  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "sprites_cc0.zip"
COUNT, SIDE = 64, 64
PLAIN_ROUNDS, OUR_ROUNDS = 3, 10
MODELS = {"hires": (0, 32), "medres": (1, 32), "lowres": (2, 64)}


def read(path: Path | io.BytesIO) -> Tensor:
    """`1 4 h w`, float32 in [0, 1]."""
    with Image.open(path) as picture:
        pixels = np.array(picture.convert("RGBA"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def canvas(sprite: Tensor, down: int = 0, right: int = 0) -> Tensor:
    """The sprite `1 4 h w` in the middle of a transparent canvas, and a little beside it."""
    top, left = (SIDE - sprite.shape[2]) // 2 + down, (SIDE - sprite.shape[3]) // 2 + right
    return F.pad(sprite, (left, SIDE - sprite.shape[3] - left, top, SIDE - sprite.shape[2] - top))


def own_sprites() -> Tensor:
    """`64 4 64 64`: the repository's nine sprites in other colours."""
    sheet = slice_sheet(read(ROOT / "samples" / "sheet_monsters.png")[0])
    nine = [read(ROOT / "samples" / "sprite_dragon.png"), *(frame.rgba[None] for frame in sheet.frames)]
    made: list[Tensor] = []
    for turn, (inverted, order) in enumerate(itertools.product((False, True), itertools.permutations(range(3)))):
        for place, sprite in enumerate(nine):
            rgb, alpha = sprite[:, list(order)], sprite[:, 3:]
            colored = torch.cat([(1 - rgb if inverted else rgb) * (alpha > 0), alpha], 1)
            made.append(canvas(colored, turn - 4, (place * 5 + turn) % 9 - 4))
    return torch.cat(made[:COUNT])


def held_out_sprites(archive: Path) -> Tensor:
    """`64 4 64 64`: sprites of the data's test split that stand alone, as many from each part of it."""
    with zipfile.ZipFile(archive) as file:
        rows = list(csv.DictReader(io.StringIO(file.read("manifest.csv").decode())))
        fitting = [
            row["path"]
            for row in rows
            if (row["split"], row["tier"]) == ("test", "1") and max(int(row["width"]), int(row["height"])) <= SIDE
        ]
        chosen = fitting[:: len(fitting) // COUNT][:COUNT]
        return torch.cat([canvas(read(io.BytesIO(file.read(path)))) for path in chosen])


def given_sprites(paths: list[str]) -> Tensor:
    """`64 4 64 64`: the first files that fit."""
    fitting = (picture for picture in map(read, map(Path, paths)) if max(picture.shape[2:]) <= SIDE)
    return torch.cat([canvas(picture) for picture in itertools.islice(fitting, COUNT)])


def new_model(layers: int, embedding: int, number: int) -> LoadedModel:
    """An untrained model with alpha, whose codes are features of random pixels."""
    torch.manual_seed(number)
    module = VQVAE(VQVAEConfig(layers=layers, embedding=embedding, channels=4)).eval()
    with torch.no_grad():
        features = module.encoder(torch.rand(1, 4, SIDE, SIDE)).flatten(2)[0].T  # n d
        module.vq_vae.start_from(features[torch.randperm(len(features))[: module.config.codes]])
    return LoadedModel(module, REGISTRY["vqvae"], module.config, f"{number:016x}")


class Stopwatch:
    """The least time that each step has taken."""

    def __init__(self) -> None:
        """Nothing has been timed."""
        self.wall: dict[str, float] = {}
        self.processor: dict[str, float] = {}

    def time(self, step: str, call: Callable[[], Any]) -> Any:  # noqa: ANN401  whatever it gives
        """Call and take the time."""
        wall, processor = time.perf_counter(), time.process_time()
        made = call()
        for times, began, now in (
            (self.processor, processor, time.process_time()),
            (self.wall, wall, time.perf_counter()),
        ):
            times[step] = min(times.get(step, now - began), now - began)
        return made


def measure(name: str, sprites: Tensor) -> tuple[Stopwatch, float]:
    """The times with one model, and the share of codes on which we agree."""
    rgb, alpha = sprites[:, :3].contiguous(), sprites[:, 3:].contiguous()
    seen = torch.cat([rgb * alpha, alpha], 1)
    watch = Stopwatch()
    with torch.inference_mode():
        plain: Any = new_model(*MODELS[name], 0).module
        wanted = plain.encode(seen)
        for _ in range(PLAIN_ROUNDS):
            wanted = watch.time("encode plain", lambda: plain.encode(seen))
            watch.time("decode plain", lambda: plain.decode(wanted))  # noqa: B023  called at once
        for number in range(OUR_ROUNDS):
            model = new_model(*MODELS[name], number)
            for state in ("cold", "warm"):
                codes = watch.time(f"encode {state}", lambda: encode(model, rgb, alpha))  # noqa: B023
                watch.time(f"decode {state}", lambda: decode(model, codes))  # noqa: B023
        agree = float((encode(new_model(*MODELS[name], 0), rgb, alpha).indices == wanted).float().mean())
    told = (f"{step} {value * 1e3:.1f} ({watch.processor[step] * 1e3:.1f}) ms" for step, value in watch.wall.items())
    print(f"{name}, wall (processor): " + ", ".join(told), flush=True)
    return watch, agree


def main() -> None:
    """Measure, and print the figures as the last line."""
    if sys.argv[1:]:
        sprites = given_sprites(sys.argv[1:])
    else:
        sprites = held_out_sprites(DATA) if DATA.is_file() else own_sprites()
    colors = {bytes(color) for color in (sprites.permute(0, 2, 3, 1).reshape(-1, 4) * 255).round().byte().numpy()}
    covered = float((sprites[:, 3] >= 0.5).float().mean())
    print(f"{len(sprites)} pictures, {len(colors)} colours, {covered:.0%} of the pixels opaque")
    found = {name: measure(name, sprites) for name in MODELS}
    figures = {
        f"{act}_{name}{end}": watch.wall[f"{act} plain"] / watch.wall[f"{act} {state}"]
        for name, (watch, _) in found.items()
        for act in ("encode", "decode")
        for state, end in (("cold", ""), ("warm", "_warm"))
    }
    for end, times in (
        ("", [watch.wall for watch, _ in found.values()]),
        ("_cpu", [watch.processor for watch, _ in found.values()]),
    ):
        plain, ours = (sum(taken[f"encode {way}"] for taken in times) for way in ("plain", "cold"))
        figures[f"encode_sprites{end}"] = plain / ours
    hires = found["hires"][0].processor
    figures["decode_hires_cpu"] = hires["decode plain"] / hires["decode cold"]
    figures["agree"] = statistics.mean(share for _, share in found.values())
    print(json.dumps({name: round(figure, 6) for name, figure in figures.items()}))


if __name__ == "__main__":
    main()
