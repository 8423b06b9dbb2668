"""What the nodes for what moves do, for `node_facts.py`, which runs it in ComfyUI's own Python."""

from __future__ import annotations

from typing import Any

import torch
from art_facts import Facts, Outcome, Part, colors_of


def figure() -> torch.Tensor:
    """A sprite with a face and two legs on nothing, `1 16 12 4`."""
    art = torch.zeros(1, 16, 12, 4)
    art[:, 1:11, 2:10] = torch.tensor([0.8, 0.6, 0.4, 1.0])
    art[:, 11:15, 2:5] = art[:, 11:15, 7:10] = torch.tensor([0.2, 0.2, 0.6, 1.0])
    art[:, 3, 4] = art[:, 3, 7] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    return art


def animation_facts(part: Part, outcome: Outcome) -> Facts:
    """Every motion, colour cycling, frames named, onion skin, repeats joined."""
    nodes, frames = part("nodes.animate"), part("nodes.frames")
    art = figure()
    plain: dict[str, Any] = {
        "amplitude": -1, "frames": 0, "duration": 0, "easing": nodes.ITS_OWN, "view": "front",
    }  # fmt: skip
    node = nodes.AnimateSpriteNode
    moved = {motion: node.execute(sprite=art, motion=motion, **plain).args for motion in nodes.MOTIONS}
    two = node.execute(sprite=torch.cat([art, art.flip(2)]), motion="hop", **plain).args[0]
    marks = torch.zeros(1, 16, 12, 3)
    marks[:, 11:15, 2:5, 0] = marks[:, 11:15, 7:10, 2] = 1
    eyes = torch.zeros(1, 16, 12)
    eyes[:, 3, 4] = 1
    blind = art.clone()
    blind[:, 3, 2:10] = blind[:, 2, 2:10]
    walked = node.execute(sprite=art, motion="walk", parts=marks, **(plain | {"frames": 8, "duration": 70})).args[0]
    winked = node.execute(sprite=blind, motion="blink", eyes=eyes, **plain).args[0]
    ramp = torch.linspace(0, 1, 4)[None, None, :, None].expand(1, 2, 4, 3)
    cycling = nodes.ColorCyclingNode
    cycled = cycling.execute(image=ramp, cycles="0-1@100\n2-3@150").args[0]
    named = frames.FramesToAnimationNode.execute(
        frames=[torch.rand(2, 5, 5, 3), torch.rand(1, 5, 5, 4)],
        name=["hero"], tag=["run"], durations=["50, 60, 70"], ping_pong=[True], feet=[True],
    ).args[0]  # fmt: skip
    still = torch.cat([ramp, ramp, ramp.flip(2)])
    deduped = frames.DedupeFramesNode.execute(frames=still, threshold=0.0).args
    onion = frames.OnionSkinNode
    skins = {"before": 1, "after": 1, "opacity": 0.5}
    return {
        "frames": {motion: len(out[0]) for motion, out in moved.items()},
        "outside": {
            motion: sorted(set(colors_of(out[3])) - set(colors_of(art)) - {"#000000"}) for motion, out in moved.items()
        },
        "tags": sorted({frame.tag for frame in two.frames}),
        "walked": [len(walked), walked.frames[0].duration],
        "winked": [frame.duration for frame in winked.frames],
        "blind": outcome(lambda: node.execute(sprite=blind, motion="blink", **plain)),
        "bad_motion": node.validate_inputs(motion="fly"),
        "cycled": [frame.duration for frame in cycled.frames],
        "bad_cycle": cycling.validate_inputs(cycles="1..4"),
        "named": [[frame.name, frame.duration, frame.tag, frame.pivot] for frame in named.frames],
        "deduped": [[frame.duration for frame in deduped[0].frames], deduped[4]],
        "onion": [
            list(onion.execute(frames=still, frame=-1, scale=1, **skins).args[0].shape),
            list(onion.execute(frames=still, frame=1, scale=3, **skins).args[0].shape),
        ],
    }
