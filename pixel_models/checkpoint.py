"""Our weight files: one safetensors with architecture, config, licence and training facts in its metadata."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from .errors import CheckpointError, ModelKindError
from .registry import REGISTRY, SHIPPED
from .spec import ModelSpec, Purpose, config_from_json, config_to_json
from .weightfile import MOST_HEADER, check_finite, naming, read_header, sha256_of

FORMAT = "pixel-kiln-1"

MOST_WEIGHTS = 384 * 2**20
"""Bytes of a file's weights, there and as float32; the largest architecture's default takes 208 MiB."""


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
    with naming(path):
        with path.open("rb") as plain:
            size = plain.seek(0, 2)
            read_header(plain, size)
        _check_amount(size - MOST_HEADER)
        try:
            with safe_open(path, framework="pt") as file:
                metadata = dict(file.metadata() or {})
                spec = _spec_of(metadata)
                config = config_from_json(spec, metadata.get("config", ""))
                module = build_empty(spec, config)
                empty = module.state_dict()
                expected = {key: tuple(value.shape) for key, value in empty.items()}
                found = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
                check_shapes(expected, found)
                _check_amount(4 * sum(math.prod(shape) for shape in found.values()))
                tensors = {key: file.get_tensor(key) for key in expected}
        except (SafetensorError, UnicodeDecodeError) as error:
            msg = f"it is no whole safetensors file ({error}); fetch it again"
            raise CheckpointError(msg) from error
        for key, value in tensors.items():
            check_dtype(key, value.dtype, empty[key].dtype)
            if value.is_floating_point():
                tensors[key] = value = value.float()
            check_finite(key, value)
        return finish(module, tensors, spec, config, path, metadata)


def finish(
    module: nn.Module,
    tensors: Mapping[str, Tensor],
    spec: ModelSpec,
    config: object,
    path: Path,
    metadata: Mapping[str, str],
) -> LoadedModel:
    """Give the empty `module` its checked `tensors`, which were read from `path`, and say what is known of it."""
    module.load_state_dict(tensors, assign=True)
    return LoadedModel(module.eval().requires_grad_(False), spec, config, sha256_of(path)[:16], metadata)


def build_empty(spec: ModelSpec, config: object) -> nn.Module:
    """The network without memory for its weights: they are on torch's meta device, small buffers are real.

    Raises:
        CheckpointError: the config holds values that no such network can have.
    """
    try:
        with _WeightsOnMeta():
            return spec.build(config)
    except (TypeError, ValueError, RuntimeError) as error:
        msg = f"no {spec.id} can be built with the config {str(config)[:200]}: {error}"
        raise CheckpointError(msg) from error


class _WeightsOnMeta(TorchFunctionMode):
    """Where `torch.empty`, by which layers make their weights, takes no memory.

    `torch.device("meta")` would put everything there, and torch needs seconds to import what computes shapes of, say,
    `arange` there.
    """

    def __torch_function__(
        self, func: Callable[..., object], types: object, args: tuple[object, ...] = (), kwargs: object = None
    ) -> object:
        """Call `func`."""
        options = kwargs if isinstance(kwargs, dict) else {}
        return func(*args, **(options | {"device": "meta"} if func is torch.empty else options))


def _spec_of(metadata: Mapping[str, str]) -> ModelSpec:
    if metadata.get("format") != FORMAT:
        msg = f"it is no Pixel Kiln weight file (format {metadata.get('format')!r}, expected {FORMAT!r})"
        raise CheckpointError(msg)
    arch = metadata.get("arch", "")
    if arch not in REGISTRY:
        msg = f"it holds a {arch!r} network; this version knows {sorted(REGISTRY)}. Update the pack?"
        raise CheckpointError(msg)
    return REGISTRY[arch]


def check_shapes(expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse tensors that are not those of the architecture.

    Raises:
        CheckpointError: says which are missing, too many, or of another shape.
    """
    wrong = [f"{key} is missing" for key in expected.keys() - found.keys()]
    wrong += [f"{key} is not expected" for key in found.keys() - expected.keys()]
    common = expected.keys() & found.keys()
    wrong += [f"{k} is {found[k]}, expected {expected[k]}" for k in common if found[k] != expected[k]]
    if wrong:
        more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
        msg = f"it does not fit its architecture: {'; '.join(sorted(wrong)[:3])}{more}"
        raise CheckpointError(msg)


def _check_amount(num_bytes: int) -> None:
    if num_bytes > MOST_WEIGHTS:
        msg = f"its weights would take {num_bytes / 2**20:,.0f} MiB, expected at most {MOST_WEIGHTS // 2**20} MiB"
        raise CheckpointError(msg)


def check_dtype(key: str, found: torch.dtype, expected: torch.dtype) -> None:
    """Refuse integers or complex numbers for weights, and fractions for counts; other widths are fine.

    Raises:
        CheckpointError: names `key` and both.
    """
    if found.is_complex or found.is_floating_point != expected.is_floating_point:
        msg = f"{key} is {found}, expected {expected}; such weights are no trained network's"
        raise CheckpointError(msg)
