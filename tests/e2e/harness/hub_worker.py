"""A program that loads models as it is told, a JSON object a line: huggingface_hub reads its variables only once."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pixel_models
from pixel_models.hub import locate


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """Do one thing; say what came of it."""
    os.environ["HF_TOKEN"] = order.get("token", "")
    options = {"folders": order.get("folders", ()), "download": order.get("download", False)}
    began = time.perf_counter()
    told: dict[str, Any] = {"error": "", "message": ""}
    steps: list[tuple[int, int]] = []

    def cancel_at(done: int, total: int) -> None:
        steps.append((done, total))
        if order.get("cancel"):
            raise KeyError("cancelled")

    try:
        if order["call"] == "load":
            model = pixel_models.load(order["source"], purpose=order.get("purpose"), callback=cancel_at, **options)
            told |= {"arch": model.spec.id, "fingerprint": model.fingerprint}
        else:
            found = locate(order["source"], callback=cancel_at, **options)
            told |= {"path": str(found.path), "sha256": found.sha256, "size": Path(found.path).stat().st_size}
    except Exception as error:  # noqa: BLE001 - the test looks at what it is
        told |= {"error": type(error).__name__, "message": str(error)}
    return {**told, "seconds": time.perf_counter() - began, "steps": steps, "hub": "huggingface_hub" in sys.modules}


def main() -> None:
    """Answer every line until there are no more."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
