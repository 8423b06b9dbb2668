"""Walks and fusions: the ways through latents, frames that stay put, what two sprites make; small random models."""

from __future__ import annotations

import math

import pytest
import torch
from latent_models import LATENT, SIDE, dice, random_dcgan, random_vae
from torch import Tensor

from pixel_models.checkpoint import LoadedModel
from pixel_models.errors import ImageError, LabelError, PixelModelError, ShapeError
from pixel_models.latents import (
    Gaussian,
    Pictures,
    Way,
    blend,
    circle,
    decode_latents,
    draw_latents,
    encode_sprites,
    fuse_sprites,
    latents_of_seeds,
    lerp,
    mix_dims,
    parse_seeds,
    plan_walk,
    slerp,
    sprite_keys,
    steady_frames,
    walk_frames,
    wander,
)
from pixel_models.latents.paths import MOST_FRAMES, places_between, wander_noise
from pixel_models.palette import IndexedImage, Palette


@pytest.fixture(scope="module")
def vae() -> LoadedModel:
    return random_vae()


@pytest.fixture(scope="module")
def dcgan() -> LoadedModel:
    return random_dcgan()


def sprites(count: int, seed: int = 0) -> Tensor:
    """`count 4 16 16`, half transparent."""
    rgba = torch.rand(count, 4, SIDE, SIDE, generator=dice(seed))
    rgba[:, 3] = (rgba[:, 3] < 0.5).float()
    return rgba


def changed(art: IndexedImage) -> float:
    """The share of cells that differ from the frame before, from the last to the first too."""
    rgba = art.to_rgba()
    return float((rgba != rgba.roll(1, 0)).any(1).float().mean())


# Ways


def test_lines_and_arcs_meet_both_ends_and_arcs_stay_on_the_sphere() -> None:
    a, b = torch.randn(2, 64, generator=dice())
    for step in (lerp, slerp):
        assert torch.allclose(step(a, b, 0.0), a, atol=1e-5)
        assert torch.allclose(step(a, b, 1.0), b, atol=1e-5)
    one, two = a / a.norm(), b / b.norm()
    assert abs(float(slerp(one, two, 0.3).norm()) - 1) < 1e-5
    angle = math.acos(float(one @ two))
    assert abs(math.acos(float(one @ slerp(one, two, 0.3))) - 0.3 * angle) < 1e-4
    assert torch.allclose(lerp(a, b, 0.25), 0.75 * a + 0.25 * b, atol=1e-6)


def test_an_arc_between_equal_opposite_or_no_latents_is_a_line() -> None:
    a = torch.randn(8, generator=dice())
    for b in (a, 2 * a, -a, torch.zeros(8)):
        assert torch.allclose(slerp(a, b, 0.25), lerp(a, b, 0.25), atol=1e-5)


@pytest.mark.parametrize(
    ("keys", "frames", "loop"), [(3, 10, False), (3, 10, True), (2, 2, False), (4, 4, True), (1, 3, True)]
)
def test_every_key_is_met_and_frames_are_spread_evenly(keys: int, frames: int, loop: bool) -> None:
    places = places_between(keys, frames, loop=loop)
    assert len(places) == frames
    assert [leg for leg, place in places if place == 0] == (list(range(keys)) if keys > 1 or not loop else [0])
    assert places == sorted(places)
    lengths = [sum(1 for leg, _ in places if leg == one) for one in range(keys if loop else keys - 1)]
    assert not lengths or max(lengths) - min(lengths) <= 1


def test_too_few_and_too_many_frames_are_refused() -> None:
    for frames in (2, MOST_FRAMES + 1):
        with pytest.raises(PixelModelError, match=f"frames is {frames}, expected 3 .* to 1024"):
            places_between(3, frames, loop=True)
    with pytest.raises(PixelModelError, match="frames is 0, expected 1 to 1024"):
        circle(torch.zeros(3), torch.zeros(3), 0)


def test_a_circle_goes_through_both_and_their_opposites() -> None:
    a, b = torch.randn(2, 20, generator=dice())
    way = circle(a, b, 8)
    for index, wanted in ((0, a), (2, b), (4, -a), (6, -b)):
        assert torch.allclose(way[index], wanted, atol=1e-5)


def test_every_point_of_circles_and_wanderings_is_normal_and_no_step_is_long() -> None:
    noise = torch.randn(wander_noise(), 20000, generator=dice())
    for way in (circle(noise[0], noise[1], 24), wander(noise, 24)):
        assert way.shape == (24, 20000)
        assert float((way.std(1) - 1).abs().max()) < 0.03
        assert float(way.mean(1).abs().max()) < 0.03
        steps = (way - way.roll(1, 0)).square().mean(1).sqrt()
        assert float(steps.max()) < 0.5
        assert float(steps.std()) < 0.01
    with pytest.raises(ShapeError, match="expected `6 n`"):
        wander(noise[:5], 24)


# Walks


@pytest.mark.parametrize("kind", ["vae", "dcgan"])
def test_a_walk_through_seeds_meets_their_sprites(kind: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(kind)
    keys = latents_of_seeds(parse_seeds("4 4:1"), LATENT)
    route = plan_walk(model, keys, dice(), frames=6, loop=True)
    assert torch.equal(keys, draw_latents(dice(4), 2, LATENT))
    assert torch.equal(route.latents[[0, 3]], keys)
    assert route.loop
    art = walk_frames(model, route, colors=6)
    assert (len(art), len(art.palette)) == (6, 6)
    raw = walk_frames(model, route, colors=0)
    opaque = (decode_latents(model, keys).alpha >= 0.5).float()
    assert torch.equal(raw.alpha()[[0, 3]], opaque)


def test_an_open_walk_ends_at_the_last_key_and_lingers_where_it_shall(vae: LoadedModel) -> None:
    keys = latents_of_seeds(parse_seeds("1 2"), LATENT)
    even = plan_walk(vae, keys, dice(), way="linear", frames=9, loop=False)
    assert torch.allclose(even.latents[2], lerp(keys[0], keys[1], 0.25), atol=1e-6)
    assert torch.equal(even.latents[8], keys[1])
    assert not even.loop
    slow = plan_walk(vae, keys, dice(), way="linear", frames=9, loop=False, easing="smooth")
    assert float((slow.latents[1] - keys[0]).norm()) < 0.5 * float((even.latents[1] - keys[0]).norm())


def test_labels_change_along_the_way(dcgan: LoadedModel) -> None:
    keys = latents_of_seeds(parse_seeds("1 1"), LATENT)
    route = plan_walk(dcgan, keys, dice(), frames=5, loop=False, labels=[["dragon"], ["orc", "red"]])
    assert route.labels.tolist()[::2] == [[1, 0, 0], [0.5, 0.5, 0.5], [0, 1, 1]]
    assert float((decode_latents(dcgan, route.latents, route.labels).rgb.diff(dim=0)).abs().max()) > 0.01
    with pytest.raises(LabelError, match="no label 'elf'"):
        plan_walk(dcgan, keys, dice(), labels=[["elf"]])


def test_circles_and_wanderings_draw_what_is_missing(vae: LoadedModel) -> None:
    none = torch.zeros(0, LATENT)
    one = latents_of_seeds(parse_seeds("3"), LATENT)
    cases: list[tuple[Tensor, Way]] = [(none, "wander"), (none, "circle"), (one, "circle")]
    for keys, way in cases:
        first, again, other = (plan_walk(vae, keys, dice(seed), way=way, frames=8).latents for seed in (1, 1, 2))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)
    assert torch.allclose(plan_walk(vae, one, dice(), way="circle", frames=8).latents[0], one[0], atol=1e-6)


@pytest.mark.parametrize(
    ("way", "count", "told"),
    [
        ("wander", 1, "way 'wander' goes through none, got 1 seeds or sprites"),
        ("circle", 3, "way 'circle' goes through none, one or two, got 3"),
        ("linear", 0, "way 'linear' goes through 1 to 256, got 0"),
        ("jump", 2, "way is 'jump', expected one of spherical, linear, circle, wander"),
    ],
)
def test_keys_that_a_way_does_not_take_are_refused(vae: LoadedModel, way: str, count: int, told: str) -> None:
    with pytest.raises(PixelModelError, match=told):
        plan_walk(vae, torch.zeros(count, LATENT), dice(), way=way)  # pyright: ignore[reportArgumentType]


def test_a_walk_through_sprites_begins_with_what_the_vae_makes_of_them(vae: LoadedModel) -> None:
    given = [sprites(1)[0], sprites(1, 1)[0, :, :9, :7]]
    keys = sprite_keys(vae, given)
    assert torch.allclose(keys[1], encode_sprites(vae, given[1][None]).mean[0], atol=1e-5)
    with pytest.raises(ImageError, match="the sprite 1 is wholly transparent"):
        sprite_keys(vae, [given[0], torch.zeros(4, 8, 8)])
    with pytest.raises(PixelModelError, match="needs at least one"):
        sprite_keys(vae, [])


def test_the_frames_of_a_walk_share_given_colours_and_progress_runs_to_its_end(vae: LoadedModel) -> None:
    route = plan_walk(vae, torch.zeros(0, LATENT), dice(), way="wander", frames=5)
    palette = Palette.from_hex("#ff0000 #00ff00 #0000ff")
    steps: list[tuple[int, int]] = []
    art = walk_frames(vae, route, palette=palette, callback=lambda done, total: steps.append((done, total)))
    assert art.palette == palette
    assert steps[-1] == (10, 10)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    with pytest.raises(PixelModelError, match="colors is 1"):
        walk_frames(vae, route, colors=1)


# Stable pixels


GREYS = Palette.from_hex("#000000 #404040 #808080 #c0c0c0 #ffffff")


def noisy(frames: int, amount: float, drift: float = 0.0) -> Pictures:
    """Greys of a slope with noise of its own in every frame, opaque."""
    slope = torch.linspace(0.1, 0.9, 12).expand(frames, 3, 12, 12)
    noise = amount * torch.randn(frames, 1, 12, 12, generator=dice())
    brighter = drift * torch.arange(frames).view(-1, 1, 1, 1)
    return Pictures((slope + noise + brighter).clamp(0, 1), torch.ones(frames, 1, 12, 12))


def test_noise_changes_few_cells_and_a_real_change_arrives() -> None:
    still = steady_frames(noisy(12, 0.02), GREYS, loop=True)
    alone = steady_frames(noisy(12, 0.02), GREYS, loop=True, hold=0.0)
    assert changed(alone) > 0.03
    assert changed(still) < 0.1 * changed(alone)
    moved = steady_frames(noisy(12, 0.0, drift=0.08), GREYS, loop=False)
    assert float((moved.indices[-1] - moved.indices[0]).float().mean()) > 1.5


def test_a_jump_shows_at_once() -> None:
    rgb = torch.zeros(2, 3, 6, 6)
    rgb[1, :, 2:4, 2:4] = 0.97
    art = steady_frames(Pictures(rgb, torch.ones(2, 1, 6, 6)), GREYS, loop=False)
    assert art.indices[0].unique().tolist() == [0]
    assert art.indices[1, 2:4, 2:4].unique().tolist() == [4]
    assert int((art.indices[1] != 0).sum()) == 4


def test_alpha_near_a_half_does_not_flicker_and_held_cells_keep_their_colour() -> None:
    rgb = torch.full((4, 3, 8, 8), 0.5)
    alpha = torch.ones(4, 1, 8, 8)
    alpha[:, 0, 0] = torch.tensor([0.55, 0.45, 0.52, 0.2])[:, None]
    rgb[1, :, 0] = 0.0  # what stands where alpha is below a half says nothing
    art = steady_frames(Pictures(rgb, alpha), GREYS, loop=False)
    assert art.alpha()[:, 0, 0, 0].tolist() == [1, 1, 1, 0]
    assert int(art.indices[1, 0, 3]) == int(art.indices[0, 0, 3])


def test_a_loop_closes_as_quietly_as_it_runs() -> None:
    pictures = noisy(10, 0.03)
    art = steady_frames(pictures, GREYS, loop=True)
    seam = float((art.indices[0] != art.indices[-1]).float().mean())
    steps = [(art.indices[i] != art.indices[i - 1]).float().mean().item() for i in range(1, 10)]
    assert seam <= max(steps) + 0.02


# Fusion


def test_a_blend_weighs_means_and_log_variances_by_weights_that_sum_to_one() -> None:
    one, two = (Gaussian(*torch.randn(2, 3, 5, generator=dice(seed))) for seed in (1, 2))
    made = blend([one, two], (1, 3))
    assert torch.allclose(made.mean, 0.25 * one.mean + 0.75 * two.mean, atol=1e-6)
    assert torch.allclose(made.log_variance, 0.25 * one.log_variance + 0.75 * two.log_variance, atol=1e-6)
    for weights in ((0, 0), (1,), (-1, 2), (float("nan"), 1)):
        with pytest.raises(PixelModelError, match="weights are"):
            blend([one, two], weights)
    with pytest.raises(ShapeError, match="expected as many of one size"):
        blend([one, Gaussian(two.mean[:2], two.log_variance[:2])], (1, 1))


def test_a_mix_copies_so_many_places_drawn_with_replacement() -> None:
    a, b = torch.zeros(40, 30), torch.ones(40, 30)
    taken = mix_dims(a, b, 30, dice()).sum(1)
    assert float(taken.max()) < 30, "a place may be drawn again"
    assert abs(float(taken.mean()) - 30 * (1 - (1 - 1 / 30) ** 30)) < 1
    assert not mix_dims(a, b, 0, dice()).any()
    assert not a.any(), "the input is left alone"
    with pytest.raises(ShapeError, match="expected `b latent` twice"):
        mix_dims(a, b[:2], 1, dice())
    with pytest.raises(PixelModelError, match="num_dims is -1"):
        mix_dims(a, b, -1, dice())


def test_fusing_all_of_one_sprite_without_chance_gives_its_picture(vae: LoadedModel) -> None:
    a, b = sprites(1), sprites(1, 1)
    for share, one in ((0.0, a), (1.0, b)):
        made = fuse_sprites(vae, a, b, dice(), share=share, temperature=0.0, colors=7)
        wanted = decode_latents(vae, encode_sprites(vae, one).mean)
        assert torch.equal(made.alpha() > 0, wanted.alpha >= 0.5) or bool(made.alpha().any())
        again = fuse_sprites(vae, one, one, dice(9), temperature=0.0, colors=7)
        assert torch.equal(made.to_rgba(), again.to_rgba())


@pytest.mark.parametrize("how", ["blend", "mix"])
def test_of_more_results_of_a_pair_the_first_stay_the_same(vae: LoadedModel, how: str) -> None:
    a, b = sprites(2), sprites(1, 5)
    few = fuse_sprites(vae, a, b, dice(), how=how, count=2).to_rgba()  # pyright: ignore[reportArgumentType]
    many = fuse_sprites(vae, a, b, dice(), how=how, count=5).to_rgba()  # pyright: ignore[reportArgumentType]
    assert many.shape == (10, 4, SIDE, SIDE)
    assert torch.equal(few, many[[0, 1, 5, 6]])
    assert not torch.equal(many[0], many[1])


def test_without_a_number_of_colours_a_fusion_has_those_of_its_two(vae: LoadedModel) -> None:
    a, b = sprites(2), sprites(2, 1)
    a[:, :3] = torch.tensor([1.0, 0, 0]).view(3, 1, 1)
    b[0, :3] = torch.tensor([0, 0, 1.0]).view(3, 1, 1)
    b[1, :3] = torch.tensor([0, 1.0, 0]).view(3, 1, 1)
    made = fuse_sprites(vae, a, b, dice(), colors=0, count=2)
    rgb, opaque = made.to_rgb(), made.alpha()[:, 0] > 0
    for index, wanted in ((0, "#0000ff"), (3, "#00ff00")):
        own = {tuple(color) for color in (rgb[index].permute(1, 2, 0)[opaque[index]] * 255).long().tolist()}
        assert own <= {(255, 0, 0), tuple(bytes.fromhex(wanted[1:]))}
        assert own


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"share": 1.5}, "share is 1.5, expected 0"),
        ({"count": 0}, "count is 0, expected 1 to 256"),
        ({"how": "melt"}, "how is 'melt', expected one of blend, mix"),
        ({"colors": 300}, "colors is 300"),
    ],
)
def test_what_cannot_be_fused_is_refused(vae: LoadedModel, wrong: dict[str, object], told: str) -> None:
    with pytest.raises(PixelModelError, match=told):
        fuse_sprites(vae, sprites(1), sprites(1), dice(), **wrong)  # pyright: ignore[reportArgumentType]


def test_sprites_without_a_pair_and_too_large_ones_are_refused(vae: LoadedModel) -> None:
    with pytest.raises(ShapeError, match="2 and 3 sprites cannot be paired"):
        fuse_sprites(vae, sprites(2), sprites(3), dice())
    with pytest.raises(ImageError, match="the second sprite is 20x20 pixels"):
        fuse_sprites(vae, sprites(1), torch.ones(1, 4, 20, 20), dice())
