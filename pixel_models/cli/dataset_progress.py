"""Progress of a long run: a bar in a terminal, a line a minute in a log."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..dataset import Tally
from .common import tell

EVERY = 60.0
"""Seconds between the lines of a log."""


class Progress:
    """Shows how many, how fast, and how long it will take."""

    def __init__(self) -> None:
        screen = sys.stderr.isatty()
        self._bar: tqdm[Any] = tqdm(unit="picture", file=sys.stderr, disable=not screen, smoothing=0.05)
        self._log = not screen
        self._began = self._told = time.monotonic()
        self._total = 0

    def counted(self, total: int) -> None:
        """How many pictures there are."""
        self._total = self._bar.total = total

    def moved(self, tally: Tally, source: str) -> None:
        """What became of the pictures so far, and the last of them."""
        self._bar.set_postfix_str(source[-40:] + (f", {tally.failed} failed" if tally.failed else ""), refresh=False)
        self._bar.update(tally.total - self._bar.n)
        now = time.monotonic()
        if self._log and now - self._told >= EVERY:
            self._told = now
            sys.stderr.write(f"pixel-kiln: {self.line(tally, now - self._began)}\n")
            sys.stderr.flush()

    def line(self, tally: Tally, seconds: float) -> str:
        """One line for a log.

        Args:
            tally: so far.
            seconds: since the beginning.
        """
        rate = (tally.written + tally.failed) / seconds
        text = f"{tally.total} of {self._total or '?'}, {rate:.1f} a second"
        if self._total and rate:
            text += f", {tqdm.format_interval(max(0, self._total - tally.total) / rate)} left"
        return text + (f", {tally.failed} failed" if tally.failed else "")

    def wrote(self, path: Path) -> None:
        """A shard is complete."""
        if self._bar.disable:
            tell(str(path))
        else:
            tqdm.write(str(path), file=sys.stdout)

    def close(self) -> None:
        """Leave the terminal as it should be."""
        self._bar.close()
