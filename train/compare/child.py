"""`python -m train.compare.child RECORD MODULE …`: one training in a process of its own, and what it took of memory.

Python, PyTorch and the pictures that a recipe reads are there before a network runs; what is told apart is what the
training takes beyond them.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

_MEGABYTE = 2**20


def peak_memory() -> float | None:
    """The most memory that this process has held, megabytes; None where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage counts what the starting process held before this one took its place
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / _MEGABYTE if sys.platform == "darwin" else most / 1024


def peak_gpu_memory() -> float | None:
    """The most memory that tensors of this process have held on the GPU, megabytes; None without one."""
    return torch.cuda.max_memory_allocated() / _MEGABYTE if torch.cuda.is_available() else None


class MemoryWatch:
    """Notes what the process holds when a network first runs."""

    def __init__(self) -> None:
        """Wait for that moment."""
        self.before: float | None = None
        self._handle = register_module_forward_pre_hook(self._note)

    def _note(self, _module: nn.Module, _inputs: object) -> None:
        self._handle.remove()
        with contextlib.suppress(OSError):  # Linux alone: let the peak be what is held now
            Path("/proc/self/clear_refs").write_text("5")
        self.before = peak_memory()

    def told(self) -> dict[str, float | None]:
        """Megabytes: the whole process at its peak, and how much of that came after the first run of a network."""
        peak = peak_memory()
        grown = None if peak is None or self.before is None else peak - self.before
        return {"memory_mb": grown, "process_mb": peak, "gpu_memory_mb": peak_gpu_memory()}


def main(argv: Sequence[str] | None = None) -> None:
    """Train by the module's own command, then write the record."""
    record, module, *options = sys.argv[1:] if argv is None else argv
    watch = MemoryWatch()
    importlib.import_module(module).main(options)
    Path(record).write_text(json.dumps(watch.told()), encoding="utf-8")


if __name__ == "__main__":
    main()
