"""One command each for the demo, the tests and a ComfyUI with the pack: `python kiln.py demo | test | comfy`.

Standard library only. Everything is installed into folders beside this file (`.venv`, `.venv-comfy`, `.cache`);
no other Python installation is changed.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 10):
    sys.exit("Pixel Kiln needs Python 3.10 or newer; this is " + sys.version.split()[0] + ".")

import argparse
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from kiln_setup.chromium import VARIABLE as CHROMIUM_VARIABLE
from kiln_setup.chromium import ensure_chromium
from kiln_setup.comfyui import PYTHON_VARIABLE as COMFYUI_PYTHON_VARIABLE
from kiln_setup.comfyui import SOURCE, comfyui_environment, ensure_source
from kiln_setup.environments import SetupError, say
from kiln_setup.pack import CACHE, pack_environment
from kiln_setup.server import Installation, Server, make_base, model_paths, own_installation
from kiln_setup.stages import Stage, report, run_stages

COMFYUI_VARIABLE = "COMFYUI_PATH"
DEMO_MODULE = "pixel_models.demo"


def demo(out: str) -> int:
    """Pixelates the shipped sample pictures; the last line on stdout is the demo's JSON."""
    environment = pack_environment(tests=False)
    command = [environment.python, "-m", DEMO_MODULE, "--out", out]
    return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode


def test(*, fast: bool, extra: Sequence[str]) -> int:
    """Runs the test suite in stages and prints a summary."""
    started = time.monotonic()
    environment = pack_environment(tests=True)
    ensure_source(environment.python)  # the type checker reads it
    say(f"set-up took {time.monotonic() - started:.0f} s")

    def prepare_comfyui() -> Mapping[str, str]:
        return {COMFYUI_PYTHON_VARIABLE: str(comfyui_environment().python)}

    def prepare_browser() -> Mapping[str, str]:
        return {CHROMIUM_VARIABLE: str(ensure_chromium(environment))}

    stages = [
        Stage(name="static", arguments=("tests/static",), fast=True),
        Stage(name="unit", arguments=("tests/unit",), fast=True),
        Stage(name="contract", arguments=("tests/contract",), fast=True, prepare=prepare_comfyui),
        Stage(name="goldens", arguments=("tests/goldens",), optional=True),
        Stage(name="train", arguments=("tests/train",)),
        Stage(name="fuzz", arguments=("tests/fuzz",)),
        Stage(name="hub", arguments=("tests/hub",)),
        Stage(name="server", arguments=("tests/e2e", "-m", "not browser")),
        Stage(name="browser", arguments=("tests/e2e", "-m", "browser"), prepare=prepare_browser),
    ]
    return report(run_stages(environment, [stage for stage in stages if stage.fast or not fast], extra))


def comfy(port: int) -> int:
    """Starts a ComfyUI with the pack, prints its address and shows its log until Ctrl-C."""
    arguments: list[str] = []
    if checkout := os.environ.get(COMFYUI_VARIABLE):
        installation = own_installation(Path(checkout), Path(sys.executable))
        base = make_base(CACHE / "comfyui-base-own")
        arguments += ["--extra-model-paths-config", str(model_paths(installation.source, base))]
    else:
        installation = Installation(SOURCE, comfyui_environment().python)
        base = make_base(CACHE / "comfyui-base")
        arguments += ["--disable-api-nodes"]
    say(f"starting ComfyUI from {installation.source} …")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that a stopped terminal ends the server too
    try:
        with Server(installation, base, CACHE / "comfyui.log", port, arguments) as server:
            sys.stdout.write(f"{server.address}\n")
            sys.stdout.flush()
            say(f"pictures go to {base / 'output'}; models are looked for in {base / 'models'}; Ctrl-C ends it")
            return server.follow()
    except KeyboardInterrupt:
        say("ended")
        return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and runs one command.

    Returns:
        The exit code.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    words, extra = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    parser = argparse.ArgumentParser(prog="kiln.py", description="Demo, tests and a ComfyUI for Pixel Kiln.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo_parser = commands.add_parser("demo", help="pixelate the shipped sample pictures")
    demo_parser.add_argument("--out", default="demo-out", help="folder for the results (default: demo-out)")
    test_parser = commands.add_parser("test", help="run the tests; arguments after -- go to pytest")
    test_parser.add_argument("--fast", action="store_true", help="the everyday part: no training, no server")
    comfy_parser = commands.add_parser("comfy", help="start ComfyUI with the pack")
    comfy_parser.add_argument("--port", type=int, default=8188, help="port to listen on (default: 8188)")
    options = parser.parse_args(words)
    if extra and options.command != "test":
        parser.error("arguments after -- are for `test` only")
    try:
        if options.command == "demo":
            return demo(options.out)
        if options.command == "test":
            return test(fast=options.fast, extra=extra)
        return comfy(options.port)
    except SetupError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
