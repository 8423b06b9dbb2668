"""Plain training steps to measure ours against: the reference's order, one pass a call, float32, nothing made faster.

Every network is a copy of ours with PyTorch's own layers, every optimizer PyTorch's Adam as it comes. The reference's
order of each step is in the papers that the recipes name.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.archs.cascade import CELLS, enlarge
from pixel_models.ops.narrow import NarrowConv2d, NarrowConvTranspose2d
from pixel_models.ops.norms import InstanceNorm
from train.cascade_parts import shrink, slope_loss
from train.cut_parts import ByChance
from train.gan import gan_loss
from train.loop import Batch, StepContext

Losses = dict[str, Tensor]


def plain_copy(net: nn.Module) -> Any:  # noqa: ANN401  generators have methods beside `forward`
    """A copy of a network in which no layer is faster than PyTorch's own."""
    copied = copy.deepcopy(net)
    for module in list(copied.modules()):
        for name, child in module.named_children():
            if isinstance(child, InstanceNorm):
                setattr(module, name, nn.InstanceNorm2d(child.num_features, eps=child.eps))
            elif isinstance(child, NarrowConv2d):
                child.__class__ = nn.Conv2d  # pyright: ignore[reportAttributeAccessIssue]
            elif isinstance(child, NarrowConvTranspose2d):
                child.__class__ = nn.ConvTranspose2d  # pyright: ignore[reportAttributeAccessIssue]
    return copied


class PlainSteps:
    """A recipe's networks and optimizers, plainly."""

    def __init__(self, recipe: Any) -> None:  # noqa: ANN401  each step knows its own recipe
        """Copy the networks, and give every group of weights that the recipe moves together an Adam."""
        self.nets = {name: plain_copy(net) for name, net in recipe.nets.items() if any(True for _ in net.parameters())}
        self.setting = recipe.setting
        self.weights: Any = getattr(recipe, "weights", None)
        self.l1: float = getattr(recipe, "l1", 0.0)
        twins = {
            id(ours): plain
            for name, copied in self.nets.items()
            for ours, plain in zip(recipe.nets[name].parameters(), copied.parameters(), strict=True)
        }
        self.optimizers: dict[str, torch.optim.Optimizer] = {}
        for name, optimizer in recipe.optimizers.items():
            (group,) = optimizer.param_groups
            parameters = [twins[id(p)] for p in group["params"]]
            self.optimizers[name] = torch.optim.Adam(parameters, lr=group["lr"], betas=group["betas"])

    def learn(self, loss: Tensor, *names: str) -> None:
        """Backward, and one step of these optimizers."""
        for name in names:
            self.optimizers[name].zero_grad()
        loss.backward()
        for name in names:
            self.optimizers[name].step()

    def learnable(self, learn: bool, *names: str) -> None:
        """Whether these networks get gradients."""
        for name in names:
            self.nets[name].requires_grad_(learn)


def cyclegan(own: PlainSteps, batch: Batch, context: StepContext) -> Losses:
    """Both generators, then both discriminators, which see what was just made: the pools are not full yet."""
    del context
    a, b, w = batch["a"], batch["b"], own.weights
    g_a, g_b, d_a, d_b = (own.nets[name] for name in ("g_a", "g_b", "d_a", "d_b"))
    fake_b = g_a(a)
    rec_a = g_b(fake_b)
    fake_a = g_b(b)
    rec_b = g_a(fake_a)
    own.learnable(False, "d_a", "d_b")
    losses = {
        "idt_A": w.identity * w.cycle_b * F.l1_loss(g_a(b), b),
        "idt_B": w.identity * w.cycle_a * F.l1_loss(g_b(a), a),
        "G_A": gan_loss(d_a(fake_b), True),
        "G_B": gan_loss(d_b(fake_a), True),
        "cycle_A": w.cycle_a * F.l1_loss(rec_a, a),
        "cycle_B": w.cycle_b * F.l1_loss(rec_b, b),
    }
    own.learn(torch.stack(list(losses.values())).sum(), "generators")
    own.learnable(True, "d_a", "d_b")
    own.optimizers["discriminators"].zero_grad()
    for name, judge, real, made in (("D_A", d_a, b, fake_b), ("D_B", d_b, a, fake_a)):
        losses[name] = 0.5 * (gan_loss(judge(real), True) + gan_loss(judge(made.detach()), False))
        losses[name].backward()
    own.optimizers["discriminators"].step()
    return losses


def pix2pix(own: PlainSteps, batch: Batch, context: StepContext) -> Losses:
    """The discriminator, then the generator."""
    del context
    a, b, mode, d = batch["a"], batch["b"], own.setting.gan_mode, own.nets["d"]
    made = own.nets["g"](a)
    own.learnable(True, "d")
    on_made = gan_loss(d(torch.cat([a, made.detach()], dim=1)), False, mode)
    on_real = gan_loss(d(torch.cat([a, b], dim=1)), True, mode)
    own.learn(0.5 * (on_made + on_real), "discriminator")
    own.learnable(False, "d")
    losses = {"G_GAN": gan_loss(d(torch.cat([a, made], dim=1)), True, mode), "G_L1": own.l1 * F.l1_loss(made, b)}
    own.learn(losses["G_GAN"] + losses["G_L1"], "generator")
    return {**losses, "D_real": on_real, "D_fake": on_made}


def cut(own: PlainSteps, batch: Batch, context: StepContext) -> Losses:
    """The discriminator, then the generator and the heads; CUT's and FastCUT's."""
    a, b, s, d, g = batch["a"], batch["b"], own.setting, own.nets["d"], own.nets["g"]
    choices = ByChance(context.generator)
    mirrored = s.flip_equivariance and choices.mirrored()
    real = torch.cat([a, b]) if s.nce_identity else a
    with context.seeded():
        made = g(real.flip(3) if mirrored else real)
    fake = made[: len(a)]
    own.learnable(True, "d")
    on_made = gan_loss(d(fake.detach()), False, s.gan_mode)
    on_real = gan_loss(d(b), True, s.gan_mode)
    own.learn(0.5 * (on_made + on_real), "discriminator")
    own.learnable(False, "d")
    with context.seeded():
        losses = {"G_GAN": s.gan_weight * gan_loss(d(fake), True, s.gan_mode)}
        pairs = [("NCE", a, fake), ("NCE_Y", b, made[len(a) :])][: 2 if s.nce_identity else 1]
        for name, source, target in pairs:
            losses[name] = s.nce_weight * _nce(own, source, target, choices, mirrored=mirrored)
    losses["G"] = losses["G_GAN"] + torch.stack(list(losses.values())[1:]).mean()
    own.learn(losses["G"], "generator", "heads")
    return {**losses, "D_real": on_real, "D_fake": on_made}


def sincut(own: PlainSteps, batch: Batch, context: StepContext) -> Losses:
    """The discriminator with its slope's penalty, then the generator and the heads."""
    a, b, s, d, g = batch["a"], batch["b"], own.setting, own.nets["d"], own.nets["g"]
    with context.seeded():
        made = g(torch.cat([a, b]))
    fake, same = made[: len(a)], made[len(a) :]
    own.learnable(True, "d")
    on_made = gan_loss(d(fake.detach()), False, "nonsaturating")
    real = b.detach().requires_grad_()
    score = d(real)
    on_real = gan_loss(score, True, "nonsaturating")
    (slope,) = torch.autograd.grad(score.sum(), real, create_graph=True)
    penalty = 0.5 * s.r1_weight * slope.square().flatten(1).sum(1).mean()
    own.learn(0.5 * (on_made + on_real) + penalty, "discriminator")
    own.learnable(False, "d")
    with context.seeded():
        losses = {"G_GAN": s.gan_weight * gan_loss(d(fake), True, "nonsaturating")}
        choices = ByChance(context.generator)
        for name, source, target in (("NCE", a, fake), ("NCE_Y", b, same)):
            losses[name] = s.nce_weight * _nce(own, source, target, choices, across_batch=True)
        losses["idt"] = s.identity_weight * F.l1_loss(same, b)
    losses["G"] = losses["G_GAN"] + (losses["NCE"] + losses["NCE_Y"]) / 2 + losses["idt"]
    own.learn(losses["G"], "generator", "heads")
    return {**losses, "D_real": on_real, "D_fake": on_made, "D_R1": penalty}


def _nce(
    own: PlainSteps,
    source: Tensor,
    target: Tensor,
    choices: ByChance,
    *,
    mirrored: bool = False,
    across_batch: bool = False,
) -> Tensor:
    """PatchNCE: both pictures through the generator's layers, the source's features without gradient."""
    s, g, heads = own.setting, own.nets["g"], own.nets["heads"]
    queries, keys = g.features(target, s.nce_layers), g.features(source, s.nce_layers)
    queries = [x.flip(3) for x in queries] if mirrored else queries
    places = choices.places(keys, s.patches)
    losses: list[Tensor] = []
    for query, key in zip(heads(queries, places), heads(keys, places), strict=True):
        q, k = query, key.detach()
        if across_batch:
            q, k = q.reshape(1, -1, q.shape[2]), k.reshape(1, -1, k.shape[2])
        own_place = torch.eye(q.shape[1], dtype=torch.bool, device=q.device)
        others = torch.bmm(q, k.transpose(1, 2)).masked_fill(own_place, -10.0)
        logits = torch.cat([(q * k).sum(2, keepdim=True), others], dim=2).flatten(0, 1) / s.temperature
        losses.append(F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=q.device)))
    return torch.stack(losses).mean()


def pixelization(own: PlainSteps, batch: Batch, context: StepContext) -> Losses:
    """The three networks, each from what the one before it did, then the three discriminators."""
    cell = CELLS[int(torch.randint(0, len(CELLS), (), generator=context.generator))]
    a, b, w, nets = batch["a"], batch[f"b{cell}"], own.weights, own.nets
    judges, both = ("d_grid", "d_pixel", "d_depixel"), nets["pixelization"]
    own.learnable(False, *judges)
    with context.seeded():
        gridded = both.gridnet(a)
        small = [gridded.small[each] for each in CELLS]
        large = [enlarge(picture.detach(), (a.shape[2], a.shape[3])) for picture in small]
        drawn = [both.pixelnet(picture) for picture in large]
        smooth = nets["depixelnet"](b)
        mirrored = nets["depixelnet"].paint(drawn[CELLS.index(cell)].detach())
    wanted = [shrink(a, own.setting.small(each)) for each in CELLS]
    features = zip(mirrored.features, gridded.features, strict=True)
    losses = {
        "grid": _sum(lambda x: gan_loss(nets["d_grid"](x), True), small),
        "grid_same": w.grid * _sum(F.l1_loss, small, wanted),
        "grid_edges": w.edges * _sum(slope_loss, small, wanted),
        "pixel": _sum(lambda x: gan_loss(nets["d_pixel"](x), True), drawn),
        "pixel_same": w.pixel * _sum(F.l1_loss, drawn, large),
        "pixel_edges": w.edges * _sum(slope_loss, drawn, large),
        "depixel": gan_loss(nets["d_depixel"](smooth), True),
        "depixel_same": w.depixel * F.l1_loss(smooth, b),
        "mirror": w.mirror * F.l1_loss(mirrored.picture, a),
        "mirror_features": w.mirror * torch.stack([F.l1_loss(m, g.detach()) for m, g in features]).sum(),
    }
    own.optimizers["networks"].zero_grad()
    for names in (["grid", "grid_same", "grid_edges"], ["pixel", "pixel_same", "pixel_edges"], _BACK):
        torch.stack([losses[name] for name in names]).sum().backward()
    own.optimizers["networks"].step()
    own.learnable(True, *judges)
    own.optimizers["discriminators"].zero_grad()
    sides = {
        "D_grid": ("d_grid", [shrink(batch[f"b{k}"], own.setting.small(k)) for k in CELLS], small),
        "D_pixel": ("d_pixel", [batch[f"b{k}"] for k in CELLS], drawn),
        "D_depixel": ("d_depixel", [a], [smooth]),
    }
    for name, (judge, reals, made) in sides.items():
        parts = [_judged(nets[judge], real, fake) for real, fake in zip(reals, made, strict=True)]
        for part in parts:
            part.backward()
        losses[name] = torch.stack(parts).sum()
    own.optimizers["discriminators"].step()
    return losses


_BACK = ["depixel", "depixel_same", "mirror", "mirror_features"]


def _sum(loss: Callable[..., Tensor], *pictures: Sequence[Tensor]) -> Tensor:
    return torch.stack([loss(*each) for each in zip(*pictures, strict=True)]).sum()


def _judged(judge: Any, real: Tensor, made: Tensor) -> Tensor:  # noqa: ANN401  a network
    return 0.5 * (gan_loss(judge(real), True) + gan_loss(judge(made.detach()), False))


STEPS: Mapping[str, Callable[[PlainSteps, Batch, StepContext], Losses]] = {
    "cyclegan": cyclegan,
    "cut": cut,
    "fastcut": cut,
    "sincut": sincut,
    "pix2pix": pix2pix,
    "pixelization": pixelization,
}
