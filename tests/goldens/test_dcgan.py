"""The DCGAN's networks and its training agree with the reference's, and its pair has the paper's parameters."""

from __future__ import annotations

import pytest
import torch
from golden import assert_close, cases, read_case
from torch import nn

from pixel_models.archs.dcgan import DCGANConfig, DCGANDiscriminator, DCGANGenerator, JudgeConfig

NETWORKS = [name for name in cases("dcgan") if not name.startswith("train_")]


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", [name for name in NETWORKS if "_G_" in name])
def test_a_generator_gives_the_references_picture(name: str) -> None:
    case = read_case("dcgan", name)
    module = DCGANGenerator(DCGANConfig(latent=case.config["latent_dim"], filters=case.config["num_filters"]))
    case.load_weights(module)
    module.train(case.about["mode"] == "train")
    assert count(module) == case.about["all_params"]
    with torch.no_grad():
        made = module.raw(case.tensors["in/z"].flatten(1))
    assert_close(made, case.tensors["out/y"], case.atol("out/y"))


@pytest.mark.parametrize("name", [name for name in NETWORKS if "_D_" in name])
def test_a_discriminator_gives_the_references_probability(name: str) -> None:
    case = read_case("dcgan", name)
    module = DCGANDiscriminator(JudgeConfig(filters=case.config["num_filters"]))
    case.load_weights(module)
    module.train(case.about["mode"] == "train")
    assert count(module) == case.about["all_params"]
    with torch.no_grad():
        made = module(case.tensors["in/x"]).sigmoid()
    assert_close(made[:, None, None, None], case.tensors["out/p"], case.atol("out/p"))


def test_the_papers_pair_has_its_parameters() -> None:
    with torch.device("meta"):
        generator, judge = DCGANGenerator(DCGANConfig(filters=128)), DCGANDiscriminator(JudgeConfig())
        assert count(generator) + count(judge) == 15_424_000
        assert count(DCGANGenerator(DCGANConfig())) + count(judge) == 6_342_272
