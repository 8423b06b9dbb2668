"""Other tools that find grids, on the same pictures: installed into an environment of their own, run as a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".cache" / "peers"
PEERS = ("pixel_snapper", "perfect_pixel")
WANTED = ("pixel-snapper==0.1.0", "perfect-pixel==0.1.4", "opencv-python-headless")
SCRIPT = Path(__file__).with_name("grid_peers_run.py")

Size = tuple[int, int]


def peers_python() -> Path | None:
    """The interpreter that has the peers, made when it is not there; None, and a line that says why, offline."""
    python = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = HOME / "ready.txt"
    wanted = "\n".join(WANTED)
    if python.is_file() and ready.is_file() and ready.read_text() == wanted:
        return python
    try:
        venv.create(HOME, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *WANTED]
        subprocess.run(install, check=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"peers are left out: their environment could not be made ({error})", file=sys.stderr)
        return None
    ready.write_text(wanted)
    return python


def peer_sizes(python: Path, pictures: Sequence[Tensor]) -> dict[str, list[Size | None]]:
    """What each peer takes for the native size of pictures `1 4 h w`; None where it refuses.

    Transparent pictures are put on white: perfect-pixel reads RGB.
    """
    from pixel_models.image import write_png

    found: dict[str, list[Size | None]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for i, picture in enumerate(pictures):
            write_png(folder / f"{i:05}.png", picture[:, :3] * picture[:, 3:] + 1 - picture[:, 3:])
        for peer in PEERS:
            out = folder / f"{peer}.json"
            command = [str(python), str(SCRIPT), peer, str(folder), str(out)]
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
            if done.returncode != 0:
                print(f"{peer} is left out: {done.stderr.strip()[-300:]}", file=sys.stderr)
                continue
            sizes = json.loads(out.read_text())
            found[peer] = [tuple(sizes[key]) if sizes[key] else None for key in sorted(sizes)]
    return found
