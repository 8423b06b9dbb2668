"""Which of the things in a foreign file are the weights, its state dict, and the names that it gives to labels."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import CheckpointError
from .claims import TensorClaim
from .pickles import Inert

MOST_KEYS = 20_000
MOST_KEY = 200
MOST_NAMES = 4096
MOST_NAME = 64

STATE_DICTS = ("state_dict", "model_state_dict", "generator_model_state_dict", "params_ema", "params", "model", "netG")
"""Where a file that also holds training facts may have the state dict that is wanted, the likeliest first."""


def state_dict_of(value: object) -> dict[str, TensorClaim]:
    """The state dict that a file's value is or holds.

    Raises:
        CheckpointError: there is none, or it is mixed with other things; says what there is.
    """
    if isinstance(value, TensorClaim):
        raise _unfit("one bare tensor")
    if not isinstance(value, Mapping):
        raise _unfit(f"something {_kind(value)}")
    if not value:
        raise _unfit("nothing: an empty dictionary")
    if not _has_tensors(value):
        inner = next((part for part in map(value.get, STATE_DICTS) if _has_tensors(part)), None)
        if not isinstance(inner, Mapping):
            listed = ", ".join(f"{_shown(key)} ({_kind(part)})" for key, part in list(value.items())[:5])
            raise _unfit(f"{listed}{' and more' if len(value) > 5 else ''}")
        value = inner
    if len(value) > MOST_KEYS:
        raise _unfit(f"{len(value):,} entries")
    claims: dict[str, TensorClaim] = {}
    for key, part in value.items():
        if not isinstance(key, str) or not isinstance(part, TensorClaim) or len(key) > MOST_KEY:
            raise _unfit(f"tensors mixed with other things: {_shown(key)} ({_kind(part)})")
        claims[key] = part
    return claims


def label_names(value: object) -> tuple[str, ...]:
    """The names that a file of the Pixel VQ-VAEs' repository gives to what its PixelCNN can be asked for, in order.

    Args:
        value: the file's. Its `encoding_dict` gives each name its place among the network's inputs.

    Returns:
        Empty where there is no such dictionary, or it is not one of short names, each another in any case, to 0, 1, 2
        and so on: the network runs without it, and which place means what cannot be guessed.
    """
    places = value.get("encoding_dict") if isinstance(value, Mapping) else None
    if not isinstance(places, Mapping) or len(places) > MOST_NAMES:
        return ()
    by_place = {place: name for name, place in places.items() if type(place) is int and _is_name(name)}
    names = tuple(by_place[place] for place in range(len(places)) if place in by_place)
    alike = len({name.lower() for name in names}) < len(names)  # names are asked for in any case
    return () if alike or len(names) < len(places) else names


def _is_name(name: object) -> bool:
    """Whether a list of labels, parted by commas, can hold it."""
    if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME or name != name.strip():
        return False
    return name.isprintable() and not any(mark in name for mark in ",;=")


def _has_tensors(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(part, TensorClaim) for part in value.values())


def _unfit(found: str) -> CheckpointError:
    return CheckpointError(f"it holds {found}; expected a state dict: tensors by name, as module.state_dict() gives")


def _shown(key: object) -> str:
    return repr(key[:40]) if isinstance(key, str) else f"the key {str(key)[:20]}"


def _kind(value: object) -> str:
    if isinstance(value, TensorClaim):
        return "a tensor"
    return value.what if isinstance(value, Inert) else f"of type {type(value).__name__}"
