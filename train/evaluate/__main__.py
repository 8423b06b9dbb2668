"""`python -m train.evaluate WHAT …`: the evaluation's commands by their names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

COMMANDS: dict[str, str] = {
    "pixelators": "pixelators side by side on held-out pictures",
    "cells": "pixelators against true sprites, by the size of a cell in the picture",
    "depixelators": "ways to enlarge held-out sprites side by side: colour, alpha, smoothness, truth to drawings",
    "reconstruction": "the paper's Tables 2, 3 and 8: VAE and VQ-VAE on one set with one budget",
    "generation": "the paper's Table 5: how near made pictures are to sprites, as sets",
    "priors": "the paper's Tables 4 and 5: PixelCNNs over codes, GAN and VAEs under one budget",
    "contact": "unpicked samples of a prior beside the training sprites most like them",
    "latents": "DCGANs and VAEs: how steady walks are, and how well given sprites are found",
    "pixelart": "how often the pixel-art measure ranks good variants above bad ones",
}
_MODULES = {"pixelart": "evidence"}


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that the first word names."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        asked = bool(words) and words[0] in {"-h", "--help"}
        lines = [f"  {name.ljust(16)}{about}" for name, about in COMMANDS.items()]
        told = "\n".join(["usage: python -m train.evaluate WHAT [-h] …", "", *lines])
        if words and not asked:
            told = f"there is no {words[0]!r}\n{told}"
        print(told, file=sys.stdout if asked else sys.stderr)
        sys.exit(0 if asked else 2)
    importlib.import_module(f".{_MODULES.get(words[0], words[0])}", __package__).main(words[1:])


if __name__ == "__main__":
    main()
