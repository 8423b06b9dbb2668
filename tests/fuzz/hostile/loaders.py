"""Changes good weight files and loads them, within 1 GiB: nothing but our own errors may come of it, and in 10 s.

`PYTHONPATH=.:tests/fuzz python -m hostile.loaders --cases 10000 --seed 1`: the last line is a JSON object of figures.
`--keep FOLDER` takes the files that break the rule.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from types import FrameType

import torch

from hostile.changes import change
from hostile.guard import limit_memory, peak_bytes
from hostile.seeds import write_seeds
from pixel_models.errors import PixelModelError
from pixel_models.legacy import load_file

MOST_SECONDS = 10


class TooLongError(Exception):
    """A case has taken `MOST_SECONDS`."""


def too_long(number: int, frame: FrameType | None) -> None:
    """End the case."""
    raise TooLongError


def main() -> int:
    """Run the cases; the exit status is 1 when one broke the rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the files that break the rule")
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    signal.signal(signal.SIGALRM, too_long)
    came = Counter[str]()
    broken: list[str] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = [(path.suffix, path.read_bytes()) for path in write_seeds(folder)]
        for path in folder.iterdir():
            load_file(path)  # what torch imports late is imported before the limit
        limit_memory()
        for number in range(arguments.cases):
            rng = random.Random(arguments.seed * 1_000_003 + number)  # noqa: S311
            suffix, data = rng.choice(good)
            path = folder / f"case{suffix}"
            path.write_bytes(change(data, rng))
            trouble = ""
            began = time.perf_counter()
            signal.alarm(MOST_SECONDS)
            try:
                load_file(path)
                came["loaded"] += 1
            except PixelModelError as error:
                came[type(error).__name__] += 1
                if not str(error).startswith(path.name):
                    trouble = f"the complaint does not name the file: {error}"
            except Exception:  # noqa: BLE001  this is what is looked for
                trouble = traceback.format_exc(limit=-4)
            finally:
                signal.alarm(0)
            if trouble:
                broken.append(f"case {number}: {trouble}")
                if arguments.keep:
                    (arguments.keep / f"{arguments.seed}-{number}{suffix}").write_bytes(path.read_bytes())
            slowest = max(slowest, time.perf_counter() - began)
            assert sorted(p.name for p in folder.glob("case*")) == [path.name]
            path.unlink()
    told = {"cases": arguments.cases, **came, "slowest_s": round(slowest, 3)}
    told |= {"peak_mib": peak_bytes() // 2**20, "broken": len(broken)}
    sys.stdout.write("\n".join([*broken[:20], json.dumps(told)]) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
