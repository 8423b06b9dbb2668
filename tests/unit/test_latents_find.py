"""Sprites that a DCGAN is given: their latents are looked for, and what it does not draw is refused; small models."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from latent_models import LABELS, LATENT, dice, random_dcgan, random_vae
from torch import Tensor

from pixel_models.archs.dcgan import DCGANGenerator
from pixel_models.checkpoint import LoadedModel
from pixel_models.errors import ImageError, LabelError, ModelKindError, ShapeError
from pixel_models.latents import (
    Found,
    decode_latents,
    draw_latents,
    draw_walk,
    find_latents,
    fuse_sprites,
    slerp,
    sprite_keys,
)
from pixel_models.latents.find import SHELL, STEPS


@pytest.fixture(scope="module")
def dcgan() -> LoadedModel:
    return random_dcgan()


def drawn(model: LoadedModel, count: int, labels: Tensor | None = None) -> Tensor:
    """Sprites of a model as they are, `count 4 16 16`, alpha 0 or 1."""
    made = decode_latents(model, draw_latents(dice(), count, LATENT), labels)
    return torch.cat([made.rgb, (made.alpha >= 0.5).float()], 1)


@pytest.fixture(scope="module")
def found(dcgan: LoadedModel) -> Found:
    return find_latents(dcgan, drawn(dcgan, 2), dice(1))


def overlap(shown: Tensor, wanted: Tensor) -> Tensor:
    """Of what either shows, `b 1 h w`, what both do, `b`."""
    shown, wanted = shown >= 0.5, wanted >= 0.5
    return (shown & wanted).sum((1, 2, 3)) / (shown | wanted).sum((1, 2, 3))


def test_sprites_of_the_model_are_found_among_likely_latents_and_are_what_these_draw(
    dcgan: LoadedModel, found: Found
) -> None:
    sprites = drawn(dcgan, 2)
    assert float(found.overlap.min()) > 0.9
    assert float(found.distance.max()) < 0.05
    assert bool(((found.latents.norm(dim=1) - LATENT**0.5).abs() <= SHELL + 1e-4).all())
    made = decode_latents(dcgan, found.latents)
    assert torch.allclose(found.overlap, overlap(made.alpha, sprites[:, 3:]))


@pytest.mark.parametrize("kind", ["labels", "rgb", "clamp"])
def test_every_kind_of_dcgan_finds_its_sprites(kind: str) -> None:
    model = random_dcgan(3 if kind == "rgb" else 4, seed=1)
    labels = torch.tensor([[0.0, 1.0, 1.0]]) if kind == "labels" else None
    if kind == "clamp":
        assert isinstance(model.module, DCGANGenerator)
        model.module.config = dataclasses.replace(model.module.config, range="clamp")
    sprites = drawn(model, 1, labels)
    found = find_latents(model, sprites, dice(1), labels=labels)
    assert float(found.overlap) > 0.85
    assert float(found.distance) < 0.05
    if labels is not None:
        assert float(find_latents(model, sprites, dice(1)).distance) > 2 * float(found.distance)


def test_one_generator_finds_the_same_and_what_follows_does_not_matter(dcgan: LoadedModel, found: Found) -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    assert torch.equal(find_latents(dcgan, drawn(dcgan, 2)[:1], dice(1)).latents, found.latents[:1])
    assert torch.equal(state, torch.get_rng_state()), "the global generator is left alone"
    assert torch.get_num_threads() == threads
    assert not torch.equal(find_latents(dcgan, drawn(dcgan, 2)[:1], dice(2)).latents, found.latents[:1])


def test_inference_mode_does_not_matter_and_the_network_is_left_as_it_was(dcgan: LoadedModel, found: Found) -> None:
    sprite = drawn(dcgan, 2)[:1]
    with torch.inference_mode():
        model = random_dcgan()
        model.module.train()
        assert torch.equal(find_latents(model, sprite.clone(), dice(1)).latents, found.latents[:1])
    assert model.module.training
    assert all(one.requires_grad and one.grad is None for one in dcgan.module.parameters())


def test_progress_runs_to_its_end_and_a_cancel_stops_the_search(dcgan: LoadedModel) -> None:
    told: list[tuple[int, int]] = []
    sprites = list(drawn(dcgan, 2))
    sprite_keys(dcgan, sprites, dice(1), callback=lambda done, total: told.append((done, total)))
    assert told == [(step, 2 * STEPS) for step in range(1, 2 * STEPS + 1)]

    def cancel(done: int, _: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_latents(dcgan, sprites[0][None], dice(), callback=cancel)


def test_what_a_dcgan_does_not_draw_is_refused_by_name_with_its_figures_and_a_way_out(dcgan: LoadedModel) -> None:
    bar = torch.zeros(4, 6, 6)
    bar[:, 2] = 1
    told = r"the orc is none that this DCGAN draws: what was found overlaps it by \d+% .* take a VAE"
    with pytest.raises(ImageError, match=told):
        sprite_keys(dcgan, [bar], names=["orc"])
    with pytest.raises(ImageError, match="the first sprite is none that"):
        fuse_sprites(dcgan, bar[None], bar[None], dice())
    with pytest.raises(ImageError, match="the sprite is wholly transparent"):
        find_latents(dcgan, torch.zeros(1, 4, 8, 8), dice())
    with pytest.raises(ShapeError, match=r"labels are \(1, 2\), expected \(1, 3\)"):
        find_latents(dcgan, bar[None], dice(), labels=torch.zeros(1, 2))
    with pytest.raises(LabelError, match="no label 'elf'"):
        sprite_keys(dcgan, [bar], labels=[["elf"]])
    with pytest.raises(ModelKindError, match="a DCGAN is needed"):
        find_latents(random_vae(), bar[None], dice())


def test_a_walk_of_a_dcgan_meets_given_sprites_under_the_labels_it_asks_for(dcgan: LoadedModel) -> None:
    asked = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    sprites = drawn(dcgan, 2, asked)
    told: list[tuple[int, int]] = []
    art, loop = draw_walk(
        dcgan,
        dice(1),
        sprites=list(sprites),
        frames=4,
        labels=[[LABELS[1]], [LABELS[2]]],
        colors=0,
        callback=lambda done, total: told.append((done, total)),
    )
    assert float(overlap(art.alpha()[[0, 2]], sprites[:, 3:]).min()) > 0.85
    assert (len(art), loop, told[-1]) == (4, True, (2 * STEPS + 8, 2 * STEPS + 8))


def test_a_dcgan_blends_along_an_arc_and_varies_by_temperature(dcgan: LoadedModel) -> None:
    a, b = drawn(dcgan, 2).split(1)
    made = fuse_sprites(dcgan, a, b, dice(1), share=0.25, temperature=0.0, clean=False)
    after = dice(1)
    torch.randint(2**62, (), generator=after)  # of the results of the only pair
    first, second = (find_latents(dcgan, one, after).latents[0] for one in (a, b))
    arc = decode_latents(dcgan, slerp(first, second, 0.25)[None])
    assert torch.equal(made.alpha(), (arc.alpha >= 0.5).float())
    varied = fuse_sprites(dcgan, a, b, dice(1), share=0.25, count=2, clean=False).to_rgba()
    assert not torch.equal(varied[0], varied[1])
    assert not torch.equal(varied[:1], made.to_rgba())
