"""Starts this package's programs and reads what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
GIBIBYTE = 2**30


def run_program(name: str, *arguments: str, told: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program of this package, with `told` on its standard input; they limit their memory as Linux does."""
    if sys.platform != "linux":
        pytest.skip("limits memory as Linux does")
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests" / "fuzz")))
    command = [sys.executable, "-m", f"hostile.{name}", *arguments]
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(
        command, cwd=ROOT, env=environment, input=told, capture_output=True, text=True, check=False, timeout=540
    )


@dataclass(frozen=True)
class Task:
    """One file to load."""

    path: Path
    purpose: str | None = None
    io: Path | None = None


def load_reports(tasks: Iterable[Task]) -> tuple[dict[str, dict[str, Any]], int]:
    """Load the files in a process with 1 GiB of memory; what came of each, by file name, and the peak in bytes."""
    told = json.dumps([{"path": str(t.path), "purpose": t.purpose, "io": t.io and str(t.io)} for t in tasks])
    done = run_program("report", told=told)
    assert done.returncode == 0, done.stderr[-2000:]
    *reports, last = map(json.loads, done.stdout.splitlines())
    return {entry["name"]: entry for entry in reports}, last["peak_bytes"]
