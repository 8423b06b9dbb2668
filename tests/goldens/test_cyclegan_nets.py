"""The classic networks agree with the reference's outputs, keys and parameter counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from golden import assert_close, cases, read_case
from torch import nn

from pixel_models.archs.patchgan import (
    PatchDiscriminator,
    PatchDiscriminatorConfig,
    PixelDiscriminator,
    PixelDiscriminatorConfig,
)
from pixel_models.archs.resnet import ResnetGenerator, ResnetGeneratorConfig
from pixel_models.archs.unet import UnetGenerator, UnetGeneratorConfig
from pixel_models.ops.blur import BlurDownsample, BlurUpsample

CUT_CASES = [case for case in cases("cut_nets") if "resnet" in case or ("_D_" in case and "sincut" not in case)]


def build(options: Mapping[str, Any], cut: bool = False) -> nn.Module:
    """Our network for the reference's options."""
    norm = options.get("norm", "instance")
    blurred = cut and not options.get("no_antialias", False)
    if "netD" in options:
        common: dict[str, Any] = {"in_channels": options.get("input_nc", 3), "channels": options["ndf"], "norm": norm}
        if options["netD"] == "pixel":
            return PixelDiscriminator(PixelDiscriminatorConfig(**common))
        layers, down = options.get("n_layers_D", 3), "antialias" if blurred else "conv"
        return PatchDiscriminator(PatchDiscriminatorConfig(**common, layers=layers, downsample=down))
    common = {
        "in_channels": options.get("input_nc", 3),
        "out_channels": options.get("output_nc", 3),
        "channels": options["ngf"],
        "norm": norm,
        "dropout": options.get("dropout", False),
    }
    kind, _, size = options["netG"].partition("_")
    if kind == "unet":
        return UnetGenerator(UnetGeneratorConfig(**common, downs={"128": 7, "256": 8}[size]))
    blocks = int(size.removesuffix("blocks"))
    up = "antialias" if cut and not options.get("no_antialias_up", False) else "transpose"
    config = ResnetGeneratorConfig(**common, blocks=blocks, downsample="antialias" if blurred else "conv", upsample=up)
    return ResnetGenerator(config)


def check(family: str, name: str) -> None:
    """One case: keys and shapes, parameter counts, and the output."""
    case = read_case(family, name)
    module = build(case.config, cut=family == "cut_nets")
    case.load_weights(module)
    parameters = sum(p.numel() for p in module.parameters())
    buffers = sum(b.numel() for b in module.buffers())
    assert (parameters, buffers) == (case.about["all_params"], case.about["buffers"])
    assert len(module.state_dict()) == case.about["state_dict_entries"]
    module.train("train" in case.about["mode"])
    with torch.no_grad():
        made = module(case.tensors["in/x"])
    assert_close(made, case.tensors["out/y"], case.atol())


@pytest.mark.parametrize("name", cases("cyclegan_nets"))
def test_a_classic_network_gives_the_references_output(name: str) -> None:
    check("cyclegan_nets", name)


@pytest.mark.parametrize("name", CUT_CASES)
def test_a_network_of_cut_gives_the_references_output(name: str) -> None:
    check("cut_nets", name)


def test_blurs_halve_and_double_as_the_reference_does() -> None:
    case = read_case("cut_nets", "blur_resample")
    x, atol = case.tensors["in/x"], case.about["suggested_atol"]
    assert_close(BlurDownsample(3)(x), case.tensors["out/down_reflect_f3"], atol)
    assert_close(BlurUpsample(3)(x), case.tensors["out/up_replicate_f4"], atol)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ({"netG": "resnet_9blocks", "ngf": 64, "norm": "instance"}, 11_378_179),
        ({"netG": "resnet_6blocks", "ngf": 64, "norm": "instance"}, 7_837_699),
        ({"netG": "resnet_9blocks", "ngf": 64, "norm": "batch"}, 11_383_427),
        ({"netG": "unet_128", "ngf": 64, "norm": "batch"}, 41_828_995),
        ({"netG": "unet_128", "ngf": 64, "norm": "instance"}, 41_825_667),
        ({"netG": "unet_256", "ngf": 64, "norm": "batch"}, 54_413_955),
        ({"netG": "unet_256", "ngf": 64, "norm": "instance"}, 54_409_603),
        ({"netD": "basic", "ndf": 64, "norm": "instance"}, 2_764_737),
        ({"netD": "pixel", "ndf": 64, "norm": "instance"}, 8_705),
    ],
    ids=lambda value: value.get("netG", value.get("netD")) if isinstance(value, dict) else str(value),
)
def test_a_full_size_network_has_the_published_number_of_parameters(options: dict[str, Any], parameters: int) -> None:
    with torch.device("meta"):
        module = build(options)
    assert sum(p.numel() for p in module.parameters()) == parameters
