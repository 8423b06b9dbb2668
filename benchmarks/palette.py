"""Mapping a noisy 3840x2160 picture to 256 colours against Pillow, and the error of extracted palettes.

    python benchmarks/palette.py [ASTRONAUT CAT]

The two photos are scikit-image's samples; without them those of the repository's samples are taken. `PEERS.md` brings
both to 512x512 first: the astronaut has that size; of the cat (451x300) the middle square is enlarged (bicubic).
Stretched instead, Pillow's median cut gives 2.05 where the table says 2.0, and cropped 2.01: so it was cropped there.
Pillow is `quantize(palette=..., dither=NONE)`, whose nearest is RGB and not exact; ours is Oklab. Both begin at 8-bit
pixels in memory, four bytes each, as Pillow holds RGB; from three a picture takes about a tenth longer. What does not
depend on the palette (middles of cells) is made once before. Figures of the last line: `map_4k_vs_pillow` and
`map_4k_vs_pillow_warm` are Pillow's time over ours, the first with a new table each time, the second for another frame
of the same film (goals 0.5 and 2); `map_4k_vs_pillow_again` for a frame that was seen before; `nearest_exact` is the
share of pixels, of every fourth row, as near as brute force finds (goal 1); `error_...` the mean Oklab distance x100 to
the box-downscaled 64x64 picture with 16 colours (goals 2.8 and 1.7).
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pixel_models.color import srgb_to_oklab  # noqa: E402  the repository is not installed
from pixel_models.image import from_uint8  # noqa: E402
from pixel_models.palette import IndexedImage, Palette, extract_palette, nearest_indices  # noqa: E402
from pixel_models.palette.nearest import NearestTable  # noqa: E402

ROUNDS = 5
NOISE = 8
SIZE = (3840, 2160)


def read(path: Path) -> Image.Image:
    """One RGB picture."""
    with Image.open(path) as picture:
        return picture.convert("RGB")


def square(picture: Image.Image) -> Image.Image:
    """The middle of the picture at 512x512."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side)).resize((512, 512), Image.Resampling.BICUBIC)


def frames(picture: Image.Image, count: int) -> list[Image.Image]:
    """The picture at full size with fresh noise in each frame."""
    clean = np.asarray(picture.resize(SIZE, Image.Resampling.BICUBIC)).astype(np.float32)
    rng = np.random.default_rng(1)
    noisy = [clean + NOISE * rng.standard_normal(clean.shape, np.float32) for _ in range(count)]
    return [Image.fromarray(frame.round().clip(0, 255).astype(np.uint8)) for frame in noisy]


def pixels_of(picture: Image.Image) -> Tensor:
    """`h w 3`, uint8."""
    return torch.from_numpy(np.array(picture))


def words_of(picture: Image.Image) -> Tensor:
    """`h w 4`, uint8: the layout in which Pillow itself holds RGB, the fourth byte without meaning."""
    data = bytearray(picture.tobytes("raw", "RGBX"))
    return torch.frombuffer(data, dtype=torch.uint8).view(picture.height, picture.width, 4)


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def exact_share(pixels: Tensor, palette: Palette, indices: Tensor) -> float:
    """Share of pixels whose colour is as near as the nearest by brute force in float64."""
    wanted = srgb_to_oklab(palette.colors.double() / 255, dim=1)
    good = 0
    for part, chosen in zip(pixels.reshape(-1, 3).split(2**16), indices.reshape(-1).long().split(2**16), strict=True):
        lab = srgb_to_oklab(part.double() / 255, dim=1)
        away = torch.stack([(lab - color).norm(dim=1) for color in wanted], 1)
        good += int((away.gather(1, chosen[:, None])[:, 0] <= away.min(1).values + 1e-6).sum())
    return good / indices.numel()


def error(picture: Image.Image) -> float:
    """Mean Oklab distance x100 of the picture, as a square at 64x64, to 16 colours of its own."""
    rgb = from_uint8(pixels_of(square(picture).resize((64, 64), Image.Resampling.BOX))).permute(2, 0, 1)[None]
    palette = extract_palette(rgb, 16)
    mapped = IndexedImage(nearest_indices(rgb, palette), palette).to_rgb()
    return float((srgb_to_oklab(rgb) - srgb_to_oklab(mapped)).norm(dim=1).mean() * 100)


def main() -> None:
    """Measure, and print the figures as the last line."""
    names = sys.argv[1:3] or [ROOT / "samples" / f"photo_{name}.png" for name in ("astronaut", "cat")]
    photos = [read(Path(name)) for name in names]
    film = frames(photos[0], 2)
    plain = film[0].resize((256, 256)).quantize(256, Image.Quantize.MEDIANCUT)
    entries = plain.getpalette()
    assert entries is not None
    palette = Palette(torch.tensor(entries, dtype=torch.uint8).view(-1, 3))
    first, second = (words_of(frame) for frame in film)
    times: dict[str, list[float]] = {"pillow": [], "cold": [], "warm": [], "again": []}
    table = NearestTable(palette)
    for _ in range(ROUNDS):
        times["pillow"].append(seconds(lambda: film[0].quantize(palette=plain, dither=Image.Dither.NONE)))
        times["cold"].append(seconds(lambda: NearestTable(palette).indices(first)))
        table = NearestTable(palette)
        table.indices(first)
        times["warm"].append(seconds(lambda: table.indices(second)))  # noqa: B023  called at once
        times["again"].append(seconds(lambda: table.indices(second)))  # noqa: B023
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    print(", ".join(f"{name} {taken * 1e3:.1f} ms" for name, taken in middle.items()))
    figures = {
        "map_4k_vs_pillow": middle["pillow"] / middle["cold"],
        "map_4k_vs_pillow_warm": middle["pillow"] / middle["warm"],
        "map_4k_vs_pillow_again": middle["pillow"] / middle["again"],
        "nearest_exact": exact_share(first[::4, :, :3], palette, table.indices(first)[::4]),
    }
    figures |= {f"error_{name}": error(photo) for name, photo in zip(("astronaut", "cat"), photos, strict=False)}
    print(json.dumps({name: round(figure, 6) for name, figure in figures.items()}))


if __name__ == "__main__":
    main()
