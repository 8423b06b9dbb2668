"""Sprites from latents: which come, what they are made of, what is refused; small random models, exact promises."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from latent_models import LABELS, LATENT, SIDE, dice, random_dcgan, random_vae
from torch import Tensor

from pixel_models.archs.dcgan import DCGANGenerator
from pixel_models.archs.vae import VAE
from pixel_models.checkpoint import LoadedModel
from pixel_models.cleanup import orphans
from pixel_models.errors import ImageError, LabelError, ModelKindError, PixelModelError, ShapeError
from pixel_models.latents import (
    Pictures,
    Seed,
    dcgan_of,
    decode_latents,
    draw_latents,
    draw_sprites,
    encode_sprites,
    fit_sprites,
    generator_of,
    latent_size,
    latents_of_seeds,
    parse_seeds,
    to_art,
    vae_of,
    vocabulary_of,
)
from pixel_models.latents.art import tidy
from pixel_models.palette import IndexedImage, Palette
from pixel_models.registry import REGISTRY


@pytest.fixture(scope="module")
def vae() -> LoadedModel:
    return random_vae()


@pytest.fixture(scope="module")
def dcgan() -> LoadedModel:
    return random_dcgan()


@pytest.fixture(params=["vae", "dcgan"])
def model(request: pytest.FixtureRequest) -> LoadedModel:
    return request.getfixturevalue(request.param)


def colors_of(art: IndexedImage) -> list[set[tuple[int, ...]]]:
    """The opaque colours of each sprite."""
    rgba = (art.to_rgba() * 255).round().long().permute(0, 2, 3, 1)
    return [{tuple(color) for color in one[one[..., 3] > 0][:, :3].tolist()} for one in rgba]


# Noise


def test_the_first_latents_stay_the_same_whatever_the_count_and_are_normal() -> None:
    few, many = draw_latents(dice(), 3, 500), draw_latents(dice(), 40, 500)
    assert torch.equal(few, many[:3])
    assert not torch.equal(few[0], few[1])
    assert abs(float(many.mean())) < 0.03
    assert abs(float(many.std()) - 1) < 0.03
    assert not torch.equal(few, draw_latents(dice(6), 3, 500))


def test_the_temperature_scales_latents() -> None:
    assert torch.equal(draw_latents(dice(), 2, 9, 0.5), 0.5 * draw_latents(dice(), 2, 9))
    assert not draw_latents(dice(), 2, 9, 0.0).any()
    for wrong in (-0.1, 4.1, float("nan")):
        with pytest.raises(PixelModelError, match="temperature is"):
            draw_latents(dice(), 1, 9, wrong)


def test_a_sprite_is_named_by_its_seed_and_place() -> None:
    assert parse_seeds(" 7, 7:3\n12;0 ") == [Seed(7), Seed(7, 3), Seed(12), Seed(0)]
    assert parse_seeds("") == []
    found = latents_of_seeds([Seed(7, 3), Seed(12)], LATENT)
    assert torch.equal(found[0], draw_latents(dice(7), 4, LATENT)[3])
    assert torch.equal(found[1], draw_latents(dice(12), 1, LATENT)[0])
    assert latents_of_seeds([], LATENT).shape == (0, LATENT)


@pytest.mark.parametrize("word", ["seven", "-1", "7:", "7:3:1", "1.5", "7:12345"])
def test_words_that_are_no_seeds_are_refused_with_an_example(word: str) -> None:
    with pytest.raises(PixelModelError, match="is no seed; expected numbers such as 7, or 7:3"):
        parse_seeds(f"1 {word}")


def test_seeds_out_of_range_are_refused() -> None:
    with pytest.raises(PixelModelError, match="there is no sprite 1:4096"):
        latents_of_seeds([Seed(1, 4096)], LATENT)
    with pytest.raises(PixelModelError, match="expected a seed from 0 to"):
        latents_of_seeds(parse_seeds("9999999999999999999"), LATENT)


# Decoding


def test_what_a_latent_becomes_depends_on_no_other(model: LoadedModel) -> None:
    latents = draw_latents(dice(), 19, LATENT)
    every = decode_latents(model, latents)
    for index in (0, 7, 18):
        alone = decode_latents(model, latents[index : index + 1])
        assert torch.equal(alone.rgb[0], every.rgb[index])
        assert torch.equal(alone.alpha[0], every.alpha[index])


def test_pictures_are_the_networks_own(vae: LoadedModel, dcgan: LoadedModel) -> None:
    latents = draw_latents(dice(), 3, LATENT)
    told = torch.tensor([[1.0, 0, 1]]).expand(3, -1)
    assert isinstance(vae.module, VAE)
    assert isinstance(dcgan.module, DCGANGenerator)
    made, picture = decode_latents(vae, latents), vae.module.decode(latents)
    shown = (picture[:, 3:] >= 0.5).float()
    assert torch.allclose(made.alpha, picture[:, 3:], atol=1e-5)
    assert torch.allclose(made.rgb * picture[:, 3:] * shown, picture[:, :3].minimum(picture[:, 3:]) * shown, atol=1e-5)
    made, picture = decode_latents(dcgan, latents, told), dcgan.module(latents, told)
    shown = (made.alpha >= 0.5).float()
    assert torch.equal(shown, picture[:, 3:].round())
    undecided = (dcgan.module.raw(latents, told)[:, 3:] + 1) / 2
    assert torch.allclose(made.alpha, (3 * undecided - 1).clamp(0, 1), atol=1e-5), "three times as far from a half"
    assert torch.allclose(made.rgb * shown, picture[:, :3], atol=1e-5)


def test_networks_of_rgb_give_opaque_sprites() -> None:
    for model in (random_vae(3), random_dcgan(3)):
        assert draw_sprites(model, dice(), count=2).transparent is None


def test_the_mode_of_a_network_in_training_is_left_as_it_was(vae: LoadedModel) -> None:
    latents = draw_latents(dice(), 2, LATENT)
    wanted = decode_latents(vae, latents)
    statistics = {key: value.clone() for key, value in vae.module.state_dict().items()}
    vae.module.train()
    try:
        assert torch.equal(decode_latents(vae, latents).rgb, wanted.rgb)
        assert vae.module.training
    finally:
        vae.module.eval()
    assert all(torch.equal(value, statistics[key]) for key, value in vae.module.state_dict().items())


@pytest.mark.parametrize(
    ("latents", "labels"),
    [
        (torch.zeros(2, LATENT + 1), None),
        (torch.zeros(LATENT), None),
        (torch.zeros(0, LATENT), None),
        (torch.zeros(2, LATENT), torch.zeros(2, 9)),
    ],
)
def test_latents_and_labels_of_another_size_are_refused(
    dcgan: LoadedModel, latents: Tensor, labels: Tensor | None
) -> None:
    with pytest.raises(ShapeError, match="expected"):
        decode_latents(dcgan, latents, labels)


# Sprites


def test_the_first_sprites_stay_the_same_and_another_seed_gives_others(model: LoadedModel) -> None:
    for colors, count in ((4, 3), (0, 18)):
        few, many = (draw_sprites(model, dice(), count=n, colors=colors).to_rgba() for n in (2, count))
        assert torch.equal(few, many[:2])
        assert not torch.equal(few[0], few[1])
        assert not torch.equal(few, draw_sprites(model, dice(9), count=2, colors=colors).to_rgba())


def test_sprites_are_strict_pixel_art(model: LoadedModel) -> None:
    art = draw_sprites(model, dice(), count=4, colors=5)
    assert art.to_rgba().shape == (4, 4, SIDE, SIDE)
    assert all(1 < len(colors) <= 5 for colors in colors_of(art))
    assert len(set.union(*colors_of(art))) == len(art.palette) > 5
    assert art.transparent is not None
    assert 0 < float(art.alpha().mean()) < 1


def test_one_palette_for_all_and_given_colours_are_kept_to(model: LoadedModel) -> None:
    together = draw_sprites(model, dice(), count=6, colors=5, share="one for all")
    assert 1 < len(set.union(*colors_of(together))) <= 5
    palette = Palette.from_hex("#ff0000 #00ff00 #0000ff #000000 #ffffff")
    given = draw_sprites(model, dice(), count=6, palette=palette)
    assert given.palette == palette
    assert 1 < len(set.union(*colors_of(given))) <= 5


def test_without_a_number_of_colours_sprites_are_as_the_network_gives_them(dcgan: LoadedModel) -> None:
    raw = draw_sprites(dcgan, dice(), count=2, colors=0, clean=False)
    latents = draw_latents(dice(), 2, LATENT)
    assert isinstance(dcgan.module, DCGANGenerator)
    assert torch.allclose(raw.to_rgba(), dcgan.module(latents), atol=0.5 / 255 + 1e-5)


def test_labels_change_a_dcgans_sprites_and_are_dealt_in_turn(dcgan: LoadedModel) -> None:
    both = draw_sprites(dcgan, dice(), count=4, labels=[["dragon", "red"], []]).to_rgba()
    plain = draw_sprites(dcgan, dice(), count=4).to_rgba()
    assert torch.equal(both[1::2], plain[1::2])
    assert not torch.equal(both[0], plain[0])
    assert vocabulary_of(dcgan).labels == LABELS


def test_labels_that_a_model_does_not_know_are_refused(vae: LoadedModel, dcgan: LoadedModel) -> None:
    with pytest.raises(LabelError, match=r"did you mean dragon\?"):
        draw_sprites(dcgan, dice(), labels=[["dargon"]])
    with pytest.raises(LabelError, match="it has none: leave labels empty"):
        draw_sprites(vae, dice(), labels=[["dragon"]])


def test_progress_runs_to_its_end_and_a_callback_that_raises_cancels(model: LoadedModel) -> None:
    steps: list[tuple[int, int]] = []
    draw_sprites(model, dice(), count=18, colors=2, callback=lambda done, total: steps.append((done, total)))
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert {total for _, total in steps} == {36}
    assert steps[-1] == (36, 36)
    assert len(steps) >= 18

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_sprites(model, dice(), callback=stop)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"count": 0}, "count is 0, expected 1 to 4096"),
        ({"colors": 1}, "colors is 1, expected 2 to 256, or 0"),
        ({"colors": 257}, "colors is 257"),
        ({"share": "both"}, "share is 'both', expected one of each its own, one for all"),
        ({"temperature": 9.0}, "temperature is 9.0"),
    ],
)
def test_numbers_out_of_range_are_refused(vae: LoadedModel, wrong: dict[str, object], told: str) -> None:
    with pytest.raises(PixelModelError, match=told):
        draw_sprites(vae, dice(), **wrong)  # pyright: ignore[reportArgumentType]


# What networks leave open


def test_specks_go_holes_close_and_a_sprite_of_specks_stays() -> None:
    opaque = torch.zeros(2, 12, 12, dtype=torch.bool)
    opaque[0, 2:9, 2:9] = True
    opaque[0, 5, 5] = False  # a hole of one cell
    opaque[0, 3:5, 3] = False  # one of two
    opaque[0, 11, 10:12] = True  # a speck
    opaque[1, 4, 4] = True
    wanted = opaque.clone()
    wanted[0, 5, 5], wanted[0, 11] = True, False
    assert torch.equal(tidy(opaque), wanted)


def test_cleaning_leaves_fewer_orphans_and_no_cleaning_leaves_alpha_alone() -> None:
    rgb = torch.rand(2, 3, 16, 16, generator=dice()) * 0.2 + 0.4
    alpha = torch.rand(2, 1, 16, 16, generator=dice(1))
    pictures = Pictures(rgb, alpha)
    clean, rough = (to_art(pictures, colors=12, clean=flag) for flag in (True, False))
    assert torch.equal(rough.alpha(), (alpha >= 0.5).float())

    def lonely(art: IndexedImage) -> int:
        return int(orphans(art.indices, art.alpha()[:, 0] > 0).sum())

    assert lonely(clean) < lonely(rough) / 4


# Encoding


def sprite(height: int, width: int, seed: int = 0) -> Tensor:
    """`1 4 h w`, half of it transparent, its border too."""
    rgba = torch.rand(1, 4, height, width, generator=dice(seed))
    rgba[:, 3] = (rgba[:, 3] < 0.5).float()
    return rgba


def test_sprites_are_set_in_the_middle_on_whole_pixels() -> None:
    small = sprite(5, 8)
    fitted = fit_sprites(small, SIDE)
    assert torch.equal(fitted[..., 5:10, 4:12], torch.cat([small[:, :3] * small[:, 3:], small[:, 3:]], 1))
    assert fitted.sum() == fitted[..., 5:10, 4:12].sum()


def test_what_is_empty_around_a_larger_sprite_is_cut_off() -> None:
    large = torch.zeros(1, 4, 40, 20)
    large[..., 20:36, 3:9] = torch.rand(1, 4, 16, 6, generator=dice()).clamp_min(0.5)
    fitted = fit_sprites(large, SIDE)
    assert torch.equal(fitted[0, :3, :, 5:11], large[0, :3, 20:36, 3:9])
    assert torch.equal(fitted[0, 3], torch.zeros(SIDE, SIDE).index_fill_(1, torch.arange(5, 11), 1))


def test_sprites_that_do_not_fit_or_show_nothing_are_refused_with_a_way_out() -> None:
    with pytest.raises(ImageError, match=r"the sprite is 17x9 pixels, and this model takes at most 16x16; .*snap"):
        fit_sprites(torch.ones(1, 4, 9, 17), SIDE)
    framed = torch.zeros(1, 4, 30, 30)
    framed[..., 2:28, 5:7] = 1
    with pytest.raises(ImageError, match=r"30x30 pixels \(2x26 without what is empty around it\)"):
        fit_sprites(framed, SIDE)
    with pytest.raises(ImageError, match="the first is wholly transparent"):
        fit_sprites(torch.zeros(1, 4, 8, 8), SIDE, "first")


def test_a_vae_sees_sprites_as_it_was_trained(vae: LoadedModel) -> None:
    shown = sprite(SIDE, SIDE)
    hard = shown[:, 3:]
    assert isinstance(vae.module, VAE)
    mean, log_variance = vae.module.encode(torch.cat([shown[:, :3] * hard, hard], 1))
    found = encode_sprites(vae, shown)
    assert torch.allclose(found.mean, mean, atol=1e-5)
    assert torch.allclose(found.log_variance, log_variance, atol=1e-5)
    plain = random_vae(3)
    assert isinstance(plain.module, VAE)
    on_white = shown[:, :3] * hard + 1 - hard
    assert torch.allclose(encode_sprites(plain, shown).mean, plain.module.encode(on_white)[0], atol=1e-5)


def test_noise_moves_a_latent_by_its_own_uncertainty(vae: LoadedModel) -> None:
    found = encode_sprites(vae, sprite(SIDE, SIDE))
    noise = torch.randn(1, LATENT, generator=dice())
    assert torch.equal(found.drawn(), found.mean)
    assert torch.allclose(found.drawn(noise), found.mean + found.log_variance.exp().sqrt() * noise, atol=1e-5)


# Kinds of models


def test_each_network_is_taken_for_what_it_is(vae: LoadedModel, dcgan: LoadedModel) -> None:
    assert (generator_of(vae), vae_of(vae), dcgan_of(dcgan)) == (vae.module, vae.module, dcgan.module)
    assert latent_size(vae) == latent_size(dcgan) == LATENT


def test_models_of_other_kinds_are_refused_with_what_to_take(vae: LoadedModel, dcgan: LoadedModel) -> None:
    with pytest.raises(ModelKindError, match=r"a VAE is needed, and this one \(dcgan\) is a DCGAN; use DCGAN Sample"):
        vae_of(dcgan)
    with pytest.raises(ModelKindError, match=r"a DCGAN is needed, and this one \(vae\) is a VAE; use VAE Sample"):
        dcgan_of(vae)
    spec = REGISTRY["pixelcnn"]
    prior = LoadedModel(spec.build(spec.tiny), spec, spec.tiny, "p" * 16)
    with pytest.raises(ModelKindError, match=r"a model to generate is needed, and this one \(pixelcnn\) is to sample"):
        generator_of(prior)
    spec = dataclasses.replace(REGISTRY["vqvae"], purpose=REGISTRY["vae"].purpose)
    with pytest.raises(ModelKindError, match="is neither"):
        generator_of(LoadedModel(spec.build(spec.tiny), spec, spec.tiny, "v" * 16))
