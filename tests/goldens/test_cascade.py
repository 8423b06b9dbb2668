"""GridNet, PixelNet and DepixelNet agree with the reference: keys, outputs, features, resizing, losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from golden import assert_close, cases, fill_procedurally, read_case
from torch import Tensor

from pixel_models.archs.cascade import (
    CELLS,
    DepixelizationConfig,
    GridNet,
    PaintNet,
    PixelizationConfig,
    enlarge,
    small_size,
)
from pixel_models.archs.patchgan import PatchDiscriminator, PatchDiscriminatorConfig
from train.cascade_parts import CascadeSetting, shrink, slopes
from train.loop import StepContext
from train.pixelization import Cascade

FAMILY = "deep_unsupervised_pixelization"
NETS = [name for name in cases(FAMILY) if name.endswith(("_train", "_eval", "_dropoutlayout"))]
FEATURES = ("feature_full_first4ch", "feature_half_first4ch", "feature_quarter_first4ch")


def build(options: Mapping[str, Any]) -> GridNet | PaintNet:
    """Our network for the reference's options; in eval mode the reference's norms use running statistics."""
    values: dict[str, Any] = {
        "channels": options["ngf"], "dropout": options["use_dropout"], "statistics": "running"
    }  # fmt: skip
    if options["net"] == "GridNet_Network":
        return GridNet(PixelizationConfig(**values))
    return PaintNet(DepixelizationConfig(**values))


def outputs_of(module: GridNet | PaintNet, x: Tensor) -> dict[str, Tensor]:
    """What the network makes, by the case's names."""
    if isinstance(module, PaintNet):
        painted = module.paint(x)
        made, features = {"y": painted.picture}, painted.features
    else:
        side = x.shape[2] // 4  # the reference's sizes, which at 256 alone are those that are wanted
        sizes = {4: (side, side), 6: (side - 16, side - 16), 8: (side - 32, side - 32)}
        gridded = module(x, sizes)
        made = {name: gridded.small[cell] for name, cell in (("out_div4", 4), ("out_3_16", 6), ("out_div8", 8))}
        features = gridded.features
    return made | {name: feature[:, :4] for name, feature in zip(FEATURES, features, strict=True)}


@pytest.mark.parametrize("name", NETS)
def test_a_network_gives_the_references_pictures_and_features(name: str) -> None:
    case = read_case(FAMILY, name)
    module = build(case.config)
    case.load_weights(module)
    parameters = sum(p.numel() for p in module.parameters())
    buffers = sum(b.numel() for b in module.buffers())
    assert (parameters, buffers) == (case.about["all_params"], case.about["buffers"])
    module.train(case.about["mode"] == "train")
    with torch.no_grad():
        made = outputs_of(module, case.tensors["in/x"])
    assert {f"out/{key}" for key in made} == {key for key in case.tensors if key.startswith("out/")}
    for key, value in made.items():
        assert_close(value, case.tensors[f"out/{key}"], case.atol(f"out/{key}"), name=key)


def test_the_discriminator_gives_the_references_scores() -> None:
    case = read_case(FAMILY, "tiny_discriminator")
    module = PatchDiscriminator(PatchDiscriminatorConfig(channels=case.config["ndf"])).eval()
    case.load_weights(module)
    with torch.no_grad():
        assert_close(module(case.tensors["in/x"]), case.tensors["out/y"], case.atol())


@pytest.mark.parametrize("name", [name for name in cases(FAMILY) if name == "change_size"])
def test_small_pictures_are_taken_out_and_enlarged_as_the_reference_does(name: str) -> None:
    case = read_case(FAMILY, name)
    x = case.tensors["in/x"]
    small = {cell: shrink(x, small_size(x.shape[2:], cell), faithful=True) for cell in CELLS}
    for cell in CELLS:
        assert torch.equal(small[cell], case.tensors[f"out/ratio{cell}"]), cell
    assert torch.equal(enlarge(small[6], (256, 256)), case.tensors["out/back_from_x6"])


def test_slopes_are_the_references() -> None:
    case = read_case(FAMILY, "image_gradient")
    made = slopes(case.tensors["in/x"])
    for index, name in enumerate(("gx", "gy")):
        expected = case.tensors[f"out/{name}"]
        assert_close(made[:, index : index + 1].expand_as(expected), expected, case.about["suggested_atol"], name=name)


@pytest.mark.parametrize("name", [name for name in cases(FAMILY) if name == "losses_256"])
def test_a_steps_losses_at_256_are_the_references(name: str) -> None:
    case = read_case(FAMILY, name)
    options, procedural = case.about["options"], case.about["procedural_weights"]
    a, b = case.tensors["in/A"], case.tensors["in/B"]
    setting = CascadeSetting(
        channels=options["ngf"], judge_channels=options["ndf"], dropout=not options["no_dropout"], faithful=True
    )
    cell = (8, 6, 4)[case.about["mirror_input_choice"]]
    recipe = Cascade(lambda _: a[0], dict.fromkeys(CELLS, lambda _: b[0]), setting, choose=lambda _: cell)
    nets = {
        "gridnet": recipe.pixelization.gridnet,
        "pixelnet": recipe.pixelization.pixelnet,
        "depixelnet": recipe.depixelnet,
        "netD_gridnet": recipe.d_grid,
        "netD_pixelnet": recipe.d_pixel,
        "netD_depixelnet": recipe.d_depixel,
    }
    for net, module in nets.items():
        fill_procedurally(module, procedural["salt_per_net"][net], procedural["gain"])
    batch = {"a": a, **{f"b{each}": b for each in CELLS}}
    made = {k: v.item() for k, v in recipe.train_step(batch, 0, StepContext(Accelerator(cpu=True), 0, 0)).items()}
    names = {"gridnet": "grid", "pixelnet": "pixel", "depixelnet": "depixel"}
    ours: dict[str, float] = {}
    for theirs, short in names.items():
        ours[f"loss_{theirs}_adversarial"] = made[short]
        ours[f"loss_D_{theirs}"] = made[f"D_{short}"]
    terms = {"gridnet": ("same", "edges"), "pixelnet": ("same", "edges"), "depixelnet": ("same",)}
    for theirs, short in names.items():
        ours[f"loss_{theirs}_item"] = made[short] + sum(made[f"{short}_{term}"] for term in terms[theirs])
    ours["loss_depixelnet_item"] += made["mirror"] + made["mirror_features"]
    assert ours == pytest.approx(case.about["losses"], rel=case.about["suggested_rtol"])
