"""Virtual environments of our own: made, adopted, checked, brought up to date, remade when broken.

Nothing outside the environment's folder is written, so a ComfyUI installation and its torch stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kiln_setup import systems

TORCH = "torch==2.13.0"
TORCH_VARIABLE = "PIXEL_KILN_TORCH"
INDEX_VARIABLE = "PIXEL_KILN_TORCH_INDEX"
STAMP = "pixel-kiln.json"

_PROBE = """
import importlib.metadata, importlib.util, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
print(json.dumps({"python": sys.version.split()[0], "torch": version("torch"), "missing": missing}))
"""


class SetupError(Exception):
    """A set-up step that failed; the message says what to do."""


def say(text: str) -> None:
    """Tells the user what is going on; stdout is kept for results."""
    sys.stderr.write(f"[kiln] {text}\n")
    sys.stderr.flush()


def run(command: Sequence[str | Path], hint: str, cwd: Path | None = None) -> None:
    """Runs a set-up command with its chatter on stderr and no standard input.

    Raises:
        SetupError: it failed; the message ends with `hint`.
    """
    words = [str(word) for word in command]
    code = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=sys.stderr, cwd=cwd, check=False).returncode
    if code:
        raise SetupError(f"`{' '.join(words)}` ended with exit code {code}. {hint}")


def digest(*parts: str) -> str:
    """A short fingerprint of everything that an install step depends on."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def requirement_names(text: str) -> list[str]:
    """The packages that a requirements file names, without versions, markers and comments."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in lines if line and not line.startswith("-")]


@dataclass(frozen=True)
class Step:
    """One thing to install into an environment."""

    name: str
    """Its key in the stamp."""
    fingerprint: str
    """Changes when the step has to run again: see `digest`."""
    install: Callable[[Environment], None]
    """Does it."""
    modules: tuple[str, ...] = ()
    """Modules that must be findable afterwards; one that is missing later means a broken environment."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment in a folder of ours, with a stamp that tells what was installed."""

    folder: Path
    platform: str = sys.platform
    base_python: str = field(default_factory=lambda: getattr(sys, "_base_executable", "") or sys.executable)
    """The interpreter that makes it (never another environment's)."""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return systems.venv_python(self.folder, self.platform)

    @property
    def stamp_path(self) -> Path:
        """The file that records what was installed."""
        return self.folder / STAMP

    def script(self, name: str) -> Path:
        """One of its console scripts."""
        return systems.venv_script(self.folder, name, self.platform)

    def pip(self, *arguments: str | Path) -> None:
        """Runs its pip.

        Raises:
            SetupError: pip failed.
        """
        hint = "Read pip's message above; check the network and the disk (3 GB are needed), then run it again."
        run([self.python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", *arguments], hint)

    def probe(self, modules: Sequence[str] = ()) -> dict[str, object] | None:
        """Its Python's version, its torch and which of the given modules are missing; None when it does not run."""
        try:
            answer = subprocess.run(
                [str(self.python), "-c", _PROBE, *modules],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=120,
                cwd=self.folder, env={k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")},
            )  # fmt: skip
            return json.loads(answer.stdout)
        except (OSError, subprocess.SubprocessError, ValueError):
            return None

    def constraints(self) -> Path:
        """Writes and returns a constraints file that holds the installed torch: no package can replace it."""
        facts = self.probe() or {}
        path = self.folder / "pixel-kiln-constraints.txt"
        path.write_text(f"torch=={facts['torch']}\n" if facts.get("torch") else "", encoding="utf-8")
        return path

    def ensure(self, steps: Sequence[Step]) -> None:
        """Makes the environment if need be and runs the steps that are new or have changed.

        One that was broken or left half-made by us is remade; a healthy one that someone else made is adopted.

        Raises:
            SetupError: it cannot be made, or a step failed.
        """
        notice = f"[kiln] waiting for another process that sets up {self.folder.name} …"
        with systems.only_one(self.folder.parent / ".cache" / f"{self.folder.name}.lock", notice, self.platform):
            done = self._usable(steps)
            todo = [step for step in steps if done.get(step.name) != step.fingerprint]
            for step in todo:
                say(f"{self.folder.name}: installing {step.name} …")
                self._write_stamp(done, making=step.name)
                step.install(self)
                done[step.name] = step.fingerprint
                self._write_stamp(done)

    def _usable(self, steps: Sequence[Step]) -> dict[str, str]:
        """Leaves a working environment behind; returns the steps it already holds, by name."""
        if not self.folder.exists():
            self._make()
            return {}
        stamp = self._read_stamp()
        done = dict(stamp.get("steps", {}))
        facts = self.probe([module for step in steps if step.name in done for module in step.modules])
        if facts is None:
            fault = "its Python does not run"
        elif stamp and facts["python"] != stamp.get("python"):
            fault = f"its Python is {facts['python']}, it was made with {stamp.get('python')}"
        elif stamp.get("folder", str(self.folder)) != str(self.folder):
            fault = f"it was made in {stamp['folder']} and its programs still look there"
        elif facts["missing"]:
            fault = f"it lacks {facts['missing']}"
        elif stamp.get("making") == "environment":
            fault = "it was left half-made"
        else:
            return done
        say(f"remaking {self.folder.name}: {fault}")
        self._remove()
        self._make()
        return {}

    def _make(self) -> None:
        say(f"making {self.folder.name} with {self.base_python}")
        self.folder.mkdir(parents=True)
        self.stamp_path.write_text(json.dumps({"making": "environment"}), encoding="utf-8")
        hint = "On Debian or Ubuntu install the package python3-venv; elsewhere try another Python."
        run([self.base_python, "-m", "venv", self.folder], hint)
        if self.probe() is None:
            raise SetupError(f"{self.python} was made but does not run. {hint}")
        self._write_stamp({})

    def _remove(self) -> None:
        if Path(sys.prefix).resolve() == self.folder.resolve():
            raise SetupError(f"{self.folder} has to be remade but runs this command: use another Python.")
        if not (self.folder / "pyvenv.cfg").exists() and not self.stamp_path.exists():
            raise SetupError(f"{self.folder} is no virtual environment: move it away, then run the same command again.")
        shutil.rmtree(self.folder)

    def _read_stamp(self) -> dict[str, dict[str, str]]:
        try:
            stamp = json.loads(self.stamp_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamp if isinstance(stamp, dict) else {}

    def _write_stamp(self, done: dict[str, str], making: str = "") -> None:
        facts = self.probe() or {}
        stamp = {"folder": str(self.folder), "python": facts.get("python"), "torch": facts.get("torch")}
        partial = self.stamp_path.with_suffix(".tmp")
        partial.write_text(json.dumps(stamp | {"steps": done, "making": making}, indent=2), encoding="utf-8")
        partial.replace(self.stamp_path)


def torch_step() -> Step:
    """Torch at the pinned version, or what the user's variables choose (another version, an index with CPU builds)."""
    requirement = os.environ.get(TORCH_VARIABLE) or TORCH
    index = os.environ.get(INDEX_VARIABLE, "")

    def install(environment: Environment) -> None:
        environment.pip(requirement, *(["--index-url", index] if index else []))

    return Step("torch", digest(requirement, index), install, ("torch",))
