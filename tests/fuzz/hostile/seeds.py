"""Small good weight files of every layout that the loaders read: what the fuzzer changes."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from pixel_models.archs.pixelcnn import PixelCNN, PixelCNNConfig
from pixel_models.checkpoint import save_checkpoint
from pixel_models.registry import REGISTRY


def write_seeds(folder: Path) -> list[Path]:
    """Write them; a few kilobytes each."""
    resnet, unet, own = REGISTRY["resnet_generator"], REGISTRY["unet_generator"], REGISTRY["native_depixelate"]
    state = resnet.build(resnet.config(channels=2, blocks=1)).state_dict()
    old = {f"module.{key}": value for key, value in state.items()}
    for norm, width in (("model.2", 2), ("model.5", 4)):
        old[f"module.{norm}.running_mean"] = torch.zeros(width)
        old[f"module.{norm}.running_var"] = torch.ones(width)
    batch = unet.build(unet.config(channels=1, downs=5)).state_dict()
    torch.save(state, folder / "zip.pth")
    torch.save({"epoch": 3, "loss": [0.5], "state_dict": batch}, folder / "facts.pt")
    torch.save(old, folder / "stream.pth", _use_new_zipfile_serialization=False)
    save_file(state, folder / "foreign.safetensors", {"made": "elsewhere"})
    small = own.config(channels=2, outer_blocks=1, inner_dilations=(1,))
    save_checkpoint(folder / "ours.safetensors", own.build(small), own, small, {"licence": "CC0-1.0"})
    prior, ours = PixelCNN(PixelCNNConfig(codes=5, width=2, labels=("kind=a", "kind=b"))), REGISTRY["pixelcnn"]
    facts = {"epoch": 3, "encoding_dict": {"Fire": 0, "Bug": 1}, "model_state_dict": prior.state_dict()}
    torch.save(facts, folder / "prior.pt")
    save_checkpoint(folder / "ourprior.safetensors", ours.build(ours.tiny), ours, ours.tiny, {})
    return sorted(folder.iterdir())
