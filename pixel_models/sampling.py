"""How long work reports progress and is cancelled."""

from __future__ import annotations

from collections.abc import Callable

StepCallback = Callable[[int, int], None]
"""Called with (steps done, steps in all) after each step; raise anything to cancel."""
