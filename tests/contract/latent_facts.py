"""What the nodes for sprites from latents do, for `node_facts.py`, which runs it in ComfyUI's own Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import comfy.model_management as memory
import comfy.utils
import torch
from art_facts import Facts, Outcome, Part, colors_of, sprite

LABELS = ("creature=dragon", "creature=orc", "color=red")
DRAWN = {"count": 2, "seed": 3, "temperature": 1.0, "colors": 4, "palettes": "each its own", "clean": True}
WALKED = {
    "way": "spherical", "seeds": "1, 1:1", "frames": 4, "duration": 80, "loop": True, "easing": "linear", "labels": "",
    "seed": 0, "temperature": 1.0, "colors": 4, "clean": True,
}  # fmt: skip
FUSED = {
    "how": "blend", "share": 0.5, "count": 1, "seed": 0, "temperature": 1.0, "colors": 4, "palettes": "each its own",
    "clean": True,
}  # fmt: skip


def generators(part: Part, folder: Path) -> dict[str, Any]:
    """A small random DCGAN and VAE of 16x16 pixels, and a PixelCNN."""
    load, checkpoint = part("pixel_models").load, part("pixel_models.checkpoint")
    dcgan, vae = part("pixel_models.archs.dcgan"), part("pixel_models.archs.vae")
    registry = part("pixel_models.registry").REGISTRY
    folder.mkdir(parents=True, exist_ok=True)
    configs = {
        "dcgan": dcgan.DCGANConfig(latent=12, filters=6, size=16, channels=4, labels=LABELS),
        "vae": vae.VAEConfig(layers=2, filters=16, latent=12, size=16, channels=4),
        "pixelcnn": registry["pixelcnn"].tiny,
    }
    made = {}
    for name, config in configs.items():
        torch.manual_seed(1)
        spec, path = registry[name], folder / f"{name}.safetensors"
        with torch.inference_mode(mode=False), torch.no_grad():
            module = spec.build(config)
            if name == "vae":
                for _ in range(20):
                    module.decode(torch.randn(32, 12))
            elif name == "dcgan":
                for _ in range(20):
                    module.raw(torch.randn(32, 12))
                module.main[-2].weight *= 8  # sure of what it shows
            checkpoint.save_checkpoint(path, module, spec, config, {})
        made[name] = load(path)
    return made


def latent_facts(part: Part, outcome: Outcome, describe: Any, folder: Path) -> Facts:  # noqa: ANN401
    """Drawn, walked, fused; progress and cancel; and what is refused."""
    nodes, models = part("nodes.latent"), generators(part, folder)
    walking, fusing = part("nodes.walk").LatentWalkNode, part("nodes.fuse").FuseSpritesNode
    of = part("pixel_models.palette").Palette.from_hex
    art, second = sprite(), sprite(1)
    kept = art.clone()
    mask = torch.zeros(1, 12, 12)
    mask[:, :, :4] = 1

    def dcgan(model: str = "dcgan", **more: object) -> tuple[Any, ...]:
        return nodes.DCGANSampleNode.execute(model=models[model], **{"labels": "", **DRAWN, **more}).args

    def vae(model: str = "vae", **more: object) -> tuple[Any, ...]:
        return nodes.VAESampleNode.execute(model=models[model], **{**DRAWN, **more}).args

    def walk(model: str = "vae", **more: object) -> tuple[Any, ...]:
        return walking.execute(model=models[model], **{**WALKED, **more}).args

    def fuse(model: str = "vae", **more: object) -> tuple[Any, ...]:
        given = {"first": art, "second": second, **FUSED, **more}
        return fusing.execute(model=models[model], **given).args

    def same(*results: tuple[Any, ...]) -> bool:
        return all(torch.equal(results[0][0], other[0]) for other in results[1:])

    walked, sheet = walk(), part("pixel_models.sheets").SpriteSheet
    batch = torch.cat([art, second])
    films = [walk(sprites=one) for one in (batch, sheet.of_batch(part("nodes._art").to_rgba(batch)))]
    return {
        "dcgan": [describe(value) for value in dcgan(count=3)],
        "vae": [describe(value) for value in vae(count=3)],
        "walk": [describe(value) for value in walked],
        "fuse": [describe(value) for value in fuse(count=3)],
        "labels": dcgan()[3],
        "same": same(vae(), vae()) and same(dcgan(), dcgan()),
        "first_stay": bool(
            torch.equal(vae(count=5)[0][:2], vae()[0]) and torch.equal(dcgan(count=5)[0][:2], dcgan()[0])
        ),
        "another_seed": same(vae(), vae(seed=4)),
        "by_labels": same(dcgan(), dcgan(labels="dragon, color=red")),
        "colors": len(set(colors_of(vae(count=4, palette=of("#ff0000 #00ff00"))[0])) - {"#000000"}),
        "alpha_is_the_mask": bool(torch.equal(dcgan()[0][..., 3], 1 - dcgan()[1])),
        "times": [frame.duration for frame in walked[3].frames],
        "loops": [walked[3].loop, walk(loop=False)[3].loop],
        "palette_of_walk": len(walked[2].palette),
        "wandered": same(walk(way="wander"), walk(way="wander", seeds="9")),
        "through_sprites": same(*films),
        "seeds_unused": same(films[0], walk(sprites=batch, seeds="9 8 7")),
        "masked_walk": same(films[0], walk(sprites=batch, mask=mask)),
        "fused_pairs": list(fuse(first=batch, count=2)[0].shape),
        "masked_fusion": same(fuse(), fuse(first_mask=mask)),
        "input_kept": bool(torch.equal(art, kept)),
        "told": _told(vae, walk),
        **_found(dcgan, walk, fuse),
        "vae_for_dcgan": outcome(lambda: dcgan("vae")),
        "dcgan_for_vae": outcome(lambda: vae("dcgan")),
        "prior_for_vae": outcome(lambda: vae("pixelcnn")),
        "prior_for_dcgan": outcome(lambda: dcgan("pixelcnn")),
        "prior_to_walk": outcome(lambda: walk("pixelcnn")),
        "dcgan_to_fuse": outcome(lambda: fuse("dcgan")),
        "dcgan_through_sprites": outcome(lambda: walk("dcgan", sprites=art)),
        "wrong_label": outcome(lambda: dcgan(labels="dragn")),
        "labels_for_vae": outcome(lambda: walk(labels="dragon")),
        "one_color": outcome(lambda: vae(colors=1)),
        "few_frames": outcome(lambda: walk(seeds="1 2 3", frames=2)),
        "circle_of_three": outcome(lambda: walk(way="circle", seeds="1 2 3")),
        "too_large": outcome(lambda: fuse(second=torch.rand(1, 20, 20, 3))),
        "no_pairs": outcome(lambda: fuse(first=batch, second=torch.cat([batch, art]))),
        "bad_seeds": walking.validate_inputs(seeds="one"),
        "bad_way": walking.validate_inputs(way="jump"),
        "bad_how": fusing.validate_inputs(how="melt"),
        "bad_palettes": nodes.VAESampleNode.validate_inputs(palettes="all"),
        "good": walking.validate_inputs(seeds="7, 7:3") is True and nodes.DCGANSampleNode.validate_inputs() is True,
    }


def _found(dcgan: Any, walk: Any, fuse: Any) -> Facts:  # noqa: ANN401
    """What a DCGAN makes of sprites that it drew itself, in the mode in which ComfyUI runs nodes."""
    own = dcgan(colors=0, clean=False)[0]
    walked = walk("dcgan", sprites=own, colors=0, clean=False)[0]
    fused = fuse("dcgan", first=own[:1], second=own[1:], temperature=0.0, share=1.0, colors=0, clean=False)[0]
    shown, wanted = (one[..., 3] > 0 for one in (torch.cat([walked[[0, 2]], fused]), own[[0, 1, 1]]))
    overlaps = (shown & wanted).sum((1, 2)) / (shown | wanted).sum((1, 2))
    memory.interrupt_current_processing(True)
    try:
        walk("dcgan", sprites=own)
        stopped = ""
    except memory.InterruptProcessingException as error:
        stopped = type(error).__name__
    return {"found": overlaps.tolist(), "search_stopped": stopped}


def _told(vae: Any, walk: Any) -> Facts:  # noqa: ANN401
    """What reaches the browser during a run, and whether a cancel is heard."""
    messages: list[tuple[int, int]] = []
    comfy.utils.set_progress_bar_global_hook(lambda value, total, _preview, **_: messages.append((value, total)))
    vae(count=5)
    walk()
    comfy.utils.set_progress_bar_global_hook(None)
    stopped = []
    for run in (vae, walk):
        memory.interrupt_current_processing(True)
        try:
            run()
            stopped.append("")
        except memory.InterruptProcessingException as error:
            stopped.append(type(error).__name__)
    return {"messages": messages, "stopped": stopped}
