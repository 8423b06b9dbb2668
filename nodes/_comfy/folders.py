"""ComfyUI's folders: model files, palettes and pictures of the user, and where results are saved."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import folder_paths
from comfy.cli_args import args
from comfy_api.v0_0_2 import io, ui

from ...pixel_models.errors import ImageError
from ...pixel_models.hub import WEIGHTS
from ...pixel_models.palette import PALETTE_SUFFIXES
from ...pixel_models.spritefiles import safe_name

MODEL_FOLDER = "pixel_models"
"""Name of our folder inside ComfyUI's `models`, and the key in `extra_model_paths.yaml`."""

PALETTE_FOLDER = "pixel_palettes"
"""The same for palette files."""

EXTENSIONS = frozenset({".safetensors", ".pth", ".pt"})
"""Weight files that the loader lists."""


def register_model_folders() -> None:
    """Make our folders in `models` and the pack's own weights known to ComfyUI, beside folders the user configured.

    With the shipped weights in the list, ComfyUI's missing-model check finds them too.
    """
    own = Path(folder_paths.models_dir) / MODEL_FOLDER
    folder_paths.add_model_folder_path(MODEL_FOLDER, str(own), is_default=True)
    folder_paths.add_model_folder_path(MODEL_FOLDER, str(WEIGHTS))
    folders, _ = folder_paths.folder_names_and_paths[MODEL_FOLDER]
    folder_paths.folder_names_and_paths[MODEL_FOLDER] = (folders, set(EXTENSIONS))
    folder_paths.add_model_folder_path(PALETTE_FOLDER, str(Path(folder_paths.models_dir) / PALETTE_FOLDER))
    folders, _ = folder_paths.folder_names_and_paths[PALETTE_FOLDER]
    folder_paths.folder_names_and_paths[PALETTE_FOLDER] = (folders, set(PALETTE_SUFFIXES))


def model_folders() -> tuple[Path, ...]:
    """Folders that may hold weights, `models/pixel_models` first; one may not exist yet."""
    return tuple(Path(folder) for folder in folder_paths.get_folder_paths(MODEL_FOLDER))


def file_state(path: Path) -> tuple[str, int, int]:
    """Path, change time in ns and size in bytes: differs when the file was replaced."""
    state = path.stat()
    return str(path), state.st_mtime_ns, state.st_size


def list_user_files(suffixes: Sequence[str], model_folder: str | None = None) -> list[str]:
    """Files with one of these endings in ComfyUI's input folder, then in one of its model folders, as paths inside."""
    found = {
        path.relative_to(folder).as_posix(): None
        for folder in _user_folders(model_folder)
        if folder.is_dir()
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in suffixes and path.is_file()
    }
    return list(found)


def find_user_file(name: str, suffixes: Sequence[str], model_folder: str | None = None) -> Path:
    """The file that `list_user_files` calls so, and no other on the disk.

    Raises:
        ImageError: there is none, it lies elsewhere, or its ending is another; the message names the folders.
    """
    parts = PurePosixPath(name).parts
    inside = parts and ".." not in parts and not PurePosixPath(name).is_absolute() and not re.search(r"[\\:\0]", name)
    folders = _user_folders(model_folder)
    if inside and Path(name).suffix.lower() in suffixes:
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
    msg = f"{name!r} is not in {' or '.join(map(str, folders))}; put a file with one of the endings"
    raise ImageError(f"{msg} {', '.join(suffixes)} there and press R")


def _user_folders(model_folder: str | None) -> list[Path]:
    configured = folder_paths.get_folder_paths(model_folder) if model_folder else []
    return [Path(folder) for folder in (folder_paths.get_input_directory(), *configured)]


def output_place(prefix: str, suffix: str) -> Path:
    """A new file's path in ComfyUI's output folder, which is made; never outside, whatever `prefix` says.

    Args:
        prefix: what the user typed, folders with "/"; each part becomes a name that every system takes. ComfyUI's
            %year%, %month%, %day%, %hour%, %minute% and %second% are filled in.
        suffix: the file's ending; a number that no file of that name has yet comes before it.
    """
    output = Path(folder_paths.get_output_directory()).resolve()
    *folders, stem = [part for part in re.split(r"[\\/]+", _with_time(prefix)) if part.strip(". ")] or ["sprite"]
    folder = output.joinpath(*map(safe_name, folders))
    folder.mkdir(parents=True, exist_ok=True)
    if not folder.resolve().is_relative_to(output):
        msg = f"{prefix!r} leads out of the output folder {output}; choose a name inside it"
        raise ImageError(msg)
    name = safe_name(stem)
    taken = [re.match(re.escape(name) + r"_(\d+)", path.name, re.IGNORECASE) for path in folder.iterdir()]
    number = 1 + max((int(match[1]) for match in taken if match), default=0)
    return folder / f"{name}_{number:05}{suffix}"


def _with_time(prefix: str) -> str:
    now = time.localtime()
    names = {"year": now.tm_year, "month": now.tm_mon, "day": now.tm_mday}
    names |= {"hour": now.tm_hour, "minute": now.tm_min, "second": now.tm_sec}
    return re.sub(r"%(\w+)%", lambda match: f"{names[match[1]]:02}" if match[1] in names else match[0], prefix)


def workflow_text(prompt: object, extra: dict[str, Any] | None) -> dict[str, str]:
    """What a saved file holds, so that ComfyUI can open its workflow again; nothing where metadata is switched off."""
    if args.disable_metadata:
        return {}
    known = {"prompt": prompt, **(extra or {})}
    return {key: json.dumps(value) for key, value in known.items() if value is not None}


def saved_files(paths: Sequence[Path], *, animated: bool = False) -> ui.SavedImages:
    """Show saved pictures on their node."""
    output = Path(folder_paths.get_output_directory()).resolve()
    results = [
        ui.SavedResult(path.name, path.parent.relative_to(output).as_posix().removeprefix("."), io.FolderType.output)
        for path in paths
    ]
    return ui.SavedImages(results, is_animated=animated)
