"""Golden vectors: which cases there are, their tensors, the weights that are not stored, and how to compare.

A few small cases travel in `data/`, so that the tests run everywhere; with the whole set beside the repository
(`PIXEL_KILN_SHARED`, or `../shared`) every case runs.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

DATA = Path(__file__).parent / "data"
SHARED = Path(os.environ.get("PIXEL_KILN_SHARED") or Path(__file__).parents[3] / "shared") / "goldens"
_KEPT = ("mask", "filt", "kernel", "num_batches_tracked", "noise.weight")
_GOLDEN_RATIO, _MIX_1, _MIX_2 = (np.uint64(v) for v in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))


@dataclass(frozen=True)
class GoldenCase:
    """One case: its description, and its tensors by name (`in/...`, `out/...`, `sd/...`)."""

    name: str
    about: Mapping[str, Any]
    """The case's JSON."""

    tensors: Mapping[str, Tensor]
    """Empty where the case is JSON alone."""

    @property
    def config(self) -> Mapping[str, Any]:
        """Constructor options, as the reference names them."""
        return self.about.get("config", {})

    def group(self, prefix: str) -> dict[str, Tensor]:
        """The tensors whose name begins with `prefix`, such as ``sd/``, without it."""
        return {name[len(prefix) :]: t for name, t in self.tensors.items() if name.startswith(prefix)}

    def atol(self, output: str = "out/y") -> float:
        """The absolute tolerance that the case suggests for one of its outputs."""
        return float(self.about["outputs"][output]["suggested_atol"])

    def load_weights(self, module: nn.Module) -> None:
        """Put the case's weights into `module`, strictly: the stored ones, or the procedural ones.

        Keys and shapes are compared with the case's list first.
        """
        listed = {key: tuple(entry["shape"]) for key, entry in self.about.get("keys", {}).items()}
        stored = self.group("sd/")
        listed |= {key: tuple(value.shape) for key, value in stored.items()}
        assert listed, f"{self.name} lists no weights"
        assert {key: tuple(value.shape) for key, value in module.state_dict().items()} == listed
        if rule := self.about.get("procedural_weights"):
            fill_procedurally(module, rule["salt"], rule.get("gain", 1.0), rule.get("unit", False))
        overrides = self.group("sd_override/")
        module.load_state_dict({**module.state_dict(), **stored, **overrides})


def cases(family: str) -> list[str]:
    """Names of the cases of a family that are on this machine, sorted: those in `data/`, and the whole set's."""
    return sorted({path.stem for root in (DATA, SHARED) for path in (root / family).glob("*.json")})


def read_case(family: str, case: str) -> GoldenCase:
    """One case, from the repository where it travels there, else from the whole set."""
    root = DATA if (DATA / family / f"{case}.json").is_file() else SHARED
    path = root / family / f"{case}.json"
    tensors = path.with_suffix(".safetensors")
    about = json.loads(path.read_text(encoding="utf-8"))
    return GoldenCase(case, about, load_file(tensors) if tensors.is_file() else {})


def fill_procedurally(
    target: nn.Module | Mapping[str, Tensor], salt: str, gain: float = 1.0, unit: bool = False
) -> None:
    """Fill weights in place by the goldens' rule: the name of each entry seeds its own stream of numbers.

    Args:
        target: a network or a state dict; entries that hold no floats, masks and filters keep what they hold.
        salt: sets one network apart from another.
        gain: factor of weights of two or more axes.
        unit: such weights are drawn as if each had one input.
    """
    state = target.state_dict() if isinstance(target, nn.Module) else target
    for key, value in state.items():
        if value.is_floating_point() and not key.endswith(_KEPT):
            with torch.no_grad():
                value.copy_(torch.from_numpy(_filled(key, tuple(value.shape), salt, gain, unit)))


def assert_close(actual: Tensor, expected: Tensor, atol: float, rtol: float = 1e-4, name: str = "output") -> None:
    """Compare with a golden: same shape, and equal within `atol + rtol * |expected|`."""
    assert tuple(actual.shape) == tuple(expected.shape), f"{name} is {tuple(actual.shape)}, not {tuple(expected.shape)}"
    torch.testing.assert_close(
        actual.detach().double(), expected.double(), atol=atol, rtol=rtol, msg=lambda text: f"{name}: {text}"
    )


def _filled(key: str, shape: tuple[int, ...], salt: str, gain: float, unit: bool) -> NDArray[np.float32]:
    count = int(np.prod(shape, dtype=np.int64))
    u = _uniform(f"{salt}|{key}", count)
    s = 2 * u - 1
    if key.endswith("running_mean"):
        values = 0.2 * s
    elif key.endswith("running_var"):
        values = 0.5 + u
    elif key.endswith("bias"):
        values = 0.1 * s
    elif len(shape) >= 2:
        values = s * np.sqrt(3 / (1 if unit else count / shape[0])) * gain
    elif key.endswith(("weight", "gamma")):
        values = 1 + 0.2 * s
    else:
        values = 0.1 * s
    return values.astype(np.float32).reshape(shape)


def _uniform(text: str, count: int) -> NDArray[np.float64]:
    """`count` numbers in [0, 1): splitmix64, seeded with the 64-bit FNV-1a hash of `text`."""
    seed = 0xCBF29CE484222325
    for byte in text.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    z = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN_RATIO + np.uint64(seed)  # wraps around, as it should
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / 2**24
