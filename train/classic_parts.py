"""What the classic CycleGAN and pix2pix share: a run's setting, its networks by the reference's names, its options."""

from __future__ import annotations

import argparse
import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

import torch
from PIL import Image
from torch import Tensor, nn

from pixel_models.archs import patchgan, resnet, unet
from pixel_models.ops.norms import NORMS, Norm
from pixel_models.spec import ModelSpec

from .gan import GanMode, InitKind, between, gan_loss, gradient_penalty, init_weights
from .image_io import CROPPING, Preparation, PreparationMode, to_unit
from .loop import StepContext, generator_of
from .schedules import EpochSchedule, Policy
from .sheet import sheet

ARCHS: tuple[str, ...] = ("resnet_9blocks", "resnet_6blocks", "unet_128", "unet_256")
"""Generators by the reference's names."""

DISCRIMINATORS: tuple[str, ...] = ("patch", "pixel")
UPSAMPLES: tuple[resnet.Upsample, ...] = ("transpose", "resize")


@dataclass(frozen=True, kw_only=True)
class ClassicSetting:
    """Everything that decides a run but its data and its seed; the defaults are the reference's for CycleGAN."""

    arch: str = "resnet_9blocks"
    channels: int = 64
    """Features of the generator's first layer (the reference's `ngf`)."""

    norm: Norm = "instance"
    dropout: bool = False

    upsample: resnet.Upsample = "transpose"
    """How a ResNet generator doubles: `resize` repeats every pixel and convolves, against checkerboards."""

    discriminator: str = "patch"
    judge_channels: int = 64
    """Features of the discriminator's first layer (`ndf`)."""

    layers: int = 3
    """Halvings of the patch discriminator."""

    gan_mode: GanMode = "lsgan"
    pool: int = 50
    """Pictures that the discriminators' pools hold; 0: none."""

    preprocess: PreparationMode = "resize_and_crop"
    load: int = 286
    crop: int = 256
    batch: int = 1

    steps: int = 0
    """0: as many as the epochs have."""

    epochs: int = 100
    decay_epochs: int = 100
    policy: Policy = "linear"
    rate: float = 2e-4

    faithful: bool = False
    """The reference's way also where it goes wrong: no learning in the last epoch, a cosine that rises again, wgangp
    without its penalty, sample sheets with dropout and batch statistics and levels cut off."""

    @property
    def schedule(self) -> EpochSchedule:
        """The learning rate by epoch."""
        rule = "upstream" if self.faithful else "ours"
        return EpochSchedule(policy=self.policy, epochs=self.epochs, decay_epochs=self.decay_epochs, rule=rule)

    @property
    def preparation(self) -> Preparation:
        """How pictures become crops."""
        return Preparation(mode=self.preprocess, load=self.load, crop=self.crop)


SettingT = TypeVar("SettingT", bound=ClassicSetting)


def build_generator(setting: ClassicSetting, seed: int, name: str) -> tuple[ModelSpec, nn.Module]:
    """A generator with the reference's starting weights, which depend on the seed and the name.

    Raises:
        ValueError: the architecture does not know the setting's `upsample`, or does not take its crops.
    """
    kind, _, size = setting.arch.partition("_")
    if kind == "resnet":
        spec, config = (
            resnet.SPECS[0],
            resnet.ResnetGeneratorConfig(
                channels=setting.channels,
                blocks=int(size.removesuffix("blocks")),
                norm=setting.norm,
                dropout=setting.dropout,
                upsample=setting.upsample,
            ),
        )
    else:
        if setting.upsample != "transpose":
            msg = f"--upsample {setting.upsample} is for the ResNet generators; {setting.arch} has 'transpose' alone"
            raise ValueError(msg)
        downs = {"128": 7, "256": 8}[size]
        spec = unet.SPECS[0]
        config = unet.UnetGeneratorConfig(
            channels=setting.channels, downs=downs, norm=setting.norm, dropout=setting.dropout
        )
    if setting.crop % config.multiple or setting.crop < config.smallest:
        msg = f"crops of {setting.crop} pixels do not fit {setting.arch}, which takes multiples of {config.multiple}"
        raise ValueError(f"{msg}; give --crop {max(config.smallest, config.multiple)} or another")
    return spec, started(spec, config, seed, name)


def build_discriminator(setting: ClassicSetting, seed: int, name: str, in_channels: int = 3) -> nn.Module:
    """A discriminator with the reference's starting weights, which depend on the seed and the name."""
    if setting.discriminator == "pixel":
        pixel = patchgan.PixelDiscriminatorConfig(
            in_channels=in_channels, channels=setting.judge_channels, norm=setting.norm
        )
        return started(patchgan.SPECS[1], pixel, seed, name)
    patch = patchgan.PatchDiscriminatorConfig(
        in_channels=in_channels, channels=setting.judge_channels, layers=setting.layers, norm=setting.norm
    )
    return started(patchgan.SPECS[0], patch, seed, name)


def started(spec: ModelSpec, config: object, seed: int, name: str, kind: InitKind = "normal") -> nn.Module:
    """A network with starting weights of a `kind` of `init_weights`, which depend on the seed and the name."""
    with torch.random.fork_rng(devices=[]):  # building draws weights that are drawn anew below
        module = spec.build(config)
    init_weights(module, kind, generator=generator_of(seed, "weights", name))
    return module


def adam(parameters: Iterable[nn.Parameter], rate: float, beta: float = 0.5, second: float = 0.999) -> torch.optim.Adam:
    """Adam with these two betas (the classic recipes' where left out), all weights in one call of its fused routine."""
    return torch.optim.Adam(parameters, lr=rate, betas=(beta, second), fused=True)


def pictures_stay_alone(net: nn.Module, *batches: Tensor) -> bool:
    """Whether a network's pass over these batches together gives what passes over each would: `together` may be used.

    Not with a norm that looks at the whole batch or counts it, and not where the pictures' sizes differ.
    """
    whole = any(isinstance(x, nn.BatchNorm2d) or getattr(x, "track_running_stats", False) for x in net.modules())
    return not whole and len({batch.shape[1:] for batch in batches}) == 1


def together(net: nn.Module, *batches: Tensor) -> tuple[Tensor, ...]:
    """What a network makes of several batches, each `b c h w`, in one pass: that is faster than one for each."""
    return net(torch.cat(batches)).split([len(batch) for batch in batches])


def judge_loss(
    judge: nn.Module,
    real: Tensor,
    made: Tensor,
    setting: ClassicSetting,
    context: StepContext,
    *,
    made_first: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """A discriminator's losses on real and on made pictures, and the slope's penalty where `wgangp` needs it (else 0).

    Args:
        judge: the discriminator.
        real: `b c h w` in [-1, 1].
        made: of the same shape, without gradient.
        setting: which loss.
        context: precision and chance.
        made_first: the order in which a batch norm counts them.
    """
    with context.autocast():
        if pictures_stay_alone(judge, real, made):
            scores, scores_made = together(judge, real, made)
        elif made_first:
            scores_made, scores = judge(made), judge(real)
        else:
            scores, scores_made = judge(real), judge(made)
        on_real = gan_loss(scores, True, setting.gan_mode)
        on_made = gan_loss(scores_made, False, setting.gan_mode)
    penalty = torch.zeros((), device=real.device)
    if setting.gan_mode == "wgangp" and not setting.faithful:
        share = torch.rand(len(real), generator=context.generator).to(real.device)
        penalty = gradient_penalty(judge, between(real.float(), made.float(), share))
    return on_real, on_made, penalty


def sheet_of(
    rows: Callable[[Mapping[str, nn.Module]], Sequence[Tensor]],
    nets: Mapping[str, nn.Module],
    setting: ClassicSetting,
) -> Image.Image:
    """A contact sheet of the networks as they are tried out: in eval mode, or, faithfully, as copies that are not.

    Args:
        rows: gives rows of pictures `b 3 h w` in [-1, 1].
        nets: what it gets.
        setting: faithful or not.
    """
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        faithful = setting.faithful
        tried = {name: copy.deepcopy(net).train() if faithful else net for name, net in nets.items()}
        return sheet([to_unit(row.cpu(), faithful=faithful) for row in rows(tried)], side=192)


def add_setting_arguments(
    command: argparse.ArgumentParser, settings: Mapping[str, ClassicSetting], without: Sequence[str] = ()
) -> None:
    """The options that change a setting; those left out keep the setting's value."""
    command.add_argument("--setting", choices=sorted(settings), default="small", help="size of the run (default small)")
    options: dict[str, dict[str, Any]] = {
        "arch": {"choices": ARCHS, "help": "generator, by the reference's name"},
        "channels": {"type": int, "help": "features of the generator's first layer (ngf)"},
        "norm": {"choices": NORMS},
        "upsample": {"choices": UPSAMPLES, "help": "resize: no checkerboards (ResNet generators)"},
        "discriminator": {"choices": DISCRIMINATORS},
        "judge-channels": {"type": int, "help": "features of the discriminator's first layer (ndf)"},
        "layers": {"type": int, "help": "halvings of the patch discriminator"},
        "gan-mode": {"choices": get_args(GanMode)},
        "pool": {"type": int, "help": "pictures in the discriminators' pools"},
        "preprocess": {"choices": CROPPING, "help": "how pictures become crops"},
        "load": {"type": int, "help": "side of pictures before cropping, pixels"},
        "crop": {"type": int, "help": "side of crops, pixels"},
        "batch": {"type": int},
        "epochs": {"type": int, "help": "at the full rate"},
        "decay-epochs": {"type": int, "help": "in which the rate falls"},
        "policy": {"choices": get_args(Policy), "help": "how the learning rate falls"},
        "rate": {"type": float, "help": "learning rate of Adam"},
    }
    for name, more in options.items():
        if name in without:
            continue
        command.add_argument(f"--{name}", **more)
    command.add_argument("--dropout", action=argparse.BooleanOptionalAction, help="dropout in the generator")
    command.add_argument(
        "--faithful", action="store_true", default=None, help="the reference's way also where it goes wrong"
    )


def chosen_setting(options: argparse.Namespace, settings: Mapping[str, SettingT], pictures: int) -> SettingT:
    """The setting that the options choose; writes the number of steps into both.

    An epoch is `pictures` divided by the batch. Where `--steps` says otherwise, or the setting, the epochs of the
    schedule are spread over those steps.
    """
    setting = settings[options.setting]
    names = {field.name for field in dataclasses.fields(setting)}
    given = {name: value for name, value in vars(options).items() if name in names and value is not None}
    setting = dataclasses.replace(setting, **given)
    by_epochs = options.steps is None and (options.epochs is not None or options.decay_epochs is not None)
    if by_epochs or not setting.steps:
        each = -(-pictures // setting.batch)
        setting = dataclasses.replace(setting, steps=setting.schedule.total * each)
    if setting.batch < 1 or setting.steps < 1:
        msg = f"batch is {setting.batch} and steps {setting.steps}, expected one or more of each"
        raise ValueError(msg)
    options.steps = setting.steps
    return setting
