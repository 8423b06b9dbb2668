"""A program: loads weight files within 1 GiB and reports on each, so that a test can see what a hostile one does.

Reads from standard input a JSON list of `{"path", "purpose", "io"}`, the last two may be null: `io` is a safetensors
file with the input `in/x` and the output `out/y`. Writes one JSON object a line, and last the peak of memory.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

import pixel_models
from hostile.guard import limit_memory, peak_bytes
from pixel_models import legacy
from pixel_models.errors import PixelModelError


def report(path: Path, purpose: str | None, io: str | None) -> dict[str, Any]:
    """What comes of loading one file."""
    began = time.perf_counter()
    told: dict[str, Any] = {"name": path.name, "difference": None, "arch": None, "notes": None}
    try:
        model = pixel_models.load(path, purpose=purpose)
        told |= {"error": None, "message": "", "arch": model.spec.id, "notes": model.metadata.get("layout")}
        if io is not None:
            expected = load_file(io)
            with torch.no_grad():
                told["difference"] = float((model.module(expected["in/x"]) - expected["out/y"]).abs().max())
    except PixelModelError as error:
        told |= {"error": type(error).__name__, "message": str(error)}
    except Exception as error:  # noqa: BLE001  the test says that there must be none
        told |= {"error": f"unexpected {type(error).__name__}", "message": str(error)}
    return told | {"seconds": time.perf_counter() - began}


def main() -> None:
    """Load, report."""
    tasks = json.load(sys.stdin)
    assert legacy.load_file
    limit_memory()
    for task in tasks:
        sys.stdout.write(json.dumps(report(Path(task["path"]), task.get("purpose"), task.get("io"))) + "\n")
    sys.stdout.write(json.dumps({"peak_bytes": peak_bytes()}) + "\n")


if __name__ == "__main__":
    main()
