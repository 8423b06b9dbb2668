"""Our weight files: one safetensors with architecture, config, licence and training facts in its metadata."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from .errors import CheckpointError, ModelKindError
from .registry import REGISTRY, SHIPPED
from .spec import ModelSpec, Purpose, config_from_json, config_to_json

FORMAT = "pixel-kiln-1"


@dataclass(frozen=True)
class LoadedModel:
    """A network with what is known of it: what travels on the PIXEL_MODEL socket."""

    module: nn.Module
    """The architecture's own module, eval, float32, on the CPU when loaded."""

    spec: ModelSpec
    config: object
    fingerprint: str
    """First 16 hex digits of the file's SHA-256."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    """Licence, data, training facts: everything the file says of itself."""

    @property
    def purpose(self) -> Purpose:
        """What the network is for."""
        return self.spec.purpose

    def require(self, purpose: Purpose | str) -> LoadedModel:
        """This model, if it is for `purpose`.

        Raises:
            ModelKindError: it is for something else.
        """
        if self.purpose != Purpose(purpose):
            msg = f"a model to {Purpose(purpose)} is needed, and this one ({self.spec.id}) is to {self.purpose}"
            if fitting := [entry.name for entry in SHIPPED if entry.purpose == Purpose(purpose)]:
                msg += f"; choose {' or '.join(fitting)}"
            raise ModelKindError(msg)
        return self


def save_checkpoint(
    path: Path, module: nn.Module, spec: ModelSpec, config: object, metadata: Mapping[str, str], *, half: bool = False
) -> None:
    """Write a weight file beside `path` and rename it; `half` stores floating tensors in 16 bit."""
    tensors = {
        key: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous().clone()
        for key, value in module.state_dict().items()
    }
    own = {"format": FORMAT, "arch": spec.id, "config": config_to_json(config)}
    beside = path.with_name(path.name + ".partial")
    save_file(tensors, beside, {**metadata, **own})
    beside.chmod(0o644)  # safetensors makes it private
    beside.replace(path)


def load_checkpoint(path: Path) -> LoadedModel:
    """Read a weight file that `save_checkpoint` wrote; strictly: every tensor must be there, fit, and be finite.

    Raises:
        CheckpointError: the file is missing, damaged, foreign, or does not fit its architecture.
    """
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            spec = _spec_of(path, metadata)
            config = config_from_json(spec, metadata.get("config", ""))
            with torch.device("meta"):
                module = spec.build(config)
            expected = {key: tuple(value.shape) for key, value in module.state_dict().items()}
            found = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
            _check_shapes(path, expected, found)
            tensors = {key: file.get_tensor(key) for key in expected}
    except FileNotFoundError as error:
        msg = f"{path} is not there; expected a .safetensors weight file"
        raise CheckpointError(msg) from error
    except (SafetensorError, OSError, struct.error) as error:
        msg = f"{path.name} is no whole safetensors file ({error}); fetch it again"
        raise CheckpointError(msg) from error
    for key, value in tensors.items():
        if value.is_floating_point():
            tensors[key] = value = value.float()
        if not bool(torch.isfinite(value).all()):
            msg = f"{path.name}: {key} holds NaN or infinity; the training run it comes from failed"
            raise CheckpointError(msg)
    module.load_state_dict(tensors, assign=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return LoadedModel(module.eval().requires_grad_(False), spec, config, digest[:16], metadata)


def _spec_of(path: Path, metadata: Mapping[str, str]) -> ModelSpec:
    if metadata.get("format") != FORMAT:
        msg = f"{path.name} is no Pixel Kiln weight file (format {metadata.get('format')!r}, expected {FORMAT!r})"
        raise CheckpointError(msg)
    arch = metadata.get("arch", "")
    if arch not in REGISTRY:
        msg = f"{path.name} holds a {arch!r} network; this version knows {sorted(REGISTRY)}. Update the pack?"
        raise CheckpointError(msg)
    return REGISTRY[arch]


def _check_shapes(path: Path, expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]) -> None:
    wrong = [f"{key} is missing" for key in expected.keys() - found.keys()]
    wrong += [f"{key} is not expected" for key in found.keys() - expected.keys()]
    common = expected.keys() & found.keys()
    wrong += [f"{k} is {found[k]}, expected {expected[k]}" for k in common if found[k] != expected[k]]
    if wrong:
        more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
        msg = f"{path.name} does not fit its architecture: {'; '.join(sorted(wrong)[:3])}{more}"
        raise CheckpointError(msg)
