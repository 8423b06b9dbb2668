"""Pictures a second of `pixel-kiln batch` against one `pixel-kiln pixelate` for each picture, and its memory.

Figures of the last line: `speedup_vs_one_by_one` is the time of a picture in a command of its own over that in a batch
of 600 with two workers, start-up included in both; `per_second_1` and `per_second_2` are pictures a second with one and
two workers once they have started (what 500 more pictures take); `second_worker` is the ratio of these two, 2 at best;
`start_1` and `start_2` are the seconds before; `peak_mb_growth` what the peak of the working process grows by from 50
to 1000 small pictures, MB; `load_before` the load of the machine before: other programs slow the second worker.
"""

from __future__ import annotations

import json
import os
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
SOME, TOGETHER = 100, 600
REPEATS = 2
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
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = pictures(folder / "in", TOGETHER, SIDE)
        some = pictures(folder / "some", SOME, SIDE)
        alone = min(
            seconds("pixelate", str(source / f"{number:05}.png"), "-o", str(folder / f"{number}.png"))
            for number in range(ALONE)
        )
        print(f"one command for each picture: {alone:.2f} s a picture")
        took: dict[tuple[int, int], float] = {}
        for _ in range(REPEATS):  # in turn, so that what else the machine does meets all alike
            for workers in (1, 2):
                for count, pile in ((SOME, some), (TOGETHER, source)):
                    out = ["-o", str(folder / "out"), "--overwrite"]
                    wall = seconds("batch", str(pile), *out, "--workers", str(workers))
                    print(f"{workers} workers: {wall:.2f} s for {count} pictures")
                    took[workers, count] = min(wall, took.get((workers, count), wall))
        each = {workers: (took[workers, TOGETHER] - took[workers, SOME]) / (TOGETHER - SOME) for workers in (1, 2)}
        few = peak_mb(pictures(folder / "few", FEW, 32), folder / "few-out")
        many = peak_mb(pictures(folder / "many", MANY, 32), folder / "many-out")
        print(f"peak memory: {few:.1f} MB for {FEW}, {many:.1f} MB for {MANY}")
        figures = {
            "speedup_vs_one_by_one": round(alone * TOGETHER / took[2, TOGETHER], 1),
            "per_second_1": round(1 / each[1], 2),
            "per_second_2": round(1 / each[2], 2),
            "second_worker": round(each[1] / each[2], 2),
            "start_1": round(took[1, SOME] - SOME * each[1], 1),
            "start_2": round(took[2, SOME] - SOME * each[2], 1),
            "peak_mb_growth": round(many - few, 1),
            "load_before": round(load, 1),
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
