"""What every test run shares: one thread for torch, no reaching out, repeatable property tests, an option."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tiny networks are many times slower on two threads
os.environ["HF_HUB_OFFLINE"] = "1"

settings.register_profile("kiln", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("kiln")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the pack's own options."""
    parser.addoption(
        "--screenshots", type=Path, default=None, help="folder for the browser tests' pictures, one per workflow"
    )


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).resolve().parent.parent
