"""The stages of a test run, each one pytest call with its own time limit, and the summary at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from kiln_setup.environments import Environment, say
from kiln_setup.pack import ROOT

NO_TESTS = 5
"""pytest's exit code when it found nothing to run."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One part of the test suite."""

    name: str
    arguments: tuple[str, ...]
    """What pytest is given: folders and options."""
    fast: bool = False
    """Part of `--fast`."""
    optional: bool = False
    """May hold no test, as the goldens where there is no shared folder."""
    prepare: Callable[[], Mapping[str, str]] | None = None
    """Set-up that only this stage and later ones need; returns environment variables for them."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a stage went."""

    name: str
    ok: bool
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""


def run_stages(environment: Environment, stages: Sequence[Stage], extra: Sequence[str] = ()) -> list[Outcome]:
    """Runs every stage, also after a failure.

    Args:
        environment: the pack's environment, with the test tools.
        stages: what to run, in order.
        extra: more pytest arguments; with them (`-k …`) a stage may select nothing.
    """
    variables = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), **shared_variables(ROOT)}
    outcomes = []
    for stage in stages:
        say(f"stage {stage.name}")
        started = time.monotonic()
        if stage.prepare is not None:
            try:
                variables |= stage.prepare()
            except Exception as error:  # noqa: BLE001 - whatever it was, the other stages still run and the summary says so
                say(f"{stage.name}: {error}")
                seconds = time.monotonic() - started
                outcomes.append(Outcome(name=stage.name, ok=False, seconds=seconds, failed=1, note="set-up failed"))
                continue
            prepared = time.monotonic()
            outcomes.append(Outcome(name=f"{stage.name} set-up", ok=True, seconds=prepared - started))
            started = prepared
        outcomes.append(_run_stage(environment, stage, extra, variables, started))
    return outcomes


def shared_variables(root: Path) -> dict[str, str]:
    """Where the goldens lie, if the folder `shared` stands beside the repository."""
    shared = root.parent / "shared"
    return {"PIXEL_KILN_SHARED": str(shared)} if shared.is_dir() and "PIXEL_KILN_SHARED" not in os.environ else {}


def _run_stage(
    environment: Environment, stage: Stage, extra: Sequence[str], variables: Mapping[str, str], started: float
) -> Outcome:
    if not any((ROOT / argument).exists() for argument in stage.arguments):
        return Outcome(name=stage.name, ok=stage.optional, seconds=0.0, note="no such tests")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [str(environment.python), "-m", "pytest", *stage.arguments, f"--junit-xml={report}", *extra]
        code = subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, env=os.environ | dict(variables), check=False
        ).returncode  # fmt: skip
        counts = read_counts(report)
    ok = code == 0 or (code == NO_TESTS and (bool(extra) or stage.optional))
    note = "no test ran" if code == NO_TESTS else "" if ok else f"pytest's exit code {code}"
    seconds = time.monotonic() - started
    passed, failed, skipped = counts
    return Outcome(
        name=stage.name, ok=ok, seconds=seconds, passed=passed, failed=failed or int(not ok), skipped=skipped, note=note
    )


def read_counts(report: Path) -> tuple[int, int, int]:
    """Passed, failed (with errors) and skipped tests of a JUnit report; zeros where pytest wrote none."""
    if not report.exists():
        return 0, 0, 0
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))  # noqa: S314 - pytest's own file
    total, failures, errors, skipped = (
        sum(int(suite.get(key, 0)) for suite in suites) for key in ("tests", "failures", "errors", "skipped")
    )
    return total - failures - errors - skipped, failures + errors, skipped


def summarize(outcomes: Sequence[Outcome]) -> str:
    """The table that a run ends with; its last line counts everything."""
    width = max(len(outcome.name) for outcome in outcomes)
    lines = [f"{'stage':<{width}}  result  passed  failed  skipped  seconds"]
    for outcome in outcomes:
        counts = f"{outcome.passed:6d}  {outcome.failed:6d}  {outcome.skipped:7d}  {outcome.seconds:7.1f}"
        lines.append(f"{outcome.name:<{width}}  {'ok' if outcome.ok else 'FAILED':<6}  {counts}  {outcome.note}")
    total = [sum(getattr(outcome, key) for outcome in outcomes) for key in ("passed", "failed", "skipped", "seconds")]
    lines.append(f"all stages: {total[3]:.0f} s")
    lines.append(f"{total[0]:.0f} passed, {total[1]:.0f} failed, {total[2]:.0f} skipped")
    return "\n".join(line.rstrip() for line in lines)


def report(outcomes: Sequence[Outcome]) -> int:
    """Prints the summary.

    Returns:
        The exit code: 0 only if every stage went well and at least one test ran.
    """
    sys.stdout.write("\n" + summarize(outcomes) + "\n")
    sys.stdout.flush()
    return 0 if all(outcome.ok for outcome in outcomes) and any(outcome.passed for outcome in outcomes) else 1
