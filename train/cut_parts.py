"""What CUT and FastCUT share: a run's setting, its classic networks, the choices of a step, the options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, get_args

import torch
from torch import Tensor, nn

from pixel_models.archs import patchgan, resnet
from pixel_models.spec import ModelSpec

from .classic_parts import ClassicSetting, build_discriminator, started
from .gan import init_weights
from .loop import generator_of
from .patchnce import TEMPERATURE, PatchSampler, check_layers, draw_places, widths_of
from .schedules import EpochSchedule

CUT_ARCHS: tuple[str, ...] = ("resnet_9blocks", "resnet_6blocks")
"""Generators by the reference's names that have layers to compare."""


@dataclass(frozen=True, kw_only=True)
class CutSetting(ClassicSetting):
    """Everything that decides a run but its data and its seed; the defaults are the reference's for CUT."""

    upsample: resnet.Upsample = "antialias"
    """How the generator doubles; see `ResnetGeneratorConfig`."""

    antialias: bool = True
    """Whether both networks halve by a blur; else by convolutions of stride 2."""

    pool: int = 0
    epochs: int = 200
    decay_epochs: int = 200

    nce_layers: tuple[str, ...] = ("input", "down1", "down2", "block1", "block5")
    """Layers of the generator whose activations are compared, by name; the reference's 0, 4, 8, 12, 16."""

    patches: int = 256
    """Places that are compared in each layer, of each picture."""

    features: int = 256
    """Length of the features that are compared (`netF_nc`)."""

    temperature: float = TEMPERATURE
    all_negatives: bool = False
    """Whether the other pictures of a batch lend their places too."""

    gan_weight: float = 1.0
    nce_weight: float = 1.0

    nce_identity: bool = True
    """Whether pictures of B go through the generator too, and have to stay comparable with themselves."""

    flip_equivariance: bool = False
    """Whether the generator sees a mirrored picture every second step, and is compared with the unmirrored one."""

    def __post_init__(self) -> None:
        """Check what the networks do not."""
        if self.arch not in CUT_ARCHS:
            msg = f"arch is {self.arch!r}, expected 'native' or one of {', '.join(map(repr, CUT_ARCHS))}"
            raise ValueError(msg)
        check_numbers(self.patches, self.features, self.temperature)
        check_layers(self.nce_layers, layers_of(self))

    @property
    def schedule(self) -> EpochSchedule:
        """The learning rate by epoch; the reference of CUT counts at an epoch's end."""
        rule = "older" if self.faithful else "ours"
        return EpochSchedule(policy=self.policy, epochs=self.epochs, decay_epochs=self.decay_epochs, rule=rule)


def check_numbers(patches: int, features: int, temperature: float) -> None:
    """Refuse what PatchNCE cannot work with.

    Raises:
        ValueError: a number is out of its range.
    """
    if patches < 2 or features < 1 or not temperature > 0:
        msg = f"patches {patches}, features {features}, temperature {temperature}: expected two or more, one or more, "
        raise ValueError(msg + "above 0")


class Choices(Protocol):
    """What a step leaves to chance."""

    def mirrored(self) -> bool:
        """Whether the generator sees the mirrored picture; asked with flip equivariance alone, once a step."""
        ...

    def places(self, maps: Sequence[Tensor], count: int) -> list[Tensor]:
        """Where to compare, as `draw_places` says; asked for A, then, with identity, for B."""
        ...


MakeChoices = Callable[[torch.Generator], Choices]
"""Makes a step's choices from the step's generator; tests replay recorded ones."""


@dataclass(frozen=True)
class ByChance:
    """The choices of every run."""

    generator: torch.Generator

    def mirrored(self) -> bool:
        """A coin's throw."""
        return bool(torch.rand((), generator=self.generator) < 0.5)

    def places(self, maps: Sequence[Tensor], count: int) -> list[Tensor]:
        """Different places for every layer."""
        return draw_places(maps, count, self.generator)


def layers_of(setting: CutSetting) -> tuple[str, ...]:
    """Names of the layers that the setting's generator has."""
    with torch.device("meta"):
        return resnet.ResnetGenerator(_config(setting)).layers


def build_cut_generator(setting: CutSetting, seed: int) -> tuple[ModelSpec, resnet.ResnetGenerator]:
    """A ResNet generator with the reference's starting weights, which depend on the seed.

    Raises:
        ValueError: it does not take the setting's crops.
    """
    spec, config = resnet.SPECS[0], _config(setting)
    if setting.crop % config.multiple or setting.crop < 16:
        msg = f"crops of {setting.crop} pixels do not fit {setting.arch}, which takes multiples of {config.multiple}"
        raise ValueError(f"{msg} from 16; give --crop 64 or another")
    module = started(spec, config, seed, "G", "xavier")
    assert isinstance(module, resnet.ResnetGenerator)
    return spec, module


def build_cut_discriminator(setting: CutSetting, seed: int) -> nn.Module:
    """A discriminator with the reference's starting weights, which depend on the seed."""
    if setting.discriminator == "pixel":
        return build_discriminator(setting, seed, "D")
    config = patchgan.PatchDiscriminatorConfig(
        channels=setting.judge_channels,
        layers=setting.layers,
        norm=setting.norm,
        downsample="antialias" if setting.antialias else "conv",
    )
    return started(patchgan.SPECS[0], config, seed, "D", "xavier")


def build_heads(setting: CutSetting, generator: resnet.ResnetGenerator, seed: int) -> PatchSampler:
    """Heads for the generator's layers with the reference's starting weights, which depend on the seed."""
    widths = widths_of(generator, setting.nce_layers, torch.zeros(1, generator.config.in_channels, 32, 32))
    return start_heads(widths, setting.features, seed)


def start_heads(widths: Sequence[int], features: int, seed: int) -> PatchSampler:
    """Heads of these widths with the reference's starting weights, which depend on the seed."""
    with torch.random.fork_rng(devices=[]):  # building draws weights that are drawn anew below
        heads = PatchSampler(widths, features)
    init_weights(heads, "xavier", generator=generator_of(seed, "weights", "F"))
    return heads


def _config(setting: CutSetting) -> resnet.ResnetGeneratorConfig:
    return resnet.ResnetGeneratorConfig(
        channels=setting.channels,
        blocks=int(setting.arch.removeprefix("resnet_").removesuffix("blocks")),
        norm=setting.norm,
        dropout=setting.dropout,
        downsample="antialias" if setting.antialias else "conv",
        upsample=setting.upsample,
    )


class _Together(argparse.Action):
    """Values as a tuple, as settings hold them."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,  # noqa: ANN401  argparse's own type
        option_string: str | None = None,
    ) -> None:
        """Keep them."""
        del parser, option_string
        setattr(namespace, self.dest, tuple(values))


def add_nce_arguments(command: argparse.ArgumentParser) -> None:
    """The options that change what is compared; those left out keep the setting's value."""
    on_off = argparse.BooleanOptionalAction
    command.add_argument(
        "--nce-layers", nargs="+", action=_Together, metavar="LAYER", help="layers that are compared, by name"
    )
    command.add_argument("--patches", type=int, help="places that are compared in each layer")
    command.add_argument("--features", type=int, help="length of the features that are compared")
    command.add_argument("--temperature", type=float, help="of the comparison's softmax")
    command.add_argument("--all-negatives", action=on_off, help="compare with the batch's other pictures too")
    command.add_argument(
        "--flip-equivariance", action=on_off, help="mirror every second picture for the generator alone"
    )


def add_classic_arguments(command: argparse.ArgumentParser) -> None:
    """The options of CUT with its classic networks alone."""
    on_off = argparse.BooleanOptionalAction
    command.add_argument("--gan-weight", type=float, help="weight of the adversarial loss")
    command.add_argument("--nce-weight", type=float, help="weight of the comparison")
    command.add_argument("--nce-identity", action=on_off, help="compare pictures of B with what becomes of them")
    command.add_argument("--antialias", action=on_off, help="halve and double by blurs (default: yes)")
    command.add_argument(
        "--upsample", choices=get_args(resnet.Upsample), help="how the generator doubles (default: as --antialias says)"
    )


def settle_options(options: argparse.Namespace) -> None:
    """Without blurs the generator doubles by transposed convolutions, unless `--upsample` says otherwise."""
    if options.antialias is False and options.upsample is None:
        options.upsample = "transpose"
