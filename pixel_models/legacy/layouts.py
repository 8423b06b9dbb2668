"""From the keys and shapes of a foreign state dict to the architecture that has them: the classic networks.

The layouts are those of the CycleGAN and pix2pix repository since 2017, with or without DataParallel, of CUT and
SinCUT, and of the VQ-VAEs, PixelCNNs and DCGANs of the Pixel VQ-VAEs' repository.
Nothing here sees a weight: a network is recognised before its numbers are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from ..archs.dcgan import DCGANConfig
from ..archs.pixelcnn import PixelCNNConfig
from ..archs.stylegan2 import SIZES, generator_widths, judge_widths
from ..checkpoint import build_empty, check_dtype, check_shapes
from ..errors import CheckpointError, ModelKindError
from ..registry import REGISTRY
from ..spec import ModelSpec


class Shaped(Protocol):
    """A tensor, or what a file claims of one."""

    @property
    def shape(self) -> Sequence[int]:
        """Sizes."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """Of the elements."""
        ...


@dataclass(frozen=True)
class Layout:
    """A foreign state dict, understood."""

    spec: ModelSpec
    config: object

    module: nn.Module
    """The network, without memory for its weights."""

    keys: Mapping[str, str]
    """The file's key for each of ours; ours that the file may lack (batch counts) are not here."""

    notes: tuple[str, ...]
    """What was unusual about the file, for people."""


def recognise(tensors: Mapping[str, Shaped], names: tuple[str, ...] = ()) -> Layout:
    """Find the architecture whose state dict this is.

    Args:
        tensors: by the file's keys; only shapes and dtypes are looked at.
        names: what the file calls the labels that its network takes, in their order; empty: it does not say.

    Raises:
        ModelKindError: it is a network of another kind, which this version does not run.
        CheckpointError: it is nearly one of these networks; says what does not fit.
    """
    keys, notes = _without_prefix(tensors)
    shapes = {ours: tuple(tensors[theirs].shape) for ours, theirs in keys.items()}
    arch, values = _guess(shapes, names)
    spec = REGISTRY[arch]
    try:
        config = spec.config(**values)
    except ValueError as error:
        msg = f"it looks like a {arch}, but of a kind that does not exist: {error}"
        raise CheckpointError(msg) from error
    if isinstance(config, PixelCNNConfig):
        notes += _pixelcnn_notes(config, names)
    if isinstance(config, DCGANConfig):
        notes.append("what is below 0 taken to be 0, as the reference's samples have it: it learned pictures in [0, 1]")
    module = build_empty(spec, config)
    empty = module.state_dict()
    if stale := _old_statistics(module, shapes):
        notes.append(f"{len(stale)} statistics of instance norms, as of PyTorch before 0.4.1, left out")
        keys = {key: keys[key] for key in keys.keys() - stale}
    uncounted = {key for key in empty.keys() - keys.keys() if key.endswith(".num_batches_tracked")}
    check_shapes(
        {key: tuple(value.shape) for key, value in empty.items() if key not in uncounted},
        {key: shapes[key] for key in keys},
    )
    for ours, theirs in keys.items():
        check_dtype(theirs, tensors[theirs].dtype, empty[ours].dtype)
    widths = {
        str(tensors[theirs].dtype).removeprefix("torch.") for ours, theirs in keys.items() if _floats(empty[ours])
    }
    if widths != {"float32"}:
        notes.append(f"weights of {' and '.join(sorted(widths))} made float32")
    return Layout(spec, config, module, {key: keys[key] for key in empty if key in keys}, tuple(notes))


def _floats(value: torch.Tensor) -> bool:
    return value.is_floating_point()


def _without_prefix(tensors: Mapping[str, Shaped]) -> tuple[dict[str, str], list[str]]:
    """The file's keys by what they are without DataParallel's `module.`."""
    if tensors and all(key.startswith("module.") for key in tensors):
        return {key.removeprefix("module."): key for key in tensors}, ["saved from DataParallel"]
    return {key: key for key in tensors}, []


def _old_statistics(module: nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> set[str]:
    """Keys of statistics that old instance norms kept and never used: outputs come from each picture's own."""
    stale: set[str] = set()
    for name, layer in module.named_modules():
        if isinstance(layer, nn.InstanceNorm2d):
            size = (layer.num_features,)
            for part, shape in (("running_mean", size), ("running_var", size), ("num_batches_tracked", ())):
                if shapes.get(f"{name}.{part}") == shape:
                    stale.add(f"{name}.{part}")
    return stale


def _guess(shapes: Mapping[str, tuple[int, ...]], names: tuple[str, ...]) -> tuple[str, dict[str, object]]:
    """Id of the likely architecture, and its config's values."""
    if "model.model.0.weight" in shapes:
        return "unet_generator", _unet(shapes)
    if any(re.match(r"model\.\d+\.conv_block\.", key) for key in shapes):
        return "resnet_generator", _resnet(shapes)
    if "vq_vae._embedding.weight" in shapes:
        return "vqvae", _vqvae(shapes)
    if "conv_vstack.conv.weight" in shapes:
        return "pixelcnn", _pixelcnn(shapes, names)
    if "encoder.convs.1.0.weight" in shapes:
        return "stylegan2_generator", _stylegan2(shapes)
    if "final_linear.1.weight" in shapes and "convs.0.0.weight" in shapes:
        return "stylegan2_discriminator", _stylegan2_judge(shapes)
    if "net.0.weight" in shapes and "net.2.weight" in shapes and not any(not k.startswith("net.") for k in shapes):
        width, channels = _conv(shapes, "net.0.weight", 0), _conv(shapes, "net.0.weight", 1)
        return "pixel_discriminator", {"in_channels": channels, "channels": width, "norm": _norm(shapes, "net.", 2)}
    if "main.0.weight" in shapes and not any(not key.startswith("main.") for key in shapes):
        return ("dcgan", _dcgan(shapes)) if "main.1.weight" in shapes else ("dcgan_discriminator", _dcgan_judge(shapes))
    if len(shapes.get("model.0.weight", ())) == 4:
        return "patch_discriminator", _patch(shapes)
    known = next((words for mark, words in _OTHER_NETWORKS if any(mark in key for key in shapes)), "")
    some = ", ".join(key[:40] for key in list(shapes)[:3])
    msg = f"it holds {known or 'a network that this version does not know'} ({len(shapes)} tensors: {some}, ...); "
    msg += "expected a ResNet or U-Net generator of CycleGAN, pix2pix or CUT, a discriminator of theirs, a VQ-VAE, "
    msg += "a PixelCNN or a DCGAN"
    raise ModelKindError(msg)


_OTHER_NETWORKS: tuple[tuple[str, str], ...] = (
    ("fc_mu.", "a VAE"),
    ("model.diffusion_model.", "a Stable Diffusion model"),
    ("mlp_0.", "the patch network of CUT, which no one needs after training"),
)
"""Networks of other kinds by what a key of theirs contains."""


def _dcgan(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    """Every layer but the first doubles the side of 4; what tanh's lower half means is the reference's habit."""
    convs = _indices({k: s for k, s in shapes.items() if len(s) == 4}, r"main\.(\d{1,3})\.weight")
    last = f"main.{convs[-1] if convs else 0}.weight"
    return {
        "latent": _conv(shapes, "main.0.weight", 0),
        "filters": _conv(shapes, last, 0),
        "size": 4 << len(convs) - 1 if convs else 0,
        "channels": _conv(shapes, last, 1),
        "range": "clamp",
    }


def _dcgan_judge(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    convs = _indices({k: s for k, s in shapes.items() if len(s) == 4}, r"main\.(\d{1,3})\.weight")
    return {
        "filters": _conv(shapes, "main.0.weight", 0),
        "size": 2 << len(convs),
        "channels": _conv(shapes, "main.0.weight", 1),
        "norm": "batch" if "main.3.weight" in shapes else "none",
    }


def _conv(shapes: Mapping[str, tuple[int, ...]], key: str, dimension: int) -> int:
    """One size of a convolution's weight.

    Raises:
        CheckpointError: there is no such weight, or it is not of a convolution.
    """
    shape = shapes.get(key)
    if shape is None or len(shape) != 4:
        msg = f"{key} is {'missing' if shape is None else shape}, expected a convolution's weight of 4 dimensions"
        raise CheckpointError(msg)
    return shape[dimension]


def _norm(shapes: Mapping[str, tuple[int, ...]], container: str, conv: int) -> str:
    """Which norm follows the convolution at this index: batch norm has weights; beside instance norm is a bias."""
    if f"{container}{conv + 1}.weight" in shapes:
        return "batch"
    return "instance" if f"{container}{conv}.bias" in shapes else "none"


def _indices(shapes: Mapping[str, tuple[int, ...]], pattern: str) -> list[int]:
    """The numbers that the pattern's group has among the keys, sorted."""
    return sorted({int(match[1]) for key in shapes if (match := re.fullmatch(pattern, key))})


def _resnet(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    blocks = _indices(shapes, r"model\.(\d{1,3})\.conv_block\..*")
    convs = _indices({k: s for k, s in shapes.items() if len(s) == 4}, r"model\.(\d{1,3})\.weight")
    inner = _indices(
        {k: s for k, s in shapes.items() if len(s) == 4}, rf"model\.{blocks[0]}\.conv_block\.(\d{{1,2}})\.weight"
    )
    blurs = _indices(shapes, r"model\.(\d{1,3})\.filt")
    after = [index for index in convs if index > blocks[-1]]
    upsample = "transpose" if after and after[0] == blocks[-1] + 1 else "resize"
    second = inner[-1] if inner else 0
    zero = bool(inner) and inner[0] == 0
    return {
        "in_channels": _conv(shapes, "model.1.weight", 1),
        "out_channels": _conv(shapes, f"model.{convs[-1] if convs else 0}.weight", 0),
        "channels": _conv(shapes, "model.1.weight", 0),
        "blocks": len(blocks),
        "norm": _norm(shapes, "model.", 1),
        "dropout": second == (4 if zero else 6),
        "padding": "zero" if zero else "reflect",
        "downsample": "antialias" if blurs and blurs[0] < blocks[0] else "conv",
        "upsample": "antialias" if blurs and blurs[-1] > blocks[-1] else upsample,
    }


def _unet(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    return {
        "in_channels": _conv(shapes, "model.model.0.weight", 1),
        "out_channels": _conv(shapes, "model.model.3.weight", 1),
        "channels": _conv(shapes, "model.model.0.weight", 0),
        "downs": max(key.split(".").count("model") for key in shapes) - 1,
        "norm": _norm(shapes, "model.model.1.model.", 1),
    }


def _patch(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    convs = _indices({k: s for k, s in shapes.items() if len(s) == 4}, r"model\.(\d{1,3})\.weight")
    return {
        "in_channels": _conv(shapes, "model.0.weight", 1),
        "channels": _conv(shapes, "model.0.weight", 0),
        "layers": len(convs) - 2,
        "norm": _norm(shapes, "model.", convs[1]) if len(convs) > 1 else "none",
        "downsample": "antialias" if "model.2.filt" in shapes else "conv",
    }


_LIKELY_SIZES: tuple[int, ...] = (64, *(size for size in SIZES if size != 64))
"""Of SinCUT's patches. A generator's file does not tell them, but they decide widths alone: any that fits is right."""

_MOST_STYLEGAN2_CHANNELS = 512


def _stylegan2(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    encoder = _indices(shapes, r"encoder\.convs\.(\d{1,3})\.conv1\.0\.weight")
    decoder = _indices(shapes, r"decoder\.convs\.(\d{1,3})\..*")
    ups = _indices(shapes, r"decoder\.convs\.(\d{1,3})\.conv\.weight")
    halved = (_conv(shapes, f"encoder.convs.{index}.conv2.1.weight", 0) for index in encoder[: len(ups)])
    widths = [_conv(shapes, "encoder.convs.1.0.weight", 0), *halved]
    sizes = [size for size in _LIKELY_SIZES if size >= SIZES[0] * 2 ** len(ups)]
    fitting = (
        (channels, size)
        for size in sizes
        for channels in range(1, _MOST_STYLEGAN2_CHANNELS + 1)
        if [generator_widths(channels)[size >> step] for step in range(len(widths))] == widths
    )
    channels, size = next(fitting, (0, 0))
    if not channels:
        msg = f"a StyleGAN2 generator with {widths} features, from full size down: SinCUT has none of these widths"
        raise CheckpointError(msg)
    return {
        "in_channels": _conv(shapes, "encoder.convs.1.0.weight", 1),
        "out_channels": _conv(shapes, f"decoder.convs.{decoder[-1] if decoder else 0}.0.weight", 0),
        "channels": channels,
        "size": size,
        "downsamplings": len(ups),
        "blocks": 2 * (len(encoder) - len(ups)),
    }


def _stylegan2_judge(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    halvings = len(_indices(shapes, r"convs\.(\d{1,3})\.conv1\.0\.weight"))
    size, width = SIZES[0] * 2 ** min(halvings, len(SIZES) - 1), _conv(shapes, "convs.0.0.weight", 0)
    likely = (c for c in range(1, _MOST_STYLEGAN2_CHANNELS + 1) if judge_widths(c)[size] == width)
    return {"in_channels": _conv(shapes, "convs.0.0.weight", 1), "channels": next(likely, 0), "size": size}


def _vqvae(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, object]:
    """Kernels tell halvings (2) from PixelSight and adapter (1), of which the adapter alone has no norm after it."""
    codebook = shapes["vq_vae._embedding.weight"]
    if len(codebook) != 2:
        msg = f"vq_vae._embedding.weight is {codebook}, expected 2 dimensions: codes, and the length of their vectors"
        raise CheckpointError(msg)
    convs = _indices({k: s for k, s in shapes.items() if len(s) == 4}, r"encoder\.(\d{1,3})\.weight")
    sides = [_conv(shapes, f"encoder.{index}.weight", 3) for index in convs]
    last = convs[-1] if convs else 0
    has_adapter = f"encoder.{last + 1}.weight" not in shapes
    values: dict[str, object] = {
        "layers": sides.count(2),
        "codes": codebook[0],
        "embedding": codebook[1],
        "pixelsight": "encoder.1.weight" in shapes and sides[:1] == [1],
        "adapter": has_adapter,
        "channels": _conv(shapes, "encoder.0.weight", 1),
    }
    return values | ({"filters": _conv(shapes, f"encoder.{last}.weight", 1)} if has_adapter else {})


PIXELCNN_DILATIONS = (1, 2, 1, 4, 1, 2, 1)
"""Of the gated layers in the Pixel VQ-VAEs' repository."""

_MOST_LABELS = 4096


def _pixelcnn(shapes: Mapping[str, tuple[int, ...]], names: tuple[str, ...]) -> dict[str, object]:
    """Shapes tell all but the dilations and what the labels mean."""
    layers = len(_indices(shapes, r"conv_layers\.(\d{1,3})\.conv_vert\.conv\.weight"))
    if layers != len(PIXELCNN_DILATIONS):
        msg = f"it is a PixelCNN of {layers} gated layers, expected {len(PIXELCNN_DILATIONS)}, as the reference has; "
        raise CheckpointError(msg + "how far those of others reach cannot be seen in a file")
    condition = shapes.get("conv_layers.0.conditional_fc.weight", (0, 0))
    if len(condition) != 2 or condition[1] > _MOST_LABELS:
        msg = f"conv_layers.0.conditional_fc.weight is {condition}, expected 2 dimensions: features, and labels, of "
        raise CheckpointError(f"{msg}which there are at most {_MOST_LABELS}")
    channels = _conv(shapes, "conv_vstack.conv.weight", 1)
    numbered = tuple(f"label={place}" for place in range(condition[1]))
    return {
        "codes": _conv(shapes, "conv_out.weight", 0) // max(1, channels),
        "channels": channels,
        "width": _conv(shapes, "conv_vstack.conv.weight", 0),
        "kernel": _conv(shapes, "conv_vstack.conv.weight", 3),
        "dilations": PIXELCNN_DILATIONS,
        "labels": tuple(f"kind={name}" for name in names) if len(names) == len(numbered) else numbered,
        "translate": any(key.startswith("image_view.") for key in shapes),
    }


def _pixelcnn_notes(config: PixelCNNConfig, names: tuple[str, ...]) -> list[str]:
    """What was taken to be so."""
    notes = [f"dilations, which no file tells, taken to be the reference's {', '.join(map(str, PIXELCNN_DILATIONS))}"]
    if config.labels and len(names) != len(config.labels):
        notes.append(f"no names for its {len(config.labels)} labels, which are called {config.labels[0]} and so on")
    return notes
