"""Changed weight files are loaded or refused; nothing crashes, hangs, or takes more than a gibibyte."""

from __future__ import annotations

import json

import pytest
from hostile.reporting import run_program


@pytest.mark.parametrize(("cases", "seed"), [(300, 1), pytest.param(10_000, 2, marks=pytest.mark.slow)])
def test_no_changed_file_breaks_the_loader(cases: int, seed: int) -> None:
    done = run_program("loaders", "--cases", str(cases), "--seed", str(seed))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["broken"] == 0
    assert told["peak_mib"] < 1024
    assert told["slowest_s"] < 10
    assert told["loaded"] > cases // 100, "the changes are so large that nothing of the loader is reached"
    assert told["loaded"] + told["CheckpointError"] + told.get("ModelKindError", 0) == cases
