"""Speed of the whole pixelation call against a classic ResNet-9 CycleGAN forward, and cost of the import.

Figures of the last line: `speedup_vs_resnet9` is the smaller of the ratios at cell 4 and cell 8 on a 512x512 picture;
`import_s` is what importing the package adds to a process that already has torch, seconds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import pixel_models  # noqa: E402  the repository is not installed
from pixel_models.image import read_rgba  # noqa: E402
from pixel_models.pixelate import pixelate  # noqa: E402
from pixel_models.registry import REGISTRY  # noqa: E402

ROUNDS = 7


def resnet9() -> nn.Module:
    """The 11,378,179-parameter generator of Zhu et al. 2017: 9 blocks, 64 filters, instance norm."""
    model = REGISTRY["resnet_generator"].build().eval()
    assert sum(p.numel() for p in model.parameters()) == 11_378_179
    return model


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def import_seconds() -> float:
    """What `import pixel_models` and its call add to a process that has torch, no model loaded."""
    code = (
        "import time, torch; t = time.perf_counter(); import pixel_models, pixel_models.pixelate;"
        "print(time.perf_counter() - t)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True) for _ in range(5)]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> None:
    """Measure in turn, A B A B, and print medians of the ratios."""
    torch.manual_seed(0)
    image = read_rgba(ROOT / "samples" / "photo_astronaut.png")[:, :3]
    model = pixel_models.load("kiln-pixelate.safetensors")
    classic = resnet9()
    ratios: dict[int, list[float]] = {4: [], 8: []}
    with torch.no_grad():
        for turn in range(ROUNDS + 1):
            slow = seconds(lambda: classic(image * 2 - 1))
            for cell, found in ratios.items():
                fast = seconds(lambda cell=cell: pixelate(model, image, cell=cell))
                if turn:  # the first warms up
                    found.append(slow / fast)
                    print(f"resnet9 {slow:.3f} s, cell {cell} {fast:.4f} s, {slow / fast:.1f} times")
    figures = {f"speedup_cell_{cell}": round(statistics.median(found), 1) for cell, found in ratios.items()}
    figures["speedup_vs_resnet9"] = min(figures.values())
    print(json.dumps({**figures, "import_s": round(import_seconds(), 3)}))


if __name__ == "__main__":
    main()
