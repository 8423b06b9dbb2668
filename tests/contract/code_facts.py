"""What the nodes of codes do, for `node_facts.py`, which runs it in ComfyUI's own Python."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from art_facts import Facts, Outcome, Part, enlarged, sprite


def code_facts(part: Part, outcome: Outcome, inputs: Path, output: Path) -> Facts:
    """Encoded, decoded, edited, recoloured, swapped, saved and loaded; and what is refused."""
    nodes, taken, recolor, load = (
        part("nodes.vq"),
        part("nodes.codes"),
        part("nodes.recolor"),
        part("pixel_models").load,
    )
    model, other_model = load("kiln-vq-hires.safetensors"), load("kiln-vq-medres.safetensors")
    of = part("pixel_models.palette").Palette.from_hex
    art, second = sprite(), sprite(1)
    mask = torch.zeros(1, 12, 12)
    mask[:, :, :4] = 1
    edit, encode = taken.CodeEditNode, nodes.VQEncodeNode
    codes, shown, book = encode.execute(art, model, "picture", keep_alpha=True, mask=mask).args
    theirs = encode.execute(second, model, "features", keep_alpha=True).args[0]
    coarse = encode.execute(enlarged(art, 2), other_model, "picture", keep_alpha=True).args[0]
    image, back_mask, indexed, same = nodes.VQDecodeNode.execute(codes, model).args
    plain = {"changes": "", "offset": 1, "one_by_one": False, "seed": 3}

    def edited(action: str, **more: object) -> torch.Tensor:
        return edit.execute(codes=codes, model=model, **{**plain, "action": action, **more}).args[3].indices

    commonest = int(codes.indices[:, :, 4:].flatten().mode().values)
    replaced = edited("replace", changes=f"{commonest}=7")
    cut = edit.execute(codes=codes, model=model, **plain, action="cut out", mask=1 - mask).args[1]
    fused = edited("mix: learned", other=theirs, prior=load("kiln-fuse-hires.safetensors"))
    swapped = recolor.PaletteSwapNode.execute(
        image=art, by="codes", changes="", mask=mask, other=second, model=model
    ).args
    saved = Path(taken.CodesSaveNode.execute(codes, "kept/codes", "npz").args[0])
    (inputs / saved.name).write_bytes(saved.read_bytes())
    loaded = taken.CodesLoadNode.execute(saved.name).args[0]
    (inputs / "broken.npz").write_bytes(b"PK\x03\x04nothing")
    swap = recolor.PaletteSwapNode.execute
    return {
        "shapes": [list(shown.shape), list(image.shape), list(back_mask.shape), book.shape[-1]],
        "mask_kept": torch.equal(back_mask, mask),
        "same_codes": same is codes and len(indexed) == 1,
        "error": float((image - art)[:, :, 4:].abs().mean()),
        "coarse": list(coarse.indices.shape),
        "replaced": bool((replaced[:, :, 4:] == torch.where(
            codes.indices == commonest, 7, codes.indices
        )[:, :, 4:]).all()),
        "halves": bool(torch.equal(edited("mix: top", other=theirs)[:, 6:], theirs.indices[:, 6:])),
        "coins": bool(
            torch.equal(edited("mix: coin", other=theirs), edited("mix: coin", other=theirs))
            and not torch.equal(edited("mix: coin", other=theirs), edited("mix: coin", other=theirs, seed=4))
        ),
        "cut": float(cut.mean()),
        "fused": [list(fused.shape), bool((fused != codes.indices).any())],
        "swapped": [list(swapped[0].shape), bool(torch.equal(swapped[1], mask))],
        "recolored": list(nodes.RecolorNode.execute(codes, model, of("#ff0000 #00ff00")).args[0].shape),
        "kept": bool(torch.equal(loaded.indices, codes.indices)) and loaded.fingerprint == model.fingerprint,
        "inside": str(saved.resolve()).startswith(str(output.resolve())),
        "other_model": outcome(lambda: nodes.VQDecodeNode.execute(codes, other_model)),
        "no_codes": outcome(lambda: encode.execute(art, load("kiln-pixelate.safetensors"), "picture", keep_alpha=True)),
        "no_other": outcome(lambda: edited("mix: top")),
        "no_mask": outcome(lambda: edited("cut out")),
        "no_prior": outcome(lambda: edited("mix: learned", other=theirs)),
        "wrong_prior": outcome(lambda: edited("mix: learned", other=theirs, prior=model)),
        "swap_alone": outcome(lambda: swap(image=art, by="codes", changes="", model=model)),
        "sizes": outcome(
            lambda: edited("mix: top", other=dataclasses.replace(theirs, indices=theirs.indices[:, :6], height=6))
        ),
        "bad_changes": edit.validate_inputs(changes="12=x"),
        "bad_action": edit.validate_inputs(action="melt"),
        "broken_file": taken.CodesLoadNode.validate_inputs("broken.npz"),
        "outside_file": taken.CodesLoadNode.validate_inputs("../codes.npz"),
    }  # fmt: skip
