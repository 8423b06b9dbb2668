"""What the palette, grid, sheet and saving nodes do, for `node_facts.py`, which runs it in ComfyUI's own Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

Facts = dict[str, Any]
Part = Callable[[str], Any]
Outcome = Callable[[Callable[[], object]], str]

DITHERS = ("none", "bayer4", "blue_noise", "knoll", "floyd_steinberg")


def colors_of(image: torch.Tensor) -> list[str]:
    """The distinct colours of an IMAGE, as hex."""
    pixels = (image[..., :3].reshape(-1, 3) * 255).round().to(torch.uint8).unique(dim=0)
    return ["#" + bytes(pixel).hex() for pixel in pixels.tolist()]


def sprite(seed: int = 0, size: int = 12) -> torch.Tensor:
    """Pixel art of blocks of four colours, `1 h w 3`."""
    generator = torch.Generator().manual_seed(seed)
    colors = torch.tensor([[0.1, 0.1, 0.2], [0.8, 0.2, 0.2], [0.2, 0.6, 0.3], [0.9, 0.9, 0.8]])
    levels = (colors * 255).round() / 255
    return levels[torch.randint(0, 4, (1, size, size), generator=generator)]


def enlarged(image: torch.Tensor, scale: int) -> torch.Tensor:
    """Every pixel a square."""
    return image.repeat_interleave(scale, dim=1).repeat_interleave(scale, dim=2)


def palette_facts(part: Part, outcome: Outcome, inputs: Path) -> Facts:
    """Palettes from names, files and pictures; applied, swapped, edited, cycled."""
    nodes, recolor = part("nodes.palette"), part("nodes.recolor")
    of = part("pixel_models.palette").Palette.from_hex
    photo, small = torch.rand(2, 24, 20, 3), torch.rand(1, 9, 31, 4)
    kept = photo.clone()
    wanted = of("#000000 #ff0000 #00ff00 #0000ff #ffffff")
    settings = {"strength": 1.0, "space": "oklab", "serpentine": False, "linear_light": False}
    applied = {
        name: recolor.PaletteApplyNode.execute(image=photo, palette=wanted, dither=name, **settings).args
        for name in DITHERS
    }
    rgba = recolor.PaletteApplyNode.execute(image=small, palette=wanted, dither="none", **settings).args
    chosen = nodes.PaletteFromImageNode.execute(
        image=[photo, small], colors=[6], method=["k-means"], error=[0.0], accents=[0.5], keep=[of("#123456")]
    ).args
    back = nodes.PaletteFromImageNode.execute(
        image=[nodes.palette_output(wanted).args[3]], colors=[2], method=[nodes.IN_ORDER], error=[0.0], accents=[0.5]
    ).args[0]
    (inputs / "mine").mkdir(parents=True, exist_ok=True)
    (inputs / "mine" / "three.hex").write_text("102030\n405060\nffffff\n", encoding="utf-8")
    (inputs.parent / "outside.hex").write_text("000000\n", encoding="utf-8")
    load = nodes.PaletteLoadNode
    art = sprite()
    swap = recolor.PaletteSwapNode
    mapped = swap.execute(image=art, by="explicit map", changes="#1a1a33=#ff00ff").args
    edited = nodes.PaletteEditNode.execute(
        palette=[of("#ffffff #000000"), of("#000000 #808080")],
        merge_distance=[0.0], reduce_to=[0], sort_by=["lightness"], reverse=[False], more=[of("#ff0000")],
    ).args  # fmt: skip
    cycled = recolor.PaletteCycleNode.execute(image=art, first=0, last=3, backwards=False).args
    return {
        "applied_outside": {
            name: sorted(set(colors_of(made[0])) - set(wanted.to_hex())) for name, made in applied.items()
        },
        "applied_shapes": [list(value.shape) for value in applied["none"][:2]],
        "applied_rgba": [list(rgba[0].shape), sorted(rgba[0][..., 3].unique().tolist())],
        "chosen": [len(chosen[0]), "#123456" in chosen[0].to_hex(), chosen[1].split("\n") == chosen[2]],
        "in_order": back == wanted,
        "files": load.GET_SCHEMA().inputs[0].options,
        "loaded": load.execute(file="mine/three.hex").args[2],
        "outside": load.validate_inputs(file="../outside.hex"),
        "absolute": load.validate_inputs(file=str(inputs.parent / "outside.hex")),
        "not_a_palette": load.validate_inputs(file="mine/three.txt"),
        "mapped": ["#1a1a33" in colors_of(art), sorted(set(colors_of(mapped[0])) - set(colors_of(art)))],
        "swapped": len(set(colors_of(swap.execute(image=art, by="lightness", changes="", palette=wanted).args[0]))),
        "swap_alone": outcome(lambda: swap.execute(image=art, by="hue", changes="")),
        "swap_changes": swap.validate_inputs(by="hue", changes="#123"),
        "swap_noise": outcome(
            lambda: swap.execute(image=torch.rand(1, 300, 300, 3), by="hue", changes="", palette=wanted)
        ),
        "edited": edited[2],
        "cycled": [list(cycled[0].shape), bool(torch.equal(cycled[0][0], art[0]))],
        "ramp": len(nodes.PaletteRampNode.execute(color="#b13e53", count=7, hue_shift=20.0).args[0]),
        "seen": list(recolor.ColorViewNode.execute(image=small, kind="deuteranopia", palette=wanted).args[0].shape),
        "input_kept": bool(torch.equal(photo, kept)),
    }  # fmt: skip


def grid_facts(part: Part, outcome: Outcome) -> Facts:
    """Snap, downscale, upscale, clean up and inspect."""
    grid, cells = part("nodes.grid"), part("nodes.cells")
    settings = {"cell_size": 8.0, "target_width": 11, "target_height": 13, "colors": 0, "force": False}
    art = sprite(size=16)
    mask = torch.zeros(1, 128, 128)
    mask[:, :, :64] = 1
    snapped = grid.SnapToGridNode.execute(image=enlarged(art, 8), mode="automatic", mask=mask, **settings).args
    opaque = snapped[1][0] == 0
    exact = grid.SnapToGridNode.execute(image=enlarged(art, 8), mode="target size", **settings).args
    photo = torch.rand(1, 96, 96, 3).cumsum(dim=1).cumsum(dim=2)
    photo = photo / photo.max()
    cleaned = cells.CleanUpNode.execute(
        image=snapped[2], orphans=True, jaggies=True, antialias=True, outline="inside", outline_color="", padding=0
    ).args
    report = grid.InspectNode.execute(image=enlarged(art, 8)).args
    size = {"size_mode": "target size", "cell_size": 8, "target_width": 24, "target_height": 0}
    return {
        "snapped": [list(snapped[0].shape), bool(torch.equal(snapped[0][0][opaque], art[0][opaque])), snapped[3:5]],
        "snapped_mask": snapped[1].mean().item(),
        "exact": list(exact[0].shape),
        "photo": outcome(lambda: grid.SnapToGridNode.execute(image=photo, mode="automatic", **settings)),
        "cleaned_outside": sorted(set(colors_of(cleaned[0])) - set(colors_of(art)) - {"#000000"}),
        "cleaned_mask_kept": bool(torch.equal(cleaned[1], snapped[1])),
        "report": json.loads(report[0])["native_width"],
        "verdict": [report[2], report[3], report[4], report[5]],
        "small": {
            method: list(
                cells.DownscaleNode.execute(image=torch.rand(2, 48, 96, 3), method=method, **size).args[0].shape
            )
            for method in cells.DOWNSCALE_METHODS
        },
        "large": {
            method: list(cells.UpscaleNode.execute(image=sprite(), scale=4, method=method).args[0].shape)
            for method in cells.UPSCALE_METHODS
        },
    }


def sheet_facts(part: Part, outcome: Outcome) -> Facts:
    """Slice, pack, tiles."""
    sheets, tiling = part("nodes.sheets"), part("nodes.tiling")
    page = torch.ones(1, 20, 50, 3)
    page[:, 3:13, 2:12], page[:, 5:18, 20:27], page[:, 2:9, 35:47] = 0.2, 0.4, 0.6
    cut = {
        "frame_width": 10, "frame_height": 10, "columns": 5, "rows": 2, "margin": 0, "spacing": 0,
        "background": "", "name": "thing",
    }  # fmt: skip
    sliced = sheets.SliceSheetNode.execute(image=page, how="auto", **cut).args
    options = {
        "layout": ["packed"], "columns": [0], "padding": [1], "margin": [0], "extrude": [0], "power_of_two": [True],
        "trim": [False], "format": ["aseprite"], "image_name": ["sheet.png"],
    }  # fmt: skip
    packed = sheets.PackSheetNode.execute(
        sprites=[sliced[0], torch.rand(2, 6, 6, 3)], more=[torch.rand(1, 3, 9, 4)], **options
    ).args
    tile = torch.rand(1, 16, 16, 3)
    made = tiling.SeamlessTileNode.execute(image=tile, action=tiling.MAKE).args
    return {
        "sliced": [list(image.shape) for image in sliced[1]],
        "names": [frame.name for frame in sliced[0].frames],
        "batch": list(sliced[3].shape),
        "two_sheets": outcome(lambda: sheets.SliceSheetNode.execute(image=torch.rand(2, 9, 9, 3), how="auto", **cut)),
        "packed": [len(packed[0]), list(packed[1].shape)],
        "metadata": sorted(json.loads(packed[3])),
        "tile": [list(made[0].shape), list(made[2].shape), sorted(set(colors_of(made[0])) - set(colors_of(tile)))],
    }


def save_facts(part: Part, outcome: Outcome, output: Path) -> Facts:
    """Every format into the output folder, and names that try to leave it."""
    save, door = part("nodes.save"), part("nodes._comfy")
    read = part("pixel_models.spritefiles")
    art = sprite()
    frames = torch.cat([art, sprite(1), sprite(2)])
    mask = torch.zeros(3, 12, 12)
    mask[:, :3] = 1
    node = save.SavePixelArtNode
    node.hidden = type("Hidden", (), {"prompt": {"1": {}}, "extra_pnginfo": {"workflow": {"nodes": []}}})()
    settings = {"scale": 2, "duration": 70, "loop": 0}
    written, texts = {}, {}
    for kind in save.SAVE_FORMATS:
        files = node.execute(image=frames, mask=mask, filename_prefix=f"a/b/{kind}", format=kind, **settings).args[0]
        paths = [Path(line) for line in files.split("\n")]
        sheet = read.read_art(paths[0])
        written[kind] = [len(paths), len(sheet), sheet.frames[0].duration, list(sheet.frames[0].rgba.shape)]
        texts[kind] = sorted(read.read_text(paths[0]))
        assert all(path.is_relative_to(output) for path in paths), paths
    tricks = ["../../evil", "/etc/evil", "C:\\evil", "..\\..\\evil", "a/../../evil", "CON", "", "..", "x\0y"]
    places = [door.output_place(trick, ".png") for trick in tricks]
    first, second = (
        Path(node.execute(image=art, filename_prefix="same", format="png", **settings).args[0]).name for _ in range(2)
    )
    node.hidden = None
    return {
        "written": written,
        "texts": texts,
        "inside": [place.resolve().is_relative_to(output.resolve()) for place in places],
        "names": [place.name for place in places],
        "numbered": [first, second],
        "bad_format": node.validate_inputs(format="bmp"),
    }
