"""`python -m train.pixelization`: GridNet, PixelNet and DepixelNet on two folders, A smooth pictures and B pixel art.

Han et al., "Deep Unsupervised Pixelization", SIGGRAPH Asia 2018, https://doi.org/10.1145/3272127.3275082. GridNet
paints small pictures of A, one for each of three cells; PixelNet redraws them enlarged; DepixelNet makes smooth ones of
B, and A again of what PixelNet drew. Each has a discriminator of its own. Losses, as logged:
    grid, pixel, depixel                adversarial, summed over the cells
    grid_same, pixel_same, depixel_same the small picture is like A, PixelNet's like what it got, DepixelNet's like B
    grid_edges, pixel_edges             and so are their Sobel slopes
    mirror, mirror_features             DepixelNet makes A of one of PixelNet's three, by features like GridNet's of A
    D_grid, D_pixel, D_depixel          the discriminators', halved, summed over the cells
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.archs.cascade import CELLS, SPECS, Borders, PaintNet, Pixelization, enlarge
from pixel_models.checkpoint import save_checkpoint
from pixel_models.ops.tracked import Statistics

from .canvas import randint
from .cascade_parts import (
    CascadeSetting,
    CascadeWeights,
    CellBatches,
    draw_cells,
    partly,
    shrink,
    slope_loss,
    weights_of,
)
from .classic_parts import (
    adam,
    add_setting_arguments,
    build_discriminator,
    chosen_setting,
    pictures_stay_alone,
    sheet_of,
    started,
    together,
)
from .gan import gan_loss
from .loop import Batch, StepContext, add_arguments, run
from .pictures import read_picture_set
from .pool import Exchange, ImagePool, by_chance
from .unaligned import Draw, PictureCrops, sample

SETTINGS: Mapping[str, CascadeSetting] = {
    "tiny": CascadeSetting(
        channels=4, judge_channels=4, blocks=1, convs=2, load=100, crop=96, pool=4, steps=20, epochs=2, decay_epochs=2
    ),
    "small": CascadeSetting(
        channels=24,
        judge_channels=24,
        blocks=4,
        convs=3,
        dropout=False,
        upsample="resize",
        load=144,
        crop=128,
        pool=50,
        steps=1500,
        rate=4e-4,
    ),
    "full": CascadeSetting(),
}

_WITHOUT = ("arch", "norm", "discriminator", "gan-mode")
"""Options of the classic recipes that these networks leave no choice in."""


class Cascade:
    """The recipe: three networks, three discriminators, a pool for each of their seven kinds of made pictures."""

    def __init__(
        self,
        a: Draw,
        b: Mapping[int, Draw],
        setting: CascadeSetting,
        weights: CascadeWeights | None = None,
        *,
        shown: tuple[Tensor, Tensor] | None = None,
        seed: int = 0,
        exchange: Callable[[torch.Generator], Exchange] = by_chance,
        choose: Callable[[torch.Generator], int] = lambda generator: CELLS[randint(generator, 0, len(CELLS) - 1)],
    ) -> None:
        """Build the networks from the seed; sheets show the pictures `shown`, or drawn ones.

        Args:
            a: draws pictures of A, `3 crop crop`.
            b: draws pictures of B, by cell.
            setting: sizes, schedule.
            weights: of the losses; the reference's where left out.
            shown: pictures of A and of B for the sheets, each `n 3 crop crop`.
            seed: of the starting weights.
            exchange: how the pools choose, from the step's generator.
            choose: the cell that DepixelNet sees in a step, from the step's generator.

        Raises:
            ValueError: the crops have no whole small pictures.
        """
        setting.check_crop()
        self.setting, self.weights = setting, weights or CascadeWeights()
        drawn, smooth = (
            started(spec, config, seed, spec.id)
            for spec, config in zip(SPECS, (setting.config, setting.back_config), strict=True)
        )
        assert isinstance(drawn, Pixelization)
        assert isinstance(smooth, PaintNet)
        self.pixelization, self.depixelnet = drawn, smooth
        in_grids = dataclasses.replace(setting, layers=setting.grid_layers)
        self.d_grid = build_discriminator(in_grids, seed, "D_grid")
        self.d_pixel, self.d_depixel = (build_discriminator(setting, seed, name) for name in ("D_pixel", "D_depixel"))
        full = (setting.crop, setting.crop)
        sizes = {**{f"grid{cell}": setting.small(cell) for cell in CELLS}, **{f"pixel{cell}": full for cell in CELLS}}
        self.pools = {name: ImagePool(setting.pool, (3, *size)) for name, size in {**sizes, "depixel": full}.items()}
        self.nets: Mapping[str, nn.Module] = {
            "pixelization": drawn,
            "depixelnet": smooth,
            "d_grid": self.d_grid,
            "d_pixel": self.d_pixel,
            "d_depixel": self.d_depixel,
            **{f"pool_{name}": pool for name, pool in self.pools.items()},
        }
        self.averaged: Mapping[str, nn.Module] = {"pixelization": drawn, "depixelnet": smooth}
        judges = (self.d_grid, self.d_pixel, self.d_depixel)
        self.optimizers = {
            name: adam((p for net in nets for p in net.parameters()), setting.rate)
            for name, nets in (("networks", (drawn, smooth)), ("discriminators", judges))
        }
        self.make_batch = CellBatches(a, b, setting.batch)
        self._exchange, self._choose = exchange, choose
        self._shown = shown or (sample(a), sample_cells(b))

    def rate_factor(self, step: int, steps: int) -> float:
        """The reference's schedule by epoch, without a warm-up; of all three networks."""
        return self.setting.schedule.factor_at(step, steps)

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """The three networks, then the three discriminators.

        The networks' losses share no weight: each network is cut off from what the one before it did. So one backward
        pass serves all, before any of them moves.
        """
        del step
        cell = self._choose(context.generator)
        judges = (self.d_grid, self.d_pixel, self.d_depixel)
        for judge in judges:
            judge.requires_grad_(False)
        with context.seeded(), context.autocast():
            losses, made = self._losses(batch, cell)
        context.apply(torch.stack([loss.float() for loss in losses.values()]).sum(), self.optimizers["networks"])
        for judge in judges:
            judge.requires_grad_(True)
        judged = self._judged(batch, made, self._exchange(context.generator), context)
        context.apply(torch.stack(list(judged.values())).sum(), self.optimizers["discriminators"])
        return {**losses, **judged}

    def _losses(self, batch: Batch, cell: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The three networks' losses, and what they made, by the pools' names."""
        a, b, w, faithful = batch["a"], batch[f"b{cell}"], self.weights, self.setting.faithful
        gridded = self.pixelization.gridnet(a)
        small = {each: gridded.small[each] for each in CELLS}
        wanted = {each: shrink(a, self.setting.small(each), faithful=faithful) for each in CELLS}
        large = {each: enlarge(small[each].detach(), (a.shape[2], a.shape[3])) for each in CELLS}
        drawn = {each: self.pixelization.pixelnet(large[each]) for each in CELLS}
        smooth = self.depixelnet(b)
        mirrored = self.depixelnet.paint(partly(drawn[cell], w.mirror_back))
        on_drawn: dict[int, Tensor] = dict(
            zip(CELLS, _scores(self.d_pixel, [drawn[each] for each in CELLS]), strict=True)
        )
        features = zip(mirrored.features, gridded.features, strict=True)
        losses = {
            "grid": _over_cells(lambda k: gan_loss(self.d_grid(small[k]), True)),
            "grid_same": w.grid * _over_cells(lambda k: F.l1_loss(small[k], wanted[k])),
            "grid_edges": w.edges * _over_cells(lambda k: slope_loss(small[k], wanted[k])),
            "pixel": _over_cells(lambda k: gan_loss(on_drawn[k], True)),
            "pixel_same": w.pixel * _over_cells(lambda k: F.l1_loss(drawn[k], large[k])),
            "pixel_edges": w.edges * _over_cells(lambda k: slope_loss(drawn[k], large[k])),
            "depixel": gan_loss(self.d_depixel(smooth), True),
            "depixel_same": w.depixel * F.l1_loss(smooth, b),
            "mirror": w.mirror * F.l1_loss(mirrored.picture, a),
            "mirror_features": w.mirror * torch.stack([F.l1_loss(m, g.detach()) for m, g in features]).sum(),
        }
        made = {**{f"grid{k}": small[k] for k in CELLS}, **{f"pixel{k}": drawn[k] for k in CELLS}, "depixel": smooth}
        return losses, made

    def _judged(
        self, batch: Batch, made: Mapping[str, Tensor], exchange: Exchange, context: StepContext
    ) -> dict[str, Tensor]:
        """The three discriminators' losses on real pictures and on made ones out of the pools."""
        given = {name: self.pools[name].query(picture, exchange) for name, picture in made.items()}
        real = {f"pixel{k}": batch[f"b{k}"] for k in CELLS} | {"depixel": batch["a"]}
        for k in CELLS:
            real[f"grid{k}"] = shrink(batch[f"b{k}"], self.setting.small(k), faithful=self.setting.faithful)

        def loss(judge: nn.Module, *names: str) -> Tensor:
            scores = _scores(judge, [pictures[name] for pictures in (real, given) for name in names])
            pairs = zip(scores[: len(names)], scores[len(names) :], strict=True)
            return 0.5 * torch.stack([gan_loss(one, True) + gan_loss(other, False) for one, other in pairs]).sum()

        with context.autocast():
            return {
                "D_grid": _over_cells(lambda k: loss(self.d_grid, f"grid{k}")),
                "D_pixel": loss(self.d_pixel, *(f"pixel{k}" for k in CELLS)),
                "D_depixel": loss(self.d_depixel, "depixel"),
            }

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Rows: pictures, at each of the cells, and back from the smallest; sprites, and smooth."""
        device = next(self.depixelnet.parameters()).device
        a, b = (shown.to(device) for shown in self._shown)

        def rows(tried: Mapping[str, nn.Module]) -> list[Tensor]:
            drawn = tried["pixelization"](a).unbind(dim=1)
            return [a, *drawn, tried["depixelnet"](drawn[0]), b, tried["depixelnet"](b)]

        return sheet_of(rows, nets, self.setting)

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Write the averaged networks in half precision: GridNet and PixelNet as one file, DepixelNet as another."""
        written = []
        unused = {name.replace("-", "_") for name in _WITHOUT}
        training = str({key: str(value) for key, value in facts.items() if key not in unused})
        for spec, name, way in zip(SPECS, ("pixelization", "depixelnet"), ("A to B", "B to A"), strict=True):
            path = folder / f"{spec.id}.safetensors"
            metadata = {"training": training, "recipe": "Deep Unsupervised Pixelization", "direction": way}
            metadata["cell"] = str(list(CELLS))
            save_checkpoint(path, nets[name], spec, nets[name].config, metadata, half=True)
            written.append(path)
        return written


def _scores(judge: nn.Module, pictures: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """A discriminator's scores of several batches `b c h w`, in one pass where that gives the same."""
    if pictures_stay_alone(judge, *pictures):
        return together(judge, *pictures)
    return tuple(judge(each) for each in pictures)


def _over_cells(loss: Callable[[int], Tensor]) -> Tensor:
    """The sum of a loss over the three cells."""
    return torch.stack([loss(cell) for cell in CELLS]).sum()


def sample_cells(b: Mapping[int, Draw]) -> Tensor:
    """Six pictures for sheets, two at each cell, `6 3 h w`, always the same ones."""
    return torch.cat([sample(draw)[2 * index : 2 * index + 2] for index, draw in enumerate(b.values())])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(prog="python -m train.pixelization", description=(__doc__ or "").split("\n")[0])
    command.add_argument("--a", type=Path, required=True, help="folder of drawings or photos")
    command.add_argument("--b", type=Path, required=True, help="folder of sprites, at native size or enlarged")
    command.add_argument(
        "--b-kind", choices=["auto", "sprites", "pictures"], default="auto", help="what B holds (default: look)"
    )
    weights = [f"{f.name}={f.default}" for f in dataclasses.fields(CascadeWeights)]
    command.add_argument("--weight", nargs="*", default=[], metavar="TERM=VALUE", help=f"default: {' '.join(weights)}")
    command.add_argument("--blocks", type=int, help="residual blocks of each network")
    command.add_argument("--convs", type=int, help="GridNet's convolutions before each of the smaller pictures")
    command.add_argument("--borders", choices=get_args(Borders), help="whether those eat their border, as published")
    command.add_argument("--statistics", choices=get_args(Statistics), help="what norms measure outside training")
    add_setting_arguments(command, SETTINGS, without=_WITHOUT)
    add_arguments(command)
    return command


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = parser().parse_args(argv)
    a, b = (read_picture_set(folder) for folder in (options.a, options.b))
    setting = chosen_setting(options, SETTINGS, max(len(a), len(b)))
    setting.check_crop()
    drawn_b, kind = draw_cells(b, setting.preparation, options.b_kind)
    drawn_a = PictureCrops(a, setting.preparation)
    try:
        held_b, _ = draw_cells(read_picture_set(options.b, "val"), setting.preparation, kind)
        held_a = PictureCrops(read_picture_set(options.a, "val"), setting.preparation)
        shown = sample(held_a), sample_cells(held_b)
    except (FileNotFoundError, ValueError):  # none is held out, or nothing that fits on a canvas
        shown = None
    print(f"B is taken for {kind}; {options.steps} steps", file=sys.stderr)  # noqa: T201  a command's own output
    weights = weights_of(options.weight)
    recipe = Cascade(drawn_a, drawn_b, setting, weights, shown=shown, seed=options.seed)
    facts = {"recipe": "pixelization", "seed": options.seed, "b_kind": kind}
    config = {**dataclasses.asdict(setting), **dataclasses.asdict(weights), **facts}
    for path in run(recipe, options, config):
        print(path, file=sys.stdout)  # noqa: T201  a command's own output


if __name__ == "__main__":
    main()
