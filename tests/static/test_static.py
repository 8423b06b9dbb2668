"""Checks that read the code without running it: style, types, import arrows, and what must never be committed."""

from __future__ import annotations

import ast
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from kiln_setup import systems
from kiln_setup.environments import requirement_names

ROOT = Path(__file__).resolve().parents[2]
LARGEST_WEIGHTS = 24_000_000
TEXT = {".py", ".md", ".toml", ".json", ".txt", ".csv", ".yml", ".yaml", ".sh", ""}
MACHINE_PATH = r"(?:(?<![\w/.])/(?:home|root|Users|work|tmp)/\w|\b[A-Z]:\\\\?Users)\S*"
ALLOWED_PATHS = {"tests/static/test_static.py"}
REPLACES_COMFYUIS_OWN = {"torch", "torchvision", "torchaudio", "opencv-python", "opencv-python-headless", "xformers"}


def tool(name: str, *arguments: str, cwd: Path = ROOT) -> str:
    """What a tool of this environment says; empty when it is content."""
    command = [str(systems.venv_script(Path(sys.prefix), name)), *arguments]
    result = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else result.stdout + result.stderr


def committed_files() -> list[Path]:
    """Everything git has or would take, relative to the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


def test_ruff_finds_nothing() -> None:
    told = tool("ruff", "check", "--no-cache", ".")
    assert not told, told


def test_the_code_is_formatted() -> None:
    told = tool("ruff", "format", "--no-cache", "--check", ".")
    assert not told, told


@pytest.mark.slow
def test_the_types_fit() -> None:
    told = tool("basedpyright", "--pythonpath", sys.executable)
    assert not told, told


def test_imports_go_only_along_the_arrows(tmp_path: Path) -> None:
    lay_out(tmp_path)
    arguments = ("--no-cache", "--config", str(ROOT / "pyproject.toml"))
    told = tool("lint-imports", *arguments, cwd=tmp_path)
    assert not told, told


def test_the_arrows_are_really_checked(tmp_path: Path) -> None:
    lay_out(tmp_path)
    (tmp_path / "pixel_models" / "errors.py").write_text("from . import hub\n", encoding="utf-8")
    (tmp_path / "train" / "planted.py").write_text("import pixel_kiln.nodes\n", encoding="utf-8")
    told = tool("lint-imports", "--no-cache", "--config", str(ROOT / "pyproject.toml"), cwd=tmp_path)
    assert "pixel_models.errors is not allowed to import pixel_models.hub" in told
    assert "train is not allowed to import pixel_kiln.nodes" in told


def lay_out(folder: Path) -> None:
    """Copies the code to where both kinds of import find it: as one package, and as packages at the top."""
    for name in ("nodes", "pixel_models", "train", "kiln_setup"):
        for target in (folder / "pixel_kiln" / name, folder / name):
            if name != "nodes" or target.parent != folder:  # `nodes` at the top is ComfyUI's own
                shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    shutil.copy(ROOT / "__init__.py", folder / "pixel_kiln")


def test_kiln_needs_the_standard_library_alone() -> None:
    for path in [ROOT / "kiln.py", *(ROOT / "kiln_setup").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            foreign = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - {"kiln_setup"}
            assert not foreign, f"{path.name} imports {foreign}"


def test_no_committed_text_names_a_folder_of_somebodys_machine() -> None:
    found = []
    for path in committed_files():
        if path.suffix in TEXT and path.as_posix() not in ALLOWED_PATHS:
            text = (ROOT / path).read_text(encoding="utf-8")
            found += [f"{path}: {match[0]}" for match in re.finditer(MACHINE_PATH, text)]
    assert found == []


def test_every_python_file_begins_with_what_is_in_it() -> None:
    for path in committed_files():
        if path.suffix == ".py":
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            assert ast.get_docstring(tree), f"{path} has no docstring"


def test_the_weights_stay_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "pixel_models" / "weights").glob("*.safetensors")}
    assert sizes
    assert sum(sizes.values()) < LARGEST_WEIGHTS, sizes


def test_the_requirements_hold_nothing_that_changes_comfyuis_own_packages() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    names = requirement_names(text)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert names == lines, "a version would let pip replace what ComfyUI has"
    assert not {name.lower() for name in names} & REPLACES_COMFYUIS_OWN


def test_the_requirements_name_the_same_packages_as_the_metadata() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    metadata = re.search(r"^dependencies = \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    assert metadata is not None
    declared = requirement_names("\n".join(re.findall(r'"([^"]+)"', metadata[1])))
    assert declared == requirement_names((ROOT / "requirements.txt").read_text(encoding="utf-8"))


def test_the_registrys_icon_is_a_small_square_and_stands_where_the_metadata_says() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    match = re.search(r'^Icon = ".*/main/(.+\.png)"', text, re.MULTILINE)
    assert match is not None
    data = (ROOT / match[1]).read_bytes()
    width, height = struct.unpack(">II", data[16:24])  # the header that begins every PNG
    assert width == height <= 400
