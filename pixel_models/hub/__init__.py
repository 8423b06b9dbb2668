"""From a model's name to its file: a path, the user's folders, the shipped weights, the hub's cache, the hub itself."""

from __future__ import annotations

from .find import WEIGHTS, Found, check_published, find_weights, locate, model_names
from .sources import GRAMMAR, REPOSITORY, REVISION, SUFFIXES, HubSource, address, published_source

__all__ = [
    "GRAMMAR",
    "REPOSITORY",
    "REVISION",
    "SUFFIXES",
    "WEIGHTS",
    "Found",
    "HubSource",
    "address",
    "check_published",
    "find_weights",
    "locate",
    "model_names",
    "published_source",
]
