"""What the nodes that draw sprites do, for `node_facts.py`, which runs it in ComfyUI's own Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import comfy.model_management as memory
import comfy.utils
import torch
from art_facts import Facts, Outcome, Part, colors_of, sprite

LABELS = ("creature=dragon", "creature=orc", "color=red", "thing=red")
PLAIN = {
    "labels": "", "count": 1, "seed": 3, "temperature": 1.0, "top_p": 1.0, "top_k": 0, "guidance": 1.0,
    "palettes": "any",
}  # fmt: skip


def priors(part: Part, folder: Path) -> dict[str, Any]:
    """Small random priors for two of the pack's VQ-VAEs, and one for a VQ-VAE that nobody has."""
    arch, checkpoint = part("pixel_models.archs.pixelcnn"), part("pixel_models.checkpoint")
    spec, load = part("pixel_models.registry").REGISTRY["pixelcnn"], part("pixel_models").load
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for name, coder in (("hires", "kiln-vq-hires"), ("medres", "kiln-vq-medres"), ("stray", "kiln-vq-hires")):
        owner = load(f"{coder}.safetensors")
        config = arch.PixelCNNConfig(
            codes=owner.config.codes, width=8, dilations=(1, 2), labels=LABELS, embedding=6, context=8,
            codes_of="f" * 16 if name == "stray" else owner.fingerprint, patch=owner.config.patch, size=6,
        )  # fmt: skip
        torch.manual_seed(1)
        path = folder / f"{name}.safetensors"
        with torch.inference_mode(mode=False):
            checkpoint.save_checkpoint(path, arch.PixelCNN(config), spec, config, {})
        made[name] = load(path)
    return made


def prior_facts(part: Part, outcome: Outcome, describe: Any, folder: Path) -> Facts:  # noqa: ANN401
    """Drawn, completed, varied, with labels and colours; progress, previews and cancel; and what is refused."""
    nodes, models = part("nodes.sample"), priors(part, folder)
    load = part("pixel_models").load
    coder = load("kiln-vq-hires.safetensors")

    def sample(model: str = "hires", **more: object) -> tuple[Any, ...]:
        settings = {**PLAIN, "width": 0, "height": 0, **more}
        return nodes.PixelCNNSampleNode.execute(model=models[model], **settings).args

    def codes(**more: Any) -> torch.Tensor:  # noqa: ANN401
        return sample(**more)[3].indices

    three = sample(count=3)
    encode = part("nodes.vq").VQEncodeNode.execute
    of = part("pixel_models.palette").Palette.from_hex
    return {
        "sampled": [describe(value) for value in three],
        "labels": three[4],
        "alpha_is_the_mask": bool(torch.equal(three[0][..., 3], 1 - three[1])),
        "sized": [list(value.shape) for value in sample("medres", count=2, width=7, height=5)[:2]],
        "same": bool(torch.equal(codes(count=3), codes(count=3)) and torch.equal(codes(count=3), codes(count=5)[:3])),
        "another_seed": bool(torch.equal(codes(), codes(seed=4))),
        "by_labels": bool(torch.equal(codes(count=2), codes(count=2, labels="dragon, color=red\n orc"))),
        "likeliest": bool(torch.equal(codes(temperature=0.0, seed=1), codes(temperature=0.0, seed=2))),
        "colors": len(set(colors_of(sample(count=4, palette=of("#ff0000 #00ff00"))[0])) - {"#000000"}),
        "completed": _completed(part, models, coder, encode),
        "told": _told(part, sample),
        "wrong_label": outcome(lambda: sample(labels="creature=dragn")),
        "unclear_label": outcome(lambda: sample(labels="red")),
        "no_prior": outcome(lambda: nodes.PixelCNNSampleNode.execute(coder, **PLAIN, width=0, height=0)),
        "wrong_coder": outcome(lambda: sample("medres", vq_model=coder)),
        "no_coder": outcome(lambda: sample("stray")),
        "too_large": outcome(lambda: sample(width=4096)),
        "palette_of_patches": outcome(lambda: sample("medres", palette=of("#ff0000"))),
        "bad_palettes": nodes.PixelCNNSampleNode.validate_inputs(palettes="all"),
        **_refused(part, models, encode, outcome),
    }


def _completer(nodes: Any, models: dict[str, Any]) -> Any:  # noqa: ANN401
    def complete(image: object, action: str, model: str = "hires", **more: object) -> tuple[Any, ...]:
        settings = {**PLAIN, "keep": 0.5, "change": 0.3, "place": 0.5, "exact": True, **more}
        return nodes.PixelCNNCompleteNode.execute(image=image, model=models[model], action=action, **settings).args

    return complete


def _completed(part: Part, models: dict[str, Any], coder: Any, encode: Any) -> Facts:  # noqa: ANN401
    """Each action on a sprite of which the left third is transparent."""
    complete = _completer(part("nodes.complete"), models)
    art, second = sprite(), sprite(1)
    mask, fill = torch.zeros(1, 12, 12), torch.zeros(1, 24, 24)
    mask[:, :, :4] = 1
    fill[:, 10:14, 10:14] = 1  # of the sprite's pixels 5 and 6
    whole, coded = complete(art, "variants", change=0.0), complete(art, "variants", change=0.0, exact=False)
    filled, empty = complete(art, "fill", fill=fill), complete(art, "fill", mask=mask)
    outside = torch.ones(12, 12, dtype=torch.bool)
    outside[5:7, 5:7] = False
    given = encode(art, coder, "picture", keep_alpha=True, mask=mask).args[0]
    top = complete(given, "keep top", count=2)
    shape, inside = complete(art, "silhouette", mask=mask), complete(art, "silhouette", fill=fill)
    varied = complete(torch.cat([art, second]), "variants", count=3)
    first, last = (complete(art, "in between", other=second, place=place, count=1)[3].indices for place in (0.0, 1.0))
    kept = art.clone()
    odd = complete(art[:, :11, :9], "keep left", "medres", mask=mask[:, :11, :9])
    return {
        "unchanged": [float(made[1].sum()) + float((made[0][..., :3] - art).abs().max()) for made in (whole, coded)],
        "filled_exactly": bool(torch.equal(filled[0][0, ..., :3][outside], art[0][outside])),
        "filled_outside": bool(torch.equal(filled[3].indices[0][outside], whole[3].indices[0][outside])),
        "filled_inside": bool(torch.equal(filled[3].indices[0][~outside], whole[3].indices[0][~outside])),
        "empty_kept": bool(torch.equal(empty[3].indices[:, :, 4:], whole[3].indices[:, :, 4:])),
        "empty_drawn": float(empty[1][:, :, :4].mean()),
        "top": [list(top[0].shape), bool((top[1][:, :6] == mask[:, :6]).all())],
        "top_codes": bool((top[3].indices[:, :6, 4:] == given.indices[:, :6, 4:]).all()),
        "top_differ": bool(torch.equal(top[3].indices[0], top[3].indices[1])),
        "silhouette": bool(torch.equal(shape[1], mask)),
        "silhouette_of_fill": [float(inside[1].sum()), float(inside[1][:, 5:7, 5:7].sum())],
        "varied": list(varied[0].shape),
        "varied_share": [
            float((varied[3].indices[3 * index + turn] != one).float().mean())
            for index, one in enumerate((whole[3].indices[0], complete(second, "variants", change=0.0)[3].indices[0]))
            for turn in range(3)
        ],
        "between": list(complete(art, "in between", other=second, count=3)[0].shape),
        "between_ends": [_alike(first, whole[3].indices), _alike(last, whole[3].indices)],
        "odd": [list(odd[0].shape), bool(torch.equal(odd[1][:, :, :4], mask[:, :11, :4]))],
        "input_kept": bool(torch.equal(art, kept)),
    }


def _alike(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a == b).float().mean())


def _told(part: Part, sample: Any) -> Facts:  # noqa: ANN401
    """What reaches the browser during a run, and how soon a cancel is heard."""
    messages: list[tuple[int, int]] = []
    pictures = []

    def hear(value: int, total: int, preview: Any, **_: object) -> None:  # noqa: ANN401
        messages.append((value, total))
        if preview is not None:
            pictures.append((preview[0], preview[1].mode, list(preview[1].size)))

    comfy.utils.set_progress_bar_global_hook(hear)
    sample(count=5)
    live = part("nodes._comfy").LiveProgress()
    told = len(messages)
    for step in range(1, 1001):
        live.step(step, 1000)
    quick = len(messages) - told
    comfy.utils.set_progress_bar_global_hook(None)
    live.step(1, 1000)
    memory.interrupt_current_processing(True)
    try:
        live.step(2, 1000)
        heard = ""
    except memory.InterruptProcessingException as error:
        heard = type(error).__name__
    memory.interrupt_current_processing(True)
    try:
        sample(count=5)
        stopped = ""
    except memory.InterruptProcessingException as error:
        stopped = type(error).__name__
    return {
        "messages": messages[:told],
        "of_a_thousand_quick_steps": quick,
        "pictures": pictures,
        "heard": heard,
        "stopped": stopped,
    }


def _refused(part: Part, models: dict[str, Any], encode: Any, outcome: Outcome) -> Facts:  # noqa: ANN401
    nodes, load = part("nodes.complete"), part("pixel_models").load
    complete = _completer(nodes, models)
    art, clear = sprite(), torch.ones(1, 12, 12)
    return {
        "no_other": outcome(lambda: complete(art, "in between")),
        "sizes": outcome(lambda: complete(art, "in between", other=sprite(1)[:, :6])),
        "nothing_to_fill": outcome(lambda: complete(art, "fill")),
        "empty_fill": outcome(lambda: complete(art, "fill", fill=torch.zeros(1, 64, 64))),
        "fills": outcome(lambda: complete(art, "fill", fill=torch.ones(2, 12, 12))),
        "opaque": outcome(lambda: complete(art, "silhouette")),
        "no_silhouette": outcome(lambda: complete(art, "silhouette", mask=clear)),
        "other_codes": outcome(
            lambda: complete(encode(art, load("kiln-vq-medres"), "picture", keep_alpha=True).args[0], "keep top")
        ),
        "bad_action": nodes.PixelCNNCompleteNode.validate_inputs(action="melt"),
    }
