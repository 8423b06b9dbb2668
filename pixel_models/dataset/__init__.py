"""Very many pictures with captions to sprites for training: folders and shards in and out, resumable, in order."""

from __future__ import annotations

from .cluster import Cluster
from .items import SIDECARS, Item, Part, Row, Sample
from .mirror import mirror_metadata
from .pool import Pool, spread_devices
from .run import Engine, Watcher, run_dataset
from .shared_palette import shared_palette
from .sinks import SHARD_ENDINGS, FolderSink, ShardSink, Sink, Tally
from .source import Source
from .state import ERRORS, STATE, State
from .worker import Make, Start, Worker

__all__ = [
    "ERRORS",
    "SHARD_ENDINGS",
    "SIDECARS",
    "STATE",
    "Cluster",
    "Engine",
    "FolderSink",
    "Item",
    "Make",
    "Part",
    "Pool",
    "Row",
    "Sample",
    "ShardSink",
    "Sink",
    "Source",
    "Start",
    "State",
    "Tally",
    "Watcher",
    "Worker",
    "mirror_metadata",
    "run_dataset",
    "shared_palette",
    "spread_devices",
]
