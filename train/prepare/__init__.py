"""`python -m train.prepare`: any folder or zip of pictures, sheets and animations to a clean training set."""

from __future__ import annotations

from .command import LAYOUTS, main, parser, prepare
from .plain import COLUMNS, PICTURES, SPLITS, Source, open_source, split_of

__all__ = [
    "COLUMNS",
    "LAYOUTS",
    "PICTURES",
    "SPLITS",
    "Source",
    "main",
    "open_source",
    "parser",
    "prepare",
    "split_of",
]
