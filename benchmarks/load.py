"""Time and peak memory to load weights, against the plainest way: build, safetensors' load_file, load_state_dict.

Both ways give a float32 network on the CPU; ours also checks shapes, dtypes, finite numbers and the SHA-256. Figures of
the last line: `load_ratio` is the largest ratio of times among the shipped weights (goal: at most 1.5), and
`load_peak_ratio` the largest of what loading adds to a process's memory; `classic_...` are the same of a ResNet-9
generator of 45 MB in our layout, and `foreign_ratio` its .pth against torch.load(weights_only=True).
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pixel_models.checkpoint import save_checkpoint  # noqa: E402  the repository is not installed
from pixel_models.hub import WEIGHTS  # noqa: E402
from pixel_models.legacy import load_file as load_ours  # noqa: E402
from pixel_models.registry import REGISTRY, SHIPPED  # noqa: E402
from pixel_models.spec import config_from_json  # noqa: E402

ROUNDS = 21
CLASSIC = REGISTRY["resnet_generator"]


def load_plainly(path: Path) -> nn.Module:
    """What one would write by hand."""
    if path.suffix == ".pth":
        module = CLASSIC.build()
        module.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        return module.eval()
    with safe_open(path, framework="pt") as file:
        told = file.metadata()
    spec = REGISTRY[told["arch"]]
    module = spec.build(config_from_json(spec, told["config"]))
    module.load_state_dict(load_file(path))
    return module.eval()


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def time_ratio(path: Path) -> float:
    """Ours to plain, the median of turns A B A B; the first turn warms up."""
    turns = [(seconds(lambda: load_ours(path)), seconds(lambda: load_plainly(path))) for _ in range(ROUNDS + 1)]
    ours, plain = (statistics.median(times) for times in zip(*turns[1:], strict=True))
    ratio = statistics.median(a / b for a, b in turns[1:])
    print(f"{path.name}: ours {ours * 1e3:.1f} ms, plain {plain * 1e3:.1f} ms, {ratio:.2f} times")
    return ratio


def peak_ratio(path: Path, tiny: Path) -> float:
    """Ours to plain, by what the first load of a fresh process adds to its peak; the median of three each."""
    added: dict[str, float] = {}
    for way in ("ours", "plain"):
        command = [sys.executable, __file__, way, str(path), str(tiny)]
        runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(3)]
        added[way] = statistics.median(map(float, runs))
    print(f"{path.name}: ours adds {added['ours']:.1f} MiB, plain {added['plain']:.1f} MiB")
    return added["ours"] / added["plain"]


def print_peak(way: str, path: Path, tiny: Path) -> None:
    """In a process of its own: load, and print the MiB that this added to the peak of memory."""
    load = load_ours if way == "ours" else load_plainly
    load(tiny)  # what torch imports late is not counted
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    before = peak_mebibytes()
    kept = load(path)
    assert kept is not None
    print(peak_mebibytes() - before)


def peak_mebibytes() -> float:
    """The most memory that this process has held, MiB."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert match is not None, "needs Linux"
    return int(match[1]) / 1024


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        tiny, classic, foreign = (Path(name) / n for n in ("tiny.safetensors", "resnet9.safetensors", "net_G_A.pth"))
        save_checkpoint(tiny, CLASSIC.build(CLASSIC.tiny), CLASSIC, CLASSIC.tiny, {})
        module = CLASSIC.build()
        save_checkpoint(classic, module, CLASSIC, CLASSIC.config(), {})
        torch.save(module.state_dict(), foreign)
        shipped = [WEIGHTS / entry.name for entry in SHIPPED]
        figures = {
            "load_ratio": max(time_ratio(path) for path in shipped),
            "load_peak_ratio": max(peak_ratio(path, tiny) for path in shipped),
            "classic_ratio": time_ratio(classic),
            "classic_peak_ratio": peak_ratio(classic, tiny),
            "foreign_ratio": time_ratio(foreign),
            "foreign_peak_ratio": peak_ratio(foreign, tiny),
        }
    print(json.dumps({key: round(value, 2) for key, value in figures.items()}))


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print_peak(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
