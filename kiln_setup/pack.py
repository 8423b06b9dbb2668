"""The pack's own environment: what `demo` needs, and what the tests need on top."""

from __future__ import annotations

from pathlib import Path

from kiln_setup.environments import Environment, Step, digest, torch_step

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
PACK_MODULES = ("numpy", "PIL", "einops", "safetensors")
TEST_MODULES = ("pytest", "hypothesis", "playwright", "basedpyright")


def metadata_text() -> str:
    """The part of pyproject.toml that decides what gets installed: all before the first tool's table."""
    return (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\n[tool.")[0]


def requirements_text() -> str:
    """What the pack needs beside torch."""
    return (ROOT / "requirements.txt").read_text(encoding="utf-8")


def project_step(extras: str = "") -> Step:
    """The pack itself, editable, with its requirements and the named extras; torch is held where it is."""

    def install(environment: Environment) -> None:
        project = f"{ROOT}[{extras}]" if extras else ROOT
        environment.pip("--constraint", environment.constraints(), "--editable", project)

    modules = (*PACK_MODULES, *(TEST_MODULES if "test" in extras else ()))
    return Step(f"pixel-kiln[{extras}]", digest(metadata_text(), requirements_text(), extras), install, modules)


def pack_environment(*, tests: bool) -> Environment:
    """`.venv` beside kiln.py, ready for the demo, or for the tests too."""
    environment = Environment(ROOT / ".venv")
    environment.ensure([torch_step(), project_step("video"), *([project_step("test,train,video")] if tests else [])])
    return environment
