"""Pictures a second of `pixel-kiln batch` against one `pixel-kiln pixelate` for each picture, and its memory.

Figures of the last line: `speedup_vs_one_by_one` is the time of a picture in a command of its own over that in a batch
with two workers, start-up included in both; `per_second_1` and `per_second_2` are pictures a second with one and two
workers; `peak_mb_growth` what the peak of the working process grows by from 50 to 1000 small pictures, MB.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
SIDE = 128
ALONE = 4
TOGETHER = 300
FEW, MANY = 50, 1000


def pictures(folder: Path, count: int, side: int) -> Path:
    """Cuts of the samples, no two alike, with captions."""
    folder.mkdir()
    wide = []
    for path in sorted((ROOT / "samples").glob("*.png")):
        with Image.open(path) as image:
            wide.append(image.convert("RGB").resize((2 * side, 2 * side), Image.Resampling.BICUBIC))
    for number in range(count):
        left, top = number % side, number // 7 % side
        wide[number % len(wide)].crop((left, top, left + side, top + side)).save(folder / f"{number:05}.png")
        (folder / f"{number:05}.txt").write_text(f"picture {number}\n")
    return folder


def seconds(*words: str) -> float:
    """Wall time of a `pixel-kiln` command in a process of its own."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pixel_models", *words], cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - began


def peak_mb(source: Path, out: Path) -> float:
    """Peak memory of a process that makes a whole set, MB."""
    command = [sys.executable, str(Path(__file__).resolve()), "--peak", str(source), str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = pictures(folder / "in", TOGETHER, SIDE)
        alone = min(
            seconds("pixelate", str(source / f"{number:05}.png"), "-o", str(folder / f"{number}.png"))
            for number in range(ALONE)
        )
        print(f"one command for each picture: {alone:.2f} s a picture")
        rates: dict[int, float] = {}
        for workers in (1, 2):
            took = seconds("batch", str(source), "-o", str(folder / f"out{workers}"), "--workers", str(workers))
            rates[workers] = TOGETHER / took
            print(f"{workers} workers: {took:.2f} s for {TOGETHER} pictures, {rates[workers]:.2f} a second")
        few = peak_mb(pictures(folder / "few", FEW, 32), folder / "few-out")
        many = peak_mb(pictures(folder / "many", MANY, 32), folder / "many-out")
        print(f"peak memory: {few:.1f} MB for {FEW}, {many:.1f} MB for {MANY}")
        figures = {
            "speedup_vs_one_by_one": round(alone * rates[2], 1),
            "per_second_1": round(rates[1], 2),
            "per_second_2": round(rates[2], 2),
            "peak_mb_growth": round(many - few, 1),
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        sys.path.insert(0, str(ROOT))
        from pixel_models.cli import main as pixel_kiln

        pixel_kiln(["batch", sys.argv[2], "-o", sys.argv[3], "--to", "webdataset", "--workers", "1"])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    else:
        main()
