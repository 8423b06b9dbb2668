"""A training run's whole state in one safetensors file, written beside and renamed: kill it at any moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

FORMAT = "pixel-kiln-training-1"


@dataclass(frozen=True)
class RunState:
    """What a run is made of; `step` steps are done."""

    nets: Mapping[str, nn.Module]
    optimizers: Mapping[str, torch.optim.Optimizer]
    config: Mapping[str, Any] = field(default_factory=dict)
    """Settings that a resumed run must share."""


def save_state(path: Path, state: RunState, step: int) -> None:
    """Write the state; the file at `path` is always a whole one."""
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, Any] = {}
    for name, net in state.nets.items():
        tensors.update({f"net/{name}/{key}": value for key, value in net.state_dict().items()})
    for name, optimizer in state.optimizers.items():
        for index, slots in optimizer.state_dict()["state"].items():
            for slot, value in slots.items():
                key = f"opt/{name}/{index}/{slot}"
                if isinstance(value, Tensor):
                    tensors[key] = value
                else:
                    scalars[key] = value
    metadata = {
        "format": FORMAT,
        "step": str(step),
        "config": json.dumps(dict(state.config), sort_keys=True),
        "scalars": json.dumps(scalars),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".partial")
    save_file({key: value.detach().cpu().clone().contiguous() for key, value in tensors.items()}, beside, metadata)
    beside.replace(path)


def load_state(path: Path, state: RunState) -> int:
    """Put a saved state into the nets and optimizers; returns how many steps it had done.

    Raises:
        ValueError: the file is no training state, is of other settings, or does not fit the nets.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  safe_open is no dict
    except (SafetensorError, OSError) as error:
        msg = f"{path} is no whole training state ({error}); start again with a new --out"
        raise ValueError(msg) from error
    if metadata.get("format") != FORMAT:
        msg = f"{path} is no training state of this version; start again with a new --out"
        raise ValueError(msg)
    before, now = json.loads(metadata["config"]), json.loads(json.dumps(dict(state.config)))
    changed = {key: (before.get(key), now.get(key)) for key in before | now if before.get(key) != now.get(key)}
    if changed:
        msg = f"{path} was trained with other settings {changed} (before, now); use the same, or a new --out"
        raise ValueError(msg)
    for name, net in state.nets.items():
        prefix = f"net/{name}/"
        net.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
    scalars = json.loads(metadata["scalars"])
    for name, optimizer in state.optimizers.items():
        slots: dict[int, dict[str, Any]] = {}
        for key, value in {**tensors, **scalars}.items():
            if key.startswith(f"opt/{name}/"):
                index, slot = key.removeprefix(f"opt/{name}/").split("/")
                slots.setdefault(int(index), {})[slot] = value
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
    return int(metadata["step"])
