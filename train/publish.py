"""`python -m train.publish`: weights with config, card and sample pictures to a repository on the Hugging Face hub."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from pixel_models.checkpoint import LoadedModel, load_checkpoint
from pixel_models.depixelate import depixelate
from pixel_models.errors import CheckpointError, HubError, PixelModelError
from pixel_models.hub import HubSource
from pixel_models.image import enlarge, read_rgba, write_png
from pixel_models.legacy import is_foreign
from pixel_models.pixelate import pixelate, resize_rgba
from pixel_models.spec import Purpose, config_to_json
from pixel_models.weightfile import sha256_of

from .card import PACK, Weights, check_facts, make_card

SAMPLES = Path(__file__).parents[1] / "samples"
DEFAULT_PICTURES = {
    Purpose.PIXELATE: ("character_superhero.png", "drawing_house.png", "photo_cat.png"),
    Purpose.TRANSLATE: ("character_superhero.png", "drawing_house.png", "photo_cat.png"),
    Purpose.DEPIXELATE: ("sprite_dragon.png",),
}
SAMPLES_CREDIT = f"Whose the pictures are: [samples]({PACK}/blob/main/samples/README.md)."

CELLS, COLORS, SMOOTH = 64, 16, 8
"""Cells along the longer side and colours of a sample sprite; enlargement of a sample that is made smooth."""


def make_folder(
    files: Sequence[Path], out: Path, target: HubSource, pictures: Sequence[Path], credit: str
) -> list[Weights]:
    """Write everything that is published into `out`.

    Args:
        files: weight files of ours.
        out: an empty folder.
        target: the repository, and the revision that users are told to pin.
        pictures: sample pictures; the project's own, if empty.
        credit: whose they are.

    Raises:
        CheckpointError: a file is not ours, damaged, or names no licence or data.
    """
    for path in files:
        if is_foreign(path):
            msg = f"{path.name} is no weight file of ours; turn it into one with `pixel-kiln models convert`"
            raise CheckpointError(msg)
    weights = [Weights(path.name, load_checkpoint(path), sha256_of(path)) for path in files]
    check_facts(weights)
    shown: dict[str, str] = {}
    for one, path in zip(weights, files, strict=True):
        shutil.copyfile(path, out / path.name)
        names = pictures or [SAMPLES / name for name in DEFAULT_PICTURES.get(one.model.purpose, ())]
        for number, (picture, name) in enumerate(((read_rgba(name), name) for name in names), 1):
            place = f"pictures/{one.title}-{number}.png"
            (out / "pictures").mkdir(exist_ok=True)
            write_png(out / place, before_and_after(one.model, picture))
            shown[place] = f"{one.title}, {name.stem}"
    config = {
        one.name: {
            "architecture": one.model.spec.id,
            "purpose": str(one.model.purpose),
            "config": json.loads(config_to_json(one.model.config)),
            "sha256": one.sha256,
        }
        for one in weights
    }
    (out / "config.json").write_text(json.dumps({"pixel-kiln": config}, indent=2) + "\n", encoding="utf-8")
    card = make_card(weights, target, shown, credit or SAMPLES_CREDIT)
    (out / "README.md").write_text(card, encoding="utf-8")
    return weights


def before_and_after(model: LoadedModel, rgba: Tensor) -> Tensor:
    """A picture `1 4 h w` beside what the model makes of it: `1 4 h w`, both of one height, on white."""
    rgb, alpha = rgba[:, :3], rgba[:, 3:]
    if model.purpose is Purpose.DEPIXELATE:
        smooth, soft = depixelate(model, rgb, alpha=alpha, scale=SMOOTH)
        after = torch.cat([smooth, alpha if soft is None else soft], dim=1)
        before = enlarge(rgba, SMOOTH)
    else:
        height, width = rgba.shape[2:]
        part = CELLS / max(height, width)
        size = max(1, round(width * part)), max(1, round(height * part))
        sprite = pixelate(model, rgb, alpha=alpha, size=size, colors=COLORS).frames[0]
        after = enlarge(torch.cat([sprite.to_rgb(), sprite.alpha()], dim=1), 384 // CELLS)
        before = resize_rgba(rgba, (after.shape[2], after.shape[3]))
    gap = torch.zeros(1, 4, after.shape[2], 16)
    both = torch.cat([before, gap, after], dim=3)
    white = both[:, :3] * both[:, 3:] + 1 - both[:, 3:]
    return torch.cat([white, torch.ones_like(white[:, :1])], dim=1)


def upload(folder: Path, repository: str, tag: str, *, private: bool) -> str:
    """Put a folder on the hub in one commit, and tag it.

    Args:
        folder: what `make_folder` wrote.
        repository: `org/name`; made where it is not there.
        tag: the name of the commit, which must be new; empty for none.
        private: make it private, where it is made.

    Returns:
        The commit.

    Raises:
        HubError: the hub cannot be reached or refuses; says what of it is done.
    """
    from huggingface_hub import CommitOperationAdd, HfApi

    from pixel_models.hub.download import NETWORK

    api = HfApi(library_name="pixel-kiln")
    what = "was not published"
    try:
        api.create_repo(repository, private=private, exist_ok=True)
        if tag and tag in {ref.name for ref in api.list_repo_refs(repository).tags}:
            msg = f"{repository} has a tag {tag!r} already, which people rely on; choose a new one with --tag"
            raise HubError(msg)
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        files = [CommitOperationAdd(path.relative_to(folder).as_posix(), path) for path in paths]
        commit = api.create_commit(repository, files, commit_message=f"Weights {tag}".strip())
        if tag:
            what = f"was published as {commit.oid}, but that is not tagged {tag}"
            api.create_tag(repository, tag=tag, revision=commit.oid)
    except PixelModelError:
        raise
    except Exception as error:
        if not (isinstance(error, (OSError, ValueError)) or type(error).__module__.partition(".")[0] in NETWORK):
            raise
        msg = f"{repository} {what}: {_reason(error)}"
        raise HubError(msg) from error
    return commit.oid


def _reason(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403) or type(error).__name__ == "LocalTokenNotFoundError":
        return "you may not write there; log in with `hf auth login`, or set HF_TOKEN to a token that may write"
    if status is not None:
        return f"the hub answered {status}: {' '.join(str(error).split())[:200]}"
    return f"{' '.join(str(error).split())[:200] or type(error).__name__}; check the network and try again"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line: the exit status."""
    command = argparse.ArgumentParser(prog="python -m train.publish", description=__doc__)
    command.add_argument("weights", nargs="+", type=Path, help="weight files, best as `train.release` wrote them")
    command.add_argument("--to", required=True, metavar="ORG/NAME", help="the repository; made where it is not there")
    command.add_argument("--tag", default="", help="a new tag, such as v1, for users to pin (default: none)")
    command.add_argument(
        "--pictures", nargs="+", type=Path, default=[], help="sample pictures instead of the project's"
    )
    command.add_argument("--credit", default="", help="whose these pictures are, and their licence")
    command.add_argument("--private", action="store_true", help="make the repository private, where it is made")
    command.add_argument("--out", type=Path, help="only write what would be published into this new folder")
    options = command.parse_args(argv)
    source = HubSource.parse(f"{options.to}@{options.tag}" if options.tag else options.to)
    if source is None or source.file:
        command.error(f"--to is {options.to!r} and --tag {options.tag!r}, expected ORG/NAME and a word such as v1")
    if options.pictures and not options.credit:
        command.error("--pictures needs --credit: whose they are, and their licence")
    if options.out and options.out.exists() and any(options.out.iterdir()):
        command.error(f"--out {options.out} is not empty")
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = options.out or Path(name)
            folder.mkdir(parents=True, exist_ok=True)
            weights = make_folder(options.weights, folder, source, options.pictures, options.credit)
            commit = "" if options.out else upload(folder, options.to, options.tag, private=options.private)
    except PixelModelError as error:
        sys.stderr.write(f"train.publish: {error}\n")
        return 1
    for one in weights:
        pinned = HubSource(source.repository, commit or source.revision, one.name)
        sys.stdout.write(f"{pinned}\t{one.sha256}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
