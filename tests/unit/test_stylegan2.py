"""SinCUT's networks beyond the goldens: named layers, noise, sizes, refusals, and use through `pixelate`."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from pixel_models.archs.stylegan2 import (
    SPECS,
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
    StyleGAN2Generator,
    StyleGAN2GeneratorConfig,
    generator_widths,
    judge_widths,
)
from pixel_models.checkpoint import LoadedModel
from pixel_models.errors import ShapeError
from pixel_models.ops.stylegan2 import Blur, DemodulatedUp, EqualConv, EqualLinear, ResBlock
from pixel_models.pixelate import pixelate


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def generator(**options: int) -> StyleGAN2Generator:
    torch.manual_seed(0)
    values: dict[str, Any] = {"channels": 1, "size": 64, "blocks": 4, **options}
    return StyleGAN2Generator(StyleGAN2GeneratorConfig(**values)).eval()


def noisy(strength: float = 0.5) -> StyleGAN2Generator:
    module = generator()
    with torch.no_grad():
        module.get_parameter("decoder.convs.2.noise.weight").fill_(strength)
    return module


def test_layers_are_named_in_the_order_of_the_encoder_and_give_what_passes_there() -> None:
    module = generator(downsamplings=2, size=64)
    assert module.layers == ("input", "stem", "down1", "down2", "block1", "block2")
    passed: dict[str, Tensor] = {}
    for name, layer in zip(module.layers, module.encoder.convs, strict=True):
        layer.register_forward_hook(lambda _, __, made, name=name: passed.update({name: made}))
    x = random(2, 3, 16, 24)
    with torch.no_grad():
        made, maps = module.translate(x, module.layers)
        whole = module(x)
        some = module.features(x, ["down2", "input"])
    assert torch.equal(made, whole)
    assert [m.shape[2:] for m in maps] == [(16, 24), (16, 24), (8, 12), (4, 6), (4, 6), (4, 6)]
    for name, values in zip(module.layers, maps, strict=True):
        assert torch.equal(values, passed[name])
    assert torch.equal(some[0], passed["down2"])
    assert torch.equal(some[1], x)


def test_features_compute_nothing_beyond_the_last_layer_that_is_asked_for() -> None:
    module = generator()
    ran: list[str] = []
    for name, layer in zip(module.layers, module.encoder.convs, strict=True):
        layer.register_forward_hook(lambda *_, name=name: ran.append(name))
    module.features(random(1, 3, 8, 8), ["down1", "input"])
    assert ran == ["input", "stem", "down1"]


def test_a_layer_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ShapeError, match=r"no layer down2; expected of input stem down1 block1 block2"):
        generator().features(random(1, 3, 8, 8), ["input", "down2"])


def test_outside_training_a_picture_always_comes_out_the_same_and_as_if_without_noise() -> None:
    module, x = noisy(), random(1, 3, 16, 16)
    with torch.no_grad():
        before = torch.get_rng_state()
        once, again = module(x), module(x)
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(once, again)
        assert torch.equal(once, module(x, [torch.zeros(1, 1, 16, 16)]))
        assert not torch.equal(once, module(x, [torch.ones(1, 1, 16, 16)]))


def test_in_training_noise_is_drawn_anew_from_pytorchs_generator() -> None:
    module, x = noisy().train(), random(1, 3, 16, 16)
    made = []
    with torch.no_grad(), torch.random.fork_rng():
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            made.append(module(x))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


@pytest.mark.parametrize("size", [(2, 2), (2, 10), (6, 4), (64, 64), (130, 34)])
def test_any_even_size_keeps_its_size(size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert generator()(random(1, 3, *size)).shape == (1, 3, *size)


@pytest.mark.parametrize("shape", [(1, 3, 7, 8), (1, 1, 8, 8), (3, 8, 8), (1, 3, 0, 8)])
def test_a_picture_that_does_not_fit_is_refused_by_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="expected `b 3 h w` with sides that are multiples of 2"):
        generator()(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(1, 3, 32, 16), (1, 3, 64, 64), (1, 1, 32, 32)])
def test_a_discriminator_judges_patches_of_its_size_alone(shape: tuple[int, ...]) -> None:
    judge = StyleGAN2Discriminator(StyleGAN2DiscriminatorConfig(channels=1, size=32))
    with pytest.raises(ShapeError, match="expected `b 3 32 32`"):
        judge(torch.zeros(shape))


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (StyleGAN2GeneratorConfig, {"blocks": 5}),
        (StyleGAN2GeneratorConfig, {"size": 48}),
        (StyleGAN2GeneratorConfig, {"size": 4}),
        (StyleGAN2GeneratorConfig, {"channels": 0}),
        (StyleGAN2GeneratorConfig, {"downsamplings": 7}),
        (StyleGAN2DiscriminatorConfig, {"size": 2}),
        (StyleGAN2DiscriminatorConfig, {"size": True}),
        (StyleGAN2DiscriminatorConfig, {"channels": 8.0}),
    ],
    ids=str,
)
def test_a_config_refuses_what_it_cannot_mean_and_names_it(config: type[Any], options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*expected"):
        config(**options)


def test_widths_halve_with_the_size_up_to_a_most() -> None:
    assert generator_widths(10) == {
        4: 512, 8: 512, 16: 320, 32: 160, 64: 80, 128: 40, 256: 20, 512: 10, 1024: 5
    }  # fmt: skip
    assert judge_widths(8) == {4: 384, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4, 1024: 2}


def test_an_output_beyond_white_is_clamped_by_pixelate_and_odd_sizes_work() -> None:
    module = generator()
    with torch.no_grad():
        module.get_parameter("decoder.convs.3.1.bias").copy_(torch.tensor([9.0, 0.0, -90.0])[None, :, None, None])
        assert module(random(1, 3, 8, 8)).max() > 2
    loaded = LoadedModel(module, SPECS[0], module.config, "test")
    made = pixelate(loaded, random(1, 3, 45, 31) / 2 + 0.5, cell=5)
    assert made.size == (9, 7)
    assert made.rgb().amin() >= 0
    assert (made.rgb()[:, 0] > 0.99).all()
    assert (made.rgb()[:, 2] < 0.01).all()


def test_layers_keep_the_variance_of_what_they_are_given() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 64, 32, 32)
    with torch.no_grad():
        conv, linear = EqualConv(64, 64, 3)(x), EqualLinear(64, 64)(x.movedim(1, 3))
        block = ResBlock(64, 64)(x)[:, :, 2:-2, 2:-2]
    for values in (conv, linear):
        assert values.std().item() == pytest.approx(1, rel=0.1)
    assert block.square().mean().item() == pytest.approx(1, rel=0.3)


def test_a_blur_leaves_the_inside_of_a_flat_picture_and_with_a_stride_keeps_every_second_value() -> None:
    flat, x = torch.full((1, 2, 12, 12), 0.3), random(1, 2, 12, 12)
    torch.testing.assert_close(Blur((1, 1))(flat)[:, :, 2:-2, 2:-2], torch.full((1, 2, 7, 7), 0.3))
    torch.testing.assert_close(Blur((1, 1), stride=2)(x), Blur((1, 1))(x)[:, :, ::2, ::2])


def test_the_doubling_is_a_transposed_convolution_of_filters_of_norm_one() -> None:
    torch.manual_seed(0)
    module, x = DemodulatedUp(6, 4), random(1, 6, 5, 7)
    weight = module.weight / module.weight.flatten(1).norm(dim=1)[:, None, None, None]
    zeros = torch.zeros(1, 6, 11, 15)  # x with zeros between and around
    zeros[:, :, 1:-1:2, 1:-1:2] = x
    zeros = F.pad(zeros, (1, 1, 1, 1))
    expected = module.blur(F.conv2d(zeros, weight.flip(2, 3)))
    with torch.no_grad():
        torch.testing.assert_close(module(x), expected, atol=1e-5, rtol=1e-4)
    assert module(x).shape == (1, 4, 10, 14)


def test_a_generator_goes_to_channels_last_and_its_state_keeps_the_references_shapes() -> None:
    module, other = generator(), generator()
    key = "decoder.convs.2.conv.weight"
    assert module.state_dict()[key].shape == (1, 8, 16, 3, 3)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    with torch.no_grad():
        for value in other.parameters():
            value.zero_()
    other.load_state_dict(module.state_dict())
    x = random(1, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(other(x), module(x), atol=1e-5, rtol=1e-4)
