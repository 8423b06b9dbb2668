"""Foreign weights to networks of ours: `load_foreign`, `convert_state`, `convert_file`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..checkpoint import FORMAT, LoadedModel, finish, load_checkpoint, save_checkpoint
from ..errors import CheckpointError
from ..ops.blur import BlurDownsample, BlurUpsample
from ..ops.causal import CausalConv
from ..ops.stylegan2 import Blur
from ..spec import ModelSpec
from ..weightfile import check_finite, looks_like_safetensors, naming, read_header, sha256_of
from .files import open_foreign
from .layouts import Layout, recognise


def is_foreign(path: Path) -> bool:
    """Whether a file is anything else than a weight file of ours, by its content and not by its name.

    Raises:
        CheckpointError: it is not there, or is a safetensors file that is cut off.
    """
    path = Path(path)
    with naming(path), path.open("rb") as file:
        if not looks_like_safetensors(file.read(9)):
            return True
        header, _ = read_header(file, file.seek(0, 2))
        metadata = header.get("__metadata__")
        return not isinstance(metadata, dict) or metadata.get("format") != FORMAT


def read_foreign(path: Path) -> dict[str, Tensor]:
    """The state dict of a foreign file, as it lies there: keys, shapes and dtypes unchanged, on the CPU.

    Raises:
        CheckpointError: it is damaged, no weight file, made to do harm, or holds no state dict; says which.
    """
    return open_foreign(Path(path)).read()


def convert_state(tensors: Mapping[str, Tensor]) -> tuple[ModelSpec, object, dict[str, Tensor]]:
    """The architecture, its config, and its own state dict, float32, from a foreign state dict.

    Raises:
        ModelKindError: it is a network of another kind.
        CheckpointError: it does not fit its architecture, or is not finite.
    """
    layout = recognise(tensors)
    mine = {
        theirs: tensors[theirs].float() if tensors[theirs].is_floating_point() else tensors[theirs]
        for theirs in layout.keys.values()
    }
    return layout.spec, layout.config, _adopt(layout, mine)


def load_foreign(path: Path) -> LoadedModel:
    """Load a foreign weight file, `.pth`, `.pt` or `.safetensors`, on the CPU, in eval mode, float32.

    Raises:
        ModelKindError: it holds a network of another kind.
        CheckpointError: it is damaged, made to do harm, or does not fit its architecture; says which.
    """
    path = Path(path)
    file = open_foreign(path)
    with naming(path):
        layout = recognise(file.claims, file.names)
    tensors = file.read(list(layout.keys.values()), widen=True)
    with naming(path):
        state = _adopt(layout, tensors)
        metadata = {"source": path.name, "layout": "; ".join((file.layout, *layout.notes))}
        return finish(layout.module, state, layout.spec, layout.config, path, metadata)


def load_file(path: Path) -> LoadedModel:
    """Load a weight file of ours or a foreign one.

    Raises:
        ModelKindError: it holds a network of another kind.
        CheckpointError: it is damaged, made to do harm, or does not fit its architecture; says which.
    """
    return load_foreign(path) if is_foreign(path) else load_checkpoint(path)


def convert_file(source: Path, target: Path) -> LoadedModel:
    """Turn a foreign weight file into one of ours.

    Args:
        source: a `.pth`, `.pt` or foreign `.safetensors` file.
        target: where ours goes; it must end in `.safetensors`.

    Returns:
        The model as it was written.

    Raises:
        ModelKindError: it holds a network of another kind.
        CheckpointError: the source cannot be loaded or is ours already, or the target has another ending.
    """
    source, target = Path(source), Path(target)
    if target.suffix != ".safetensors":
        msg = f"{target.name} does not end in .safetensors, which is what is written"
        raise CheckpointError(msg)
    if not is_foreign(source):
        msg = f"{source.name} is a Pixel Kiln weight file already; use it as it is"
        raise CheckpointError(msg)
    model = load_foreign(source)
    facts = {
        **model.metadata,
        "source_sha256": sha256_of(source),
        "purpose": str(model.purpose),
        "licence": "as of the file it was converted from",
    }
    save_checkpoint(target, model.module, model.spec, model.config, facts)
    return load_checkpoint(target)


def _adopt(layout: Layout, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict of `layout.module`, from checked tensors by the file's keys."""
    state: dict[str, Tensor] = {}
    for key, empty in layout.module.state_dict().items():
        if key in layout.keys:
            state[key] = tensors[layout.keys[key]]
            check_finite(layout.keys[key], state[key])
        else:
            state[key] = torch.zeros(empty.shape, dtype=empty.dtype)  # a count of batches, which only training uses
    for name, layer in layout.module.named_modules():
        if isinstance(layer, (BlurDownsample, BlurUpsample)):
            blur = type(layer)(len(layer.filt)).filt
            if not torch.allclose(state[f"{name}.filt"], blur, atol=1e-3):
                msg = f"{name}.filt is another blur than CUT's own, which this version does not know"
                raise CheckpointError(msg)
            state[f"{name}.filt"] = blur
        if isinstance(layer, Blur):
            if not torch.allclose(state[f"{name}.kernel"], layer.kernel, atol=1e-3):
                msg = f"{name}.kernel is another blur than SinCUT's own, which this version does not know"
                raise CheckpointError(msg)
            state[f"{name}.kernel"] = layer.kernel
        if isinstance(layer, CausalConv):
            if not torch.equal(state[f"{name}.mask"], layer.mask):
                msg = f"{name}.mask is another mask than the reference's, which this version does not know"
                raise CheckpointError(msg)
            state[f"{name}.mask"] = layer.mask
    return state
