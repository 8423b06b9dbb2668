"""Starts and ends a real ComfyUI server with the pack in a base directory of our own."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from kiln_setup import systems
from kiln_setup.environments import SetupError, requirement_names
from kiln_setup.pack import ROOT, requirements_text

PACK_FOLDER = "pixel-kiln"
NOT_COPIED = (".*", "tests", "demo-out", "__pycache__")
SAMPLES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".mp4"}
START_SECONDS = 240.0

_FACTS = """
import importlib.util, json, sys
missing = [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None]
device = "cpu"
if "torch" not in missing:
    import torch
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
print(json.dumps({"missing": missing, "device": device}))
"""


@dataclass(frozen=True)
class Installation:
    """A ComfyUI that can be started."""

    source: Path
    """The folder with main.py."""
    python: Path
    """The interpreter that has its requirements."""
    device: str = "cpu"
    """What its torch can use: `cuda`, `mps` or `cpu`."""


def own_installation(checkout: Path, fallback: Path) -> Installation:
    """The user's own ComfyUI, checked and left as it is.

    Args:
        checkout: the folder that COMFYUI_PATH names.
        fallback: the interpreter to use where no environment is found in or beside the checkout.

    Raises:
        SetupError: no ComfyUI there, or its Python lacks something; the message names it.
    """
    checkout = checkout.expanduser().resolve()
    if not (checkout / "main.py").is_file() or not (checkout / "comfy_api").is_dir():
        raise SetupError(
            f"COMFYUI_PATH is {checkout}: expected ComfyUI's folder (0.3.52 or newer), with main.py and comfy_api. "
            "Set it to that folder, or unset it to use the version that the tests use."
        )
    found = [python for python in systems.comfyui_pythons(checkout) if python.exists()]
    python = found[0] if found else fallback
    needed = ["torch", "aiohttp", *requirement_names(requirements_text())]
    try:
        answer = subprocess.run(
            [str(python), "-c", _FACTS, *(_MODULES.get(name, name) for name in needed)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, cwd=checkout,
        )  # fmt: skip
        facts = json.loads(answer.stdout.splitlines()[-1])
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError) as error:
        raise SetupError(f"{python}, the Python of {checkout}, does not run: {error}. Repair it first.") from error
    if facts["missing"]:
        where = "found beside it" if found else "that runs this command, as no venv was found in or beside it"
        raise SetupError(
            f"{python} ({where}) lacks {', '.join(facts['missing'])}. Nothing is installed into your ComfyUI: do that "
            "yourself, or run this command with the Python that runs your ComfyUI."
        )
    return Installation(checkout, python, facts["device"])


_MODULES = {"Pillow": "PIL", "pillow": "PIL"}


def make_base(folder: Path, pack: Path = ROOT) -> Path:
    """Makes (or brings up to date) a base directory: the pack in `custom_nodes`, the samples in `input`."""
    for name in ("custom_nodes", "input", "output", "models", "user", "temp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    systems.link_folder(pack, folder / "custom_nodes" / PACK_FOLDER, ignore=NOT_COPIED)
    for sample in sorted((ROOT / "samples").glob("*")):
        if sample.suffix.lower() in SAMPLES:
            shutil.copyfile(sample, folder / "input" / sample.name)
    return folder


def model_paths(checkout: Path, base: Path) -> Path:
    """Writes a file in the form of extra_model_paths.yaml that shows all model folders of the user's own ComfyUI."""
    models = checkout / "models"
    names = sorted({"pixel_models", *(folder.name for folder in models.glob("*") if folder.is_dir())})
    # JSON is YAML too: no quoting rules to get wrong.
    text = json.dumps({"own": {"base_path": str(models)} | {name: name for name in names}}, indent=2)
    path = base / "model_paths.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def free_port(wanted: int = 0) -> int:
    """A port of this machine that nothing listens on: `wanted`, or any where that is 0.

    Raises:
        SetupError: something listens on the wanted one.
    """
    with socket.socket() as probe:
        if wanted and probe.connect_ex(("127.0.0.1", wanted)) == 0:
            raise SetupError(f"something listens on port {wanted} already: stop it, or choose another with --port.")
    if wanted:
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A ComfyUI process: started on entering the block, ended on leaving it, its output in a log file."""

    def __init__(
        self,
        installation: Installation,
        base: Path,
        log: Path,
        port: int = 0,
        arguments: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Prepares a server; nothing runs yet.

        Args:
            installation: the ComfyUI to start.
            base: base directory made by `make_base`.
            log: file that gets all its output.
            port: port to listen on; 0 takes a free one.
            arguments: more options for ComfyUI's main.py.
            variables: of its environment, beside those of this process.

        Raises:
            SetupError: the port is taken.
        """
        self.installation = installation
        self.base = base
        self.log = log
        self.port = free_port(port)
        self.arguments = list(arguments)
        self.variables = dict(variables or {})
        self.process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def address(self) -> str:
        """Where the browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """The command line that starts it."""
        device = [] if self.installation.device != "cpu" else ["--cpu"]
        words = [self.installation.python, "main.py", "--listen", "127.0.0.1", "--port", self.port, *device]
        words += ["--disable-auto-launch", "--base-directory", self.base, "--database-url", "sqlite:///:memory:"]
        return [str(word) for word in (*words, *self.arguments)]

    def __enter__(self) -> Server:
        """Starts it and waits until it answers.

        Raises:
            SetupError: it ended or did not answer in time; the message holds the end of its log.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._output = self.log.open("wb")
        unset = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP")
        environ = {key: value for key, value in os.environ.items() if key not in unset}
        environ |= {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **self.variables}
        self.process = systems.start_process(self.command(), self.installation.source, self._output, environ)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it."""
        self.stop()

    def stop(self) -> None:
        """Ends it; harmless when it is not running."""
        if self.process is not None:
            systems.stop_process(self.process)
        if self._output is not None:
            self._output.close()

    def follow(self) -> int:
        """Copies the log to stderr until the server ends by itself.

        Returns:
            Its exit code.
        """
        assert self.process is not None
        with self.log.open("rb") as log:
            while True:
                running = self.process.poll() is None
                sys.stderr.write(log.read().decode("utf-8", errors="replace"))
                sys.stderr.flush()
                if not running:
                    return self.process.returncode
                time.sleep(0.3)

    def log_text(self) -> str:
        """Everything it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, timeout: float = 30.0) -> Any:  # noqa: ANN401 - whatever JSON the server answers
        """A JSON answer of the server.

        Raises:
            OSError: no answer, or an HTTP error.
        """
        with urllib.request.urlopen(self.address + path, timeout=timeout) as answer:  # noqa: S310 - our own http address
            return json.load(answer)

    def _wait(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                code = self.process.returncode
                raise SetupError(f"ComfyUI ended with exit code {code} while starting:\n{self._tail()}")
            try:
                self.get("/system_stats", timeout=5)
            except (OSError, ValueError):
                time.sleep(0.3)
            else:
                return
        raise SetupError(f"ComfyUI did not answer on {self.address} within {START_SECONDS:.0f} s:\n{self._tail()}")

    def _tail(self) -> str:
        lines = re.sub(r"\r", "\n", self.log_text()).splitlines()
        return "\n".join(lines[-30:]) + f"\n(the whole log: {self.log})"
