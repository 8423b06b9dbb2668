"""Where the golden vectors lie; without them the tests of this folder are skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def goldens() -> Path:
    """The folder of golden vectors: `PIXEL_KILN_SHARED`, or `../shared`."""
    shared = Path(os.environ.get("PIXEL_KILN_SHARED") or Path(__file__).parents[3] / "shared")
    if not (shared / "goldens").is_dir():
        pytest.skip("there is no folder of golden vectors here")
    return shared / "goldens"
