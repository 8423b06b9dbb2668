"""Runs in the peers' own environment: the native size that a peer finds for every PNG of a folder, as JSON.

Usage: `python grid_peers_run.py PEER FOLDER OUT.json`; a picture that the peer refuses has null.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path

Size = tuple[int, int] | None


def pixel_snapper() -> Callable[[Path], Size]:
    """Its defaults; the size is that of the PNG it gives."""
    from pixel_snapper import PixelSnapperConfig, process_image  # pyright: ignore[reportMissingImports]

    def find(path: Path) -> Size:
        try:
            made = process_image(path.read_bytes(), PixelSnapperConfig())
        except (RuntimeError, ValueError):
            return None
        width, height = struct.unpack(">II", bytes(made)[16:24])
        return width, height

    return find


def perfect_pixel() -> Callable[[Path], Size]:
    """Its defaults, on RGB."""
    import cv2  # pyright: ignore[reportMissingImports]
    from perfect_pixel import get_perfect_pixel  # pyright: ignore[reportMissingImports]

    def find(path: Path) -> Size:
        rgb = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        try:
            width, height, _ = get_perfect_pixel(rgb)
        except (ValueError, IndexError, cv2.error):
            return None
        return None if width is None else (int(width), int(height))

    return find


PEERS = {"pixel_snapper": pixel_snapper, "perfect_pixel": perfect_pixel}


def main() -> None:
    """All the pictures, in the order of their names."""
    peer, folder, out = sys.argv[1:]
    find = PEERS[peer]()
    found = {path.stem: find(path) for path in sorted(Path(folder).glob("*.png"))}
    Path(out).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
