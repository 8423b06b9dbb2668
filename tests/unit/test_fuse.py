"""A prior fuses two pictures place by place, into codes of the one VQ-VAE that it was trained for."""

from __future__ import annotations

import dataclasses
import importlib

import pytest
import torch
from torch import Tensor

from pixel_models.archs.code_prior import CodePrior, CodePriorConfig
from pixel_models.archs.vqvae import VQVAE, VQVAEConfig
from pixel_models.checkpoint import LoadedModel
from pixel_models.codes import decode, encode
from pixel_models.codes.coder import network_input
from pixel_models.codes.fuse import fuse, fuse_codes
from pixel_models.errors import CodesError, ModelKindError, ShapeError
from pixel_models.image import enlarge
from pixel_models.registry import REGISTRY

KINDS = [(layers, channels) for layers in (0, 1, 2) for channels in (3, 4)]


def models(layers: int = 1, channels: int = 4, seed: int = 0) -> tuple[LoadedModel, LoadedModel]:
    """A prior and its VQ-VAE, small, with random weights and codes that are used."""
    torch.manual_seed(seed)
    network = VQVAE(VQVAEConfig(layers=layers, channels=channels, codes=24, embedding=8, filters=16))
    with torch.no_grad():
        pictures = torch.rand(4, channels, 32, 32)
        features = network.encoder(pictures).transpose(0, 1).flatten(1).T
        network.vq_vae.start_from(features[torch.randperm(len(features))[:24]])
        network.decode(torch.randint(0, 24, (4, 16, 16)))
    model = LoadedModel(network.eval(), REGISTRY["vqvae"], network.config, f"{seed:016x}")
    widths = (16,) * (layers + 2)
    prior = CodePrior(
        CodePriorConfig(codes=24, layers=layers, widths=widths, channels=channels, codes_of=model.fingerprint)
    )
    with torch.no_grad():
        for _ in range(20):
            prior(enlarge(torch.rand(4, 2 * channels, 8, 8), 4))
        last = prior.blocks[-1]
        assert isinstance(last, torch.nn.Conv2d)
        last.weight -= last.weight.mean(1, keepdim=True)  # no code is likely everywhere
    return LoadedModel(prior.eval(), REGISTRY["code_prior"], prior.config, "p" * 16), model


def art(count: int, height: int, width: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Pictures of 4x4 squares with holes of one pixel, `b 3 h w` and `b 1 h w`."""
    dice = torch.Generator().manual_seed(seed)
    rgb = enlarge(torch.rand(count, 3, -(-height // 4), -(-width // 4), generator=dice).round(), 4)
    alpha = (torch.rand(count, 1, height, width, generator=dice) < 0.6).float()
    return rgb[:, :, :height, :width].contiguous(), alpha


@pytest.mark.parametrize(("layers", "channels"), KINDS)
def test_each_place_has_the_networks_likeliest_code(
    layers: int, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    prior, model = models(layers, channels)
    (a, one), (b, two) = art(2, 16, 12), art(2, 16, 12, 2)
    patch = 2**layers
    pair = torch.cat([network_input(*x, channels, patch) for x in ((a, one), (b, two))], 1)
    with torch.no_grad():
        wanted = prior.module(pair).argmax(1)
    made = fuse(prior, model, a, one, b, two)
    assert torch.equal(made.indices, wanted)
    assert len(wanted.unique()) > 3
    assert (made.fingerprint, made.codebook_size, made.patch) == (model.fingerprint, 24, patch)
    assert not torch.equal(fuse(prior, model, b, two, a, one).indices, wanted)
    monkeypatch.setattr(importlib.import_module("pixel_models.codes.fuse"), "_PIXELS_AT_ONCE", 60)
    steps: list[tuple[int, int]] = []
    strips = fuse(prior, model, a, one, b, two, callback=lambda *step: steps.append(step))
    assert torch.equal(strips.indices, wanted)
    assert steps == [(n + 1, len(steps)) for n in range(len(steps))]
    assert len(steps) > 2


@pytest.mark.parametrize("channels", [3, 4])
def test_sizes_that_the_patch_does_not_divide_are_cropped_again_and_one_base_serves_all(channels: int) -> None:
    prior, model = models(2, channels)
    (a, one), (b, two) = art(1, 9, 6), art(3, 9, 6, 2)
    made = fuse(prior, model, a, one, b, two)
    rgb, alpha = decode(model, made)
    assert (rgb.shape, alpha.shape, made.indices.shape) == ((3, 3, 9, 6), (3, 1, 9, 6), (3, 3, 2))
    each = [fuse(prior, model, a, one, b[n : n + 1], two[n : n + 1]).indices for n in range(3)]
    assert torch.equal(made.indices, torch.cat(each))


def test_without_alpha_in_the_codes_what_either_picture_shows_is_visible() -> None:
    prior, model = models(1, 3)
    (a, one), (b, two) = art(2, 8, 8), art(2, 8, 8, 2)
    clear = fuse(prior, model, a, one, b, two).transparent
    assert clear is not None
    assert torch.equal(clear, torch.maximum(one, two)[:, 0] == 0)
    assert fuse(prior, model, a, None, b, two).transparent is None


def test_codes_with_alpha_say_what_is_transparent_but_make_no_holes_in_two_opaque_pictures() -> None:
    prior, model = models(1, 4)
    (a, one), (b, two) = art(2, 8, 8), art(2, 8, 8, 2)
    assert fuse(prior, model, a, one, b, two).transparent is None
    opaque = fuse(prior, model, a, None, b, None)
    assert opaque.transparent is not None
    assert not bool(opaque.transparent.any())


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("masked", [True, False])
def test_codes_are_fused_as_the_pictures_that_they_decode_to(channels: int, masked: bool) -> None:
    prior, model = models(1, channels)
    (a, one), (b, two) = art(2, 9, 8), art(2, 9, 8, 2)
    grids = [encode(model, rgb, alpha if masked else None) for rgb, alpha in ((a, one), (b, two))]
    (p, three), (q, four) = (decode(model, grid) for grid in grids)
    wanted = fuse(prior, model, p, three if masked else None, q, four if masked else None)
    made = fuse_codes(prior, model, *grids)
    assert torch.equal(made.indices, wanted.indices)
    if channels == 3 and masked:
        assert made.transparent is not None
        assert torch.equal(made.transparent, torch.maximum(one, two)[:, 0] == 0)
    elif channels == 4 and not masked:
        assert made.transparent is not None
        assert not bool(made.transparent.any())
    else:
        assert made.transparent is None


def test_a_prior_of_another_codebook_is_refused_and_both_are_named() -> None:
    prior, model = models()
    other = dataclasses.replace(model, fingerprint="f" * 16)
    (a, one), (b, two) = art(1, 8, 8), art(1, 8, 8, 2)
    with pytest.raises(CodesError, match=r"says codes of the model 0{16}.* is f{16}"):
        fuse(prior, other, a, one, b, two)
    grids = [encode(other, rgb) for rgb in (a, b)]
    with pytest.raises(CodesError, match=r"says codes of the model 0{16}"):
        fuse_codes(prior, other, *grids)
    with pytest.raises(CodesError, match=r"made by the model f{16}"):
        fuse_codes(prior, model, *grids)
    damaged = models(layers=2)[0]
    with pytest.raises(CodesError, match="24 codes, 2 halvings and 4 channels"):
        fuse(damaged, model, a, one, b, two)


def test_models_and_pictures_that_do_not_fit_are_refused() -> None:
    prior, model = models()
    (a, one), (b, two) = art(2, 8, 8), art(3, 8, 8, 2)
    with pytest.raises(ModelKindError, match="a model to fuse is needed"):
        fuse(model, model, a, one, a, one)
    with pytest.raises(ModelKindError, match="a model to encode is needed"):
        fuse(prior, prior, a, one, a, one)
    with pytest.raises(ShapeError, match="2 and 3 pictures cannot be paired"):
        fuse(prior, model, a, one, b, two)
    with pytest.raises(ShapeError, match="8x8 and 6x8"):
        fuse(prior, model, a, one, a[..., :6], one[..., :6])
    with pytest.raises(ShapeError, match="b_alpha is"):
        fuse(prior, model, a, one, a, two)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"widths": (8,), "layers": 1}, "number of widths is 1"),
        ({"widths": (8, 0)}, "widths is 0"),
        ({"codes": 1}, "codes is 1"),
        ({"channels": 8}, "channels is 8"),
        ({"codes_of": "x" * 65}, "fingerprint"),
    ],
)
def test_a_prior_that_cannot_be_is_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CodePriorConfig(**values)  # pyright: ignore[reportArgumentType]


def test_a_picture_of_another_shape_is_refused() -> None:
    prior, _ = models()
    for shape in ((1, 8, 7, 8), (1, 4, 8, 8), (8, 8, 8)):
        with pytest.raises(ShapeError, match="multiples of 2"):
            prior.module(torch.rand(shape))


def test_pixels_are_seen_first_then_halved_then_places() -> None:
    prior = CodePrior(CodePriorConfig(layers=2, widths=(4, 5, 6, 7, 8)))
    kinds = [(m.kernel_size[0], m.stride[0], m.out_channels) for m in prior.modules() if isinstance(m, torch.nn.Conv2d)]
    assert kinds == [(1, 1, 4), (2, 2, 5), (2, 2, 6), (1, 1, 7), (1, 1, 8), (1, 1, 256)]
