"""A running `hub_worker.py`: a program of its own that looks for models and loads them, told what to do by a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Told = dict[str, Any]


class Worker:
    """One such program."""

    def __init__(self, root: Path, home: Path, environ: Mapping[str, str]) -> None:
        """Starts it with `home` as huggingface_hub's folder."""
        self.home = home
        command = [sys.executable, str(Path(__file__).with_name("hub_worker.py"))]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGINGFACE_"))}
        path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.process = subprocess.Popen(
            command, cwd=home.parent, env={**kept, **environ, "PYTHONPATH": path}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def order(self, call: str, source: str | Path, **options: object) -> None:
        """Tells it what to do."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"call": call, "source": str(source), **options}) + "\n")
        self.process.stdin.flush()

    def told(self) -> Told:
        """What came of the oldest order."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def locate(self, source: str | Path, **options: object) -> Told:
        """`pixel_models.hub.locate`."""
        self.order("locate", source, **options)
        return self.told()

    def load(self, source: str | Path, **options: object) -> Told:
        """`pixel_models.load`."""
        self.order("load", source, **options)
        return self.told()

    def cached(self, repository: str) -> list[str]:
        """Names of the files that the cache holds of a repository, blobs and half-made ones too."""
        folder = self.home / "hub" / f"models--{repository.replace('/', '--')}"
        return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.parent.name != "refs")

    def close(self) -> None:
        """Ends it."""
        self.process.terminate()
        self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
