"""The classic networks beyond the goldens: key layouts, the U-Net written out, sizes, refusals, starting weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.archs.patchgan import PatchDiscriminator, PatchDiscriminatorConfig, PixelDiscriminatorConfig
from pixel_models.archs.resnet import ResnetGenerator, ResnetGeneratorConfig
from pixel_models.archs.unet import UnetGenerator, UnetGeneratorConfig
from pixel_models.errors import ShapeError


def random(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def resnet(**options: object) -> ResnetGenerator:
    torch.manual_seed(0)
    values: dict[str, Any] = {"channels": 4, "blocks": 2, **options}
    return ResnetGenerator(ResnetGeneratorConfig(**values)).eval()


def convolutions(module: nn.Module) -> list[str]:
    """Keys of the weights, without ``.weight``, in order."""
    return [key.removesuffix(".weight") for key, value in module.state_dict().items() if value.ndim == 4]


@pytest.mark.parametrize(
    ("options", "first", "second"),
    [
        ({}, 1, 5),
        ({"dropout": True}, 1, 6),
        ({"padding": "replicate"}, 1, 5),
        ({"padding": "zero"}, 0, 3),
        ({"padding": "zero", "dropout": True}, 0, 4),
        ({"norm": "none"}, 1, 5),
    ],
    ids=str,
)
def test_a_residual_blocks_keys_stand_where_the_reference_has_them(
    options: dict[str, Any], first: int, second: int
) -> None:
    module = resnet(**options)
    assert [key for key in convolutions(module) if key.startswith("model.10.")] == [
        f"model.10.conv_block.{first}",
        f"model.10.conv_block.{second}",
    ]
    with torch.no_grad():
        assert module(random(1, 3, 16, 12)).shape == (1, 3, 16, 12)


@pytest.mark.parametrize(
    ("options", "outside"),
    [
        ({}, [1, 4, 7, 12, 15, 19]),
        ({"downsample": "antialias"}, [1, 4, 7, 8, 11, 14, 17, 21]),
        ({"upsample": "antialias"}, [1, 4, 7, 12, 13, 16, 17, 21]),
        ({"upsample": "resize"}, [1, 4, 7, 13, 17, 21]),
    ],
    ids=str,
)
def test_blurs_and_doublings_take_a_place_of_their_own(options: dict[str, Any], outside: list[int]) -> None:
    found = [key.split(".") for key in convolutions(resnet(**options)) if "conv_block" not in key]
    assert [int(parts[1]) for parts in found] == outside


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_a_convolution_has_a_bias_where_the_reference_has_one(norm: str) -> None:
    biases = [key for key in resnet(norm=norm).state_dict() if key.endswith("bias") and ".conv_block" not in key]
    scales = ["model.2.bias", "model.5.bias", "model.8.bias", "model.13.bias", "model.16.bias"]
    convs = ["model.1.bias", "model.4.bias", "model.7.bias", "model.12.bias", "model.15.bias"]
    assert sorted(biases) == sorted({"batch": scales, "instance": convs, "none": []}[norm] + ["model.19.bias"])


def test_the_unet_is_what_its_keys_say_written_out() -> None:
    torch.manual_seed(0)
    module = UnetGenerator(UnetGeneratorConfig(channels=3, downs=6, norm="instance")).eval()
    state = module.state_dict()

    def conv(name: str, x: Tensor) -> Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride=2, padding=1)

    def up(name: str, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride=2, padding=1)

    def level(name: str, x: Tensor, depth: int) -> Tensor:
        down = conv(f"{name}.1", F.leaky_relu(x, 0.2))
        if depth == 5:
            return torch.cat([x, F.instance_norm(up(f"{name}.3", F.relu(down)))], dim=1)
        inner = level(f"{name}.3.model", F.instance_norm(down), depth + 1)
        return torch.cat([x, F.instance_norm(up(f"{name}.5", F.relu(inner)))], dim=1)

    x = random(1, 3, 64, 128)
    expected = torch.tanh(up("model.model.3", F.relu(level("model.model.1.model", conv("model.model.0", x), 1))))
    with torch.no_grad():
        torch.testing.assert_close(module(x), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(5, 5), (8, 8), (9, 6), (13, 31)])
@pytest.mark.parametrize(("down", "up"), [("conv", "transpose"), ("antialias", "antialias"), ("conv", "resize")])
def test_a_resnet_rounds_sides_up_to_multiples_of_four(size: tuple[int, int], down: str, up: str) -> None:
    with torch.no_grad():
        made = resnet(downsample=down, upsample=up)(random(2, 3, *size))
    assert made.shape == (2, 3, *(-(-side // 4) * 4 for side in size))
    assert made.abs().max() <= 1


def test_doubling_by_resizing_draws_no_checkerboard() -> None:
    """What a flat picture becomes is flat, away from the rim; a transposed convolution leaves a pattern."""
    flat = torch.full((1, 3, 64, 64), 0.3)

    def pattern(upsample: str) -> float:
        with torch.no_grad():
            made = resnet(upsample=upsample, norm="none")(flat)[:, :, 24:40, 24:40]
        return float(made.std(dim=(2, 3)).max() / made.abs().max())

    assert pattern("resize") < 1e-4
    assert pattern("transpose") > 1e-2


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (resnet(), (1, 1, 16, 16)),
        (resnet(), (1, 3, 16, 4)),
        (resnet(), (3, 16, 16)),
        (UnetGenerator(UnetGeneratorConfig(channels=2, downs=5)), (1, 3, 48, 64)),
        (UnetGenerator(UnetGeneratorConfig(channels=2, downs=5)), (1, 3, 0, 32)),
        (PatchDiscriminator(PatchDiscriminatorConfig(channels=2)), (1, 6, 64, 64)),
    ],
    ids=["grey", "thin", "no batch", "no multiple", "empty", "six channels"],
)
def test_a_picture_that_does_not_fit_is_refused_by_its_shape(module: nn.Module, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="expected `b 3 h w`"):
        module(random(*shape))


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (ResnetGeneratorConfig, {"norm": "layer"}),
        (ResnetGeneratorConfig, {"channels": 0}),
        (ResnetGeneratorConfig, {"channels": 64.0}),
        (ResnetGeneratorConfig, {"blocks": 65}),
        (ResnetGeneratorConfig, {"upsample": "bicubic"}),
        (ResnetGeneratorConfig, {"downsample": "resize"}),
        (ResnetGeneratorConfig, {"padding": "wrap"}),
        (ResnetGeneratorConfig, {"in_channels": True}),
        (UnetGeneratorConfig, {"downs": 4}),
        (UnetGeneratorConfig, {"norm": None}),
        (PatchDiscriminatorConfig, {"layers": 0}),
        (PatchDiscriminatorConfig, {"downsample": "resize"}),
        (PixelDiscriminatorConfig, {"channels": 513}),
    ],
    ids=str,
)
def test_a_config_refuses_what_it_cannot_mean_and_names_it(config: type[Any], options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*expected"):
        config(**options)
