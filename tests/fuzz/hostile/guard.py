"""For programs that tests start, on Linux: a limit on the memory of the whole process, and how much it has taken."""

from __future__ import annotations

import re
import resource
from pathlib import Path

from hostile.reporting import GIBIBYTE


def limit_memory() -> None:
    """Let this process have 1 GiB of addresses from now on, all it has already included.

    Where torch alone takes most of that (with CUDA it maps many GiB that it never touches), 600 MiB more than now;
    `peak_bytes` holds there too.
    """
    now = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    most = GIBIBYTE if now < GIBIBYTE - 300 * 2**20 else now + 600 * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def peak_bytes() -> int:
    """The most memory that this process has held at once; `ru_maxrss` would begin with its parent's."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert match is not None
    return int(match[1]) * 1024
