"""Runs in ComfyUI's own Python: loads the pack as ComfyUI does and prints what its nodes are and do, as JSON.

Usage: python node_facts.py COMFYUI_FOLDER PACK_FOLDER SCRATCH_FOLDER. Networks are tiny and random: the tests that
read this look at shapes, types and errors, not at beauty.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

COMFYUI, PACK, SCRATCH = (Path(argument).resolve() for argument in sys.argv[1:4])
sys.path.insert(0, str(COMFYUI))
sys.argv = ["main.py", "--cpu", "--base-directory", str(SCRATCH)]

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import comfy.model_management as memory  # noqa: E402
import comfy.utils  # noqa: E402
import folder_paths  # noqa: E402
import torch  # noqa: E402
from anim_facts import animation_facts  # noqa: E402
from art_facts import grid_facts, palette_facts, save_facts, sheet_facts  # noqa: E402
from code_facts import code_facts  # noqa: E402
from latent_facts import latent_facts  # noqa: E402
from prior_facts import prior_facts  # noqa: E402
from video_facts import video_facts  # noqa: E402

Facts = dict[str, Any]


def load_pack() -> ModuleType:
    """Import the pack by its path under a name that no other module has, as ComfyUI does."""
    spec = importlib.util.spec_from_file_location(
        "probed_pack", PACK / "__init__.py", submodule_search_locations=[str(PACK)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["probed_pack"] = module
    spec.loader.exec_module(module)
    return module


def part(name: str) -> Any:  # noqa: ANN401
    """One of the pack's modules, such as `nodes._comfy`."""
    return importlib.import_module(f"probed_pack.{name}")


def outcome(call: Callable[[], object]) -> str:
    """The error that a call ends in, as `Type: message`, or `no error`."""
    try:
        call()
    except BaseException as error:  # noqa: BLE001 - newer ComfyUIs cancel with one; the test looks at its type
        return f"{type(error).__name__}: {error}"
    return "no error"


def describe(value: object) -> object:
    """A tensor by shape, type and range; anything else by its type's name."""
    if not isinstance(value, torch.Tensor):
        return type(value).__name__
    levels = value * 255
    return {
        "shape": list(value.shape),
        "dtype": str(value.dtype),
        "range": [value.min().item(), value.max().item()],
        "finite": bool(torch.isfinite(value).all()),
        "on_8_bit_levels": bool((levels - levels.round()).abs().max() < 1e-3),
    }


def schema_facts(node: Any) -> Facts:  # noqa: ANN401
    """What ComfyUI would tell its frontend about a node."""
    schema = node.GET_SCHEMA()
    inputs = [
        {"id": entry.id, "type": str(entry.get_io_type()), "optional": entry.optional, **entry.as_dict()}
        for entry in schema.inputs
    ]
    outputs = [
        {"id": entry.id, "type": str(entry.io_type), "name": entry.display_name, "tooltip": entry.tooltip}
        for entry in schema.outputs
    ]
    return {
        "display_name": schema.display_name,
        "category": schema.category,
        "description": schema.description,
        "inputs": inputs,
        "outputs": outputs,
        "execute": list(inspect.signature(node.execute).parameters),
    }


def make_checkpoints() -> dict[str, str]:
    """Save a tiny random network of each purpose that a node takes into the user's model folder."""
    registry, checkpoint = part("pixel_models.registry"), part("pixel_models.checkpoint")
    folder = SCRATCH / "models" / "pixel_models"
    folder.mkdir(parents=True, exist_ok=True)
    names = {}
    for spec in registry.REGISTRY.values():
        if str(spec.purpose) in (*names, "discriminator"):
            continue
        torch.manual_seed(0)
        names[str(spec.purpose)] = f"tiny-{spec.purpose}.safetensors"
        checkpoint.save_checkpoint(folder / names[str(spec.purpose)], spec.build(spec.tiny), spec, spec.tiny, {})
    return names


def loader_facts(names: dict[str, str]) -> Facts:
    """The loader node: what it lists, loads, refuses, and when it loads again."""
    load = part("nodes.load").LoadPixelModel
    path = SCRATCH / "models" / "pixel_models" / names["pixelate"]
    before = load.fingerprint_inputs(model_name=names["pixelate"])
    same = load.fingerprint_inputs(model_name=names["pixelate"])
    path.write_bytes(path.read_bytes())
    (SCRATCH / "outside.safetensors").write_bytes(path.read_bytes())
    half = path.with_name("half.safetensors")
    half.write_bytes(path.read_bytes()[:200])
    facts = {
        "options": load.GET_SCHEMA().inputs[0].options,
        "shipped": [entry.name for entry in part("pixel_models.registry").SHIPPED],
        "unchanged_is_same": before == same,
        "replaced_is_same": before == load.fingerprint_inputs(model_name=names["pixelate"]),
        "valid": load.validate_inputs(model_name=names["pixelate"]),
        "valid_over_a_link": load.validate_inputs(),
        "missing": load.validate_inputs(model_name="nowhere.safetensors"),
        "missing_when_run": outcome(lambda: load.execute(model_name="nowhere.safetensors")),
        "outside": load.validate_inputs(model_name=str(SCRATCH / "outside.safetensors")),
        "upwards": load.validate_inputs(model_name="../../outside.safetensors"),
        "hub_off": load.validate_inputs(model_name=names["pixelate"], download=False, hub_model="a/b@v1/c.pth"),
        "hub_on": load.validate_inputs(model_name=names["pixelate"], download=True, hub_model=" a/b "),
        "hub_path": load.validate_inputs(model_name=names["pixelate"], download=True, hub_model="../c.pth"),
        "hub_not_run": outcome(lambda: load.execute(model_name=names["pixelate"], hub_model="a/b")),
        "download_of_a_file": load.validate_inputs(model_name="nowhere.safetensors", download=True, hub_model=""),
        "half": outcome(lambda: load.execute(model_name=half.name)),
        "folder": str(path.parent),
        "extensions": sorted(folder_paths.folder_names_and_paths["pixel_models"][1]),
        "configured_folder_kept": str(SCRATCH / "elsewhere") in folder_paths.get_folder_paths("pixel_models"),
        "device": str(next(load.execute(model_name=names["depixelate"])[0].module.parameters()).device),
    }
    half.unlink()
    return facts


OPTIONS = {
    "size_mode": "cell size",
    "cell_size": 8,
    "target_width": 16,
    "colors": 4,
    "palette_per": "batch",
    "clean": True,
}


def pixelate_facts(models: dict[str, Any]) -> Facts:
    """The Pixelate node on batches, odd sizes, masks and bad input."""
    pixelate = part("nodes.pixelate").PixelateNode
    model = models["pixelate"]

    def run(image: torch.Tensor, **options: object) -> Any:  # noqa: ANN401
        kept = image.clone()
        result = pixelate.execute(image=image, model=model, **{**OPTIONS, **options})
        assert torch.equal(image.nan_to_num(), kept.nan_to_num()), "the input was edited in place"
        return result

    def shapes(image: torch.Tensor, **options: object) -> list[object]:
        return [describe(value) for value in run(image, **options).args]

    torch.manual_seed(1)
    rgb, odd = torch.rand(1, 32, 48, 3), torch.rand(3, 33, 47, 3)
    half = torch.zeros(1, 32, 48)
    half[:, :, :24] = 1
    small = torch.zeros(1, 4, 6)
    small[:, :, :3] = 1
    palette = part("pixel_models.palette").Palette.from_hex("#ff0000 #00ff00 #0000ff")
    masked = run(rgb, mask=half)
    colored = run(odd, palette=palette)
    rgba = torch.cat([rgb, 1 - half[..., None]], dim=-1)
    classic = pixelate.execute(image=odd, model=models["translate"], **OPTIONS).args
    tiled = pixelate.execute(image=odd, model=models["translate"], **{**OPTIONS, "tile": 8}).args
    return {
        "classic": [describe(value) for value in classic],
        "classic_matches_large": bool(torch.equal(classic[0][:, ::8, ::8], classic[1])),
        "classic_colors": len(classic[1].reshape(-1, 3).unique(dim=0)),
        "classic_ignores_tiles": bool(torch.equal(classic[1], tiled[1])),
        "rgb": shapes(rgb),
        "odd_batch": shapes(odd),
        "rgba": shapes(rgba),
        "target_width": shapes(rgb, size_mode="target width"),
        "tiny": shapes(torch.rand(1, 1, 1, 3)),
        "thin": shapes(torch.rand(1, 1, 400, 3)),
        "fp16": shapes(rgb.half()),
        "opaque_is_zero": run(rgb).args[2].max().item() + run(rgb, mask=torch.zeros(1, 64, 64)).args[3].max().item(),
        "mask_of_left_half": masked.args[3].mean(dim=(0, 1)).tolist(),
        "small_mask_fits": bool(torch.equal(run(rgb, mask=small).args[3], masked.args[3])),
        "flat_mask_fits": bool(torch.equal(run(rgb, mask=half[0]).args[3], masked.args[3])),
        "one_mask_for_a_batch": describe(run(rgb.expand(3, -1, -1, -1), mask=half).args[3]),
        "alpha_channel_is_a_mask": bool(torch.equal(run(rgba).args[3], masked.args[3])),
        "native_matches_large": bool(torch.equal(run(rgb).args[0][:, ::8, ::8], run(rgb).args[1])),
        "colors_out": len(run(odd).args[1].reshape(-1, 3).unique(dim=0)),
        "palette_out": sorted(map(tuple, colored.args[1].reshape(-1, 3).unique(dim=0).tolist())),
        "same_twice": all(bool(torch.equal(a, b)) for a, b in zip(run(odd).args, run(odd).args, strict=True)),
        "preview": [dict(entry) for entry in masked.ui.as_dict()["images"]],
        "preview_folder": str(folder_paths.get_temp_directory()),
        "wrong_kind": outcome(lambda: pixelate.execute(image=rgb, model=models["depixelate"], **OPTIONS)),
        "nan": outcome(lambda: run(torch.full((1, 16, 16, 3), float("nan")))),
        "nan_mask": outcome(lambda: run(rgb, mask=half * float("nan"))),
        "gray": outcome(lambda: run(torch.rand(1, 16, 16, 1))),
        "empty": outcome(lambda: run(torch.rand(0, 16, 16, 3))),
        "two_masks_for_three": outcome(lambda: run(odd, mask=torch.ones(2, 33, 47))),
        "bad_size_mode": pixelate.validate_inputs(size_mode="width", palette_per="image", tile=0),
        "bad_tile": pixelate.validate_inputs(tile=3),
        "good_tile": pixelate.validate_inputs(tile=0) is True and pixelate.validate_inputs(tile=64) is True,
    }


def depixelate_facts(models: dict[str, Any]) -> Facts:
    """The Depixelate node on a batch, a mask, RGBA and the wrong kind of model."""
    node, model = part("nodes.pixelate").DepixelateNode, models["depixelate"]
    sprites, mask = torch.rand(2, 9, 7, 3), torch.zeros(1, 9, 7)
    mask[:, :4] = 1
    kept = sprites.clone()
    return {
        "rgb": [describe(value) for value in node.execute(image=sprites, model=model, scale=4).args],
        "masked": [describe(value) for value in node.execute(image=sprites, model=model, scale=3, mask=mask).args],
        "rgba": [describe(value) for value in node.execute(image=torch.rand(1, 9, 7, 4), model=model, scale=2).args],
        "wrong_kind": outcome(lambda: node.execute(image=sprites, model=models["pixelate"], scale=4)),
        "input_kept": bool(torch.equal(sprites, kept)),
    }


def named_palette_facts() -> Facts:
    """The Palette node: named, own colours, and text that is no colour."""
    node = part("nodes.palette").PaletteNode
    first = node.GET_SCHEMA().inputs[0].options[0]
    return {
        "own": node.execute(name=first, hex_colors=" #102030,\n405060 ").args[0].to_hex(),
        "named": len(node.execute(name=first).args[0]),
        "bad": node.validate_inputs(name=first, hex_colors="#102030 mauve"),
        "bad_name": node.validate_inputs(name="/etc/hostname", hex_colors=""),
        "good": node.validate_inputs(name=first, hex_colors="#102030") is True
        and node.validate_inputs(name=first) is True,
    }


def door_facts(models: dict[str, Any]) -> Facts:
    """The door itself: there and back, progress, cancel, and what happens when memory runs out."""
    door = part("nodes._comfy")
    image = part("pixel_models.image").from_uint8(torch.arange(256, dtype=torch.uint8).reshape(1, 8, 8, 4))
    rgb, alpha = door.image_to_nchw(image)
    module = models["pixelate"].module
    steps: list[tuple[int, int]] = []
    comfy.utils.set_progress_bar_global_hook(lambda value, total, _preview, **_: steps.append((value, total)))
    big = {"image": torch.rand(2, 64, 128, 3), "model": models["pixelate"], **OPTIONS, "tile": 8}
    part("nodes.pixelate").PixelateNode.execute(**big)
    comfy.utils.set_progress_bar_global_hook(None)
    memory.interrupt_current_processing(True)
    cancelled = outcome(lambda: part("nodes.pixelate").PixelateNode.execute(**big))
    tried: list[int | None] = []

    def short_of_memory(_rgb: torch.Tensor, _alpha: torch.Tensor | None, tile: int | None) -> str:
        tried.append(tile)
        if tile is None or tile > 32:
            msg = "CUDA out of memory. Tried to allocate 2.00 GiB"
            raise RuntimeError(msg)
        return "made it"

    def always_short(_rgb: torch.Tensor, _alpha: torch.Tensor | None, _tile: int | None) -> str:
        msg = "DefaultCPUAllocator: can't allocate memory"
        raise RuntimeError(msg)

    def broken(_rgb: torch.Tensor, _alpha: torch.Tensor | None, _tile: int | None) -> str:
        msg = "size mismatch"
        raise RuntimeError(msg)

    return {
        "there_and_back": bool(torch.equal(door.nchw_to_image(rgb, alpha), image)),
        "saved_levels": (255.0 * image.flatten().numpy()).astype("uint8").tolist(),
        "steps": steps,
        "cancelled": cancelled,
        "cancel_is_used_up": not memory.processing_interrupted(),
        "retried": door.run_on_device(module, rgb, alpha, 0, short_of_memory),
        "tried": tried,
        "gave_up": outcome(lambda: door.run_on_device(module, rgb, alpha, 64, always_short)),
        "broken": outcome(lambda: door.run_on_device(module, rgb, alpha, 0, broken)),
        "one_patcher": door.devices._patcher(module) is door.devices._patcher(module),
    }


def main() -> None:
    """Print the facts on the last line of stdout."""
    folder_paths.add_model_folder_path("pixel_models", str(SCRATCH / "elsewhere"))  # as extra_model_paths.yaml does
    extension = asyncio.run(load_pack().comfy_entrypoint())
    nodes = asyncio.run(extension.get_node_list())
    names = make_checkpoints()
    with torch.inference_mode():  # ComfyUI runs nodes in it
        models = {
            purpose: part("nodes.load").LoadPixelModel.execute(model_name=name)[0] for purpose, name in names.items()
        }
        facts = {
            "nodes": {node.GET_SCHEMA().node_id: schema_facts(node) for node in nodes},
            "loader": loader_facts(names),
            "pixelate": pixelate_facts(models),
            "depixelate": depixelate_facts(models),
            "palette": named_palette_facts(),
            "palettes": palette_facts(part, outcome, Path(folder_paths.get_input_directory())),
            "grid": grid_facts(part, outcome),
            "sheets": sheet_facts(part, outcome),
            "animation": animation_facts(part, outcome),
            "codes": code_facts(
                part, outcome, Path(folder_paths.get_input_directory()), Path(folder_paths.get_output_directory())
            ),
            "priors": prior_facts(part, outcome, describe, SCRATCH / "priors"),
            "latents": latent_facts(part, outcome, describe, SCRATCH / "latents"),
            "save": save_facts(part, outcome, Path(folder_paths.get_output_directory())),
            "video": video_facts(part, outcome, models, Path(folder_paths.get_temp_directory())),
            "door": door_facts(models),
        }
    sys.stdout.write("\n" + json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
