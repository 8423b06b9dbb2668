"""Which of the things that belong to a picture is its caption."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CAPTION_NAMES = ("text", "caption", "captions", "prompt", "description")
"""Columns and JSON fields that are taken for captions, the first that is there."""


def caption_in(row: Mapping[str, Any], name: str = "") -> str:
    """The caption in a row of metadata.

    Args:
        row: its values by column.
        name: the column; empty: the first of `CAPTION_NAMES` that holds one.

    Returns:
        The text, of a list of texts the first; empty where there is none.
    """
    for key in (name,) if name else CAPTION_NAMES:
        value = row.get(key)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, str) and value:
            return value
    return ""


def caption_beside(sidecars: Mapping[str, bytes], name: str = "") -> str:
    """The caption in the files beside a picture: the .txt, else the .caption, else a field of the .json."""
    for ending in ("txt", "caption"):
        if ending in sidecars:
            return sidecars[ending].decode("utf-8-sig", "replace").strip()
    try:
        row = json.loads(sidecars.get("json", b"null"))
    except (ValueError, RecursionError):
        return ""
    return caption_in(row, name) if isinstance(row, dict) else ""


def files_beside(sidecars: Mapping[str, bytes], row: str, text: str) -> dict[str, bytes]:
    """What stands beside a sprite, by ending: its sidecars unchanged, and its row and caption where they came alone.

    Args:
        sidecars: files by ending without the dot.
        row: JSON object; goes into "json", or where that is taken, into "metadata.json". Empty: none.
        text: goes into "txt" where that is not taken. Empty: none.
    """
    files = dict(sidecars)
    if text:
        files.setdefault("txt", text.encode())
    if row:
        files["metadata.json" if "json" in files else "json"] = row.encode()
    return dict(sorted(files.items()))
