"""The commands behind `pixel-kiln models`: list, show, verify, download, convert."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..checkpoint import LoadedModel
from ..errors import CheckpointError, PixelModelError
from ..hub import GRAMMAR, WEIGHTS, Found, HubSource, check_published, locate, published_source
from ..hub.cache import cached_commit, find_cached
from ..legacy import convert_file, load_file
from ..registry import SHIPPED
from ..spec import Purpose, config_to_json
from ..weightfile import sha256_of


def run(arguments: argparse.Namespace) -> int:
    """`pixel-kiln models ACTION`: the exit status."""
    actions = {"list": _list, "show": _show, "verify": _verify, "download": _download, "convert": _convert}
    return actions[arguments.action](arguments)


def _list(_: argparse.Namespace) -> int:
    """Name, purpose, whether it is here, what it does; tabs between."""
    for entry in SHIPPED:
        source = published_source(entry.name)
        cached = source is not None and find_cached(source) is not None
        state = "here" if (WEIGHTS / entry.name).is_file() else "cached" if cached else "missing"
        _tell(entry.name, str(entry.purpose), state, entry.title)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    """What is known of a model, a line a fact, a tab after its name."""
    found, model = _loaded(arguments.model)
    for key, value in facts(model, found.path).items():
        _tell(key, value)
    return 0


def facts(model: LoadedModel, path: Path) -> dict[str, str]:
    """Everything that a weight file says of itself, and what can be counted."""
    numbers = sum(parameter.numel() for parameter in model.module.parameters())
    told = {
        "file": str(path),
        "sha256": sha256_of(path),
        "architecture": f"{model.spec.id} ({model.spec.paper})" if model.spec.paper else model.spec.id,
        "purpose": str(model.purpose),
        "config": config_to_json(model.config),
        "parameters": str(numbers),
    }
    for key, text in model.metadata.items():
        if key not in ("format", "arch", "config", "purpose"):
            told |= _flat(key, text)
    return {key: " ".join(value.split()) for key, value in told.items()}


def _flat(key: str, text: str) -> dict[str, str]:
    """One entry of a file's metadata; the fields of one that is a JSON object become `key.field`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {key: text}
    if not isinstance(value, dict):
        return {key: text}
    return {f"{key}.{field}": inner if isinstance(inner, str) else json.dumps(inner) for field, inner in value.items()}


def _verify(arguments: argparse.Namespace) -> int:
    """Load each file and check its hash; 1 where one is not as it must be."""
    names = arguments.models or [entry.name for entry in SHIPPED]
    good = [_verify_one(name) for name in names]
    return 0 if all(good) else 1


def _verify_one(name: str) -> bool:
    try:
        found, _ = _loaded(name)
    except PixelModelError as error:
        _tell(name, "wrong", str(error))
        return False
    _tell(name, "ok" if found.sha256 else "loads, its hash is nowhere told", sha256_of(found.path))
    return True


def _download(arguments: argparse.Namespace) -> int:
    """Fetch what is not here and load it once; the paths go to stdout, 1 where one failed."""
    for name in arguments.models:
        if published_source(name) is None and HubSource.parse(name) is None:
            msg = f"{name!r} is neither a name of `pixel-kiln models list` nor {GRAMMAR}"
            raise PixelModelError(msg)
    good = [_download_one(name) for name in arguments.models]
    return 0 if all(good) else 1


def _download_one(name: str) -> bool:
    try:
        found, model = _loaded(name, download=True)
    except PixelModelError as error:
        sys.stderr.write(f"pixel-kiln: {error}\n")
        return False
    _tell(str(found.path))
    pinned = "" if found.hub is None else f"; exactly this file: {found.hub.pinned(cached_commit(found.hub))}"
    sys.stderr.write(f"pixel-kiln: to {model.purpose} ({model.spec.id}){pinned}\n")
    return True


def _convert(arguments: argparse.Namespace) -> int:
    """Turn a foreign file into ours; its path goes to stdout."""
    source, target = Path(arguments.input), Path(arguments.out)
    if target.exists() and not arguments.overwrite:
        msg = f"{target} is there already; choose another name, or give --overwrite"
        raise CheckpointError(msg)
    target.parent.mkdir(parents=True, exist_ok=True)
    model = convert_file(source, target)
    _tell(str(target))
    use = "pixelate IN -o OUT --model" if model.purpose in (Purpose.PIXELATE, Purpose.TRANSLATE) else "models show"
    sys.stderr.write(f"pixel-kiln: to {model.purpose} ({model.spec.id}); use it with `pixel-kiln {use} {target}`\n")
    return 0


def _loaded(name: str, *, download: bool = False) -> tuple[Found, LoadedModel]:
    """A model of any purpose, and its file."""
    found = locate(name, download=download)
    model = load_file(found.path)
    check_published(found, model.fingerprint)
    return found, model


def _tell(*words: str) -> None:
    sys.stdout.write("\t".join(words) + "\n")
