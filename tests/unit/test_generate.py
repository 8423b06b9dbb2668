"""Labels, new sprites, sprites completed, and the parts that are kept: small random models, exact promises."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from pixel_models.archs.pixelcnn import PixelCNN, PixelCNNConfig
from pixel_models.archs.vqvae import VQVAE, VQVAEConfig
from pixel_models.checkpoint import LoadedModel
from pixel_models.codes import CodeGrid, decode, encode
from pixel_models.codes.table import table_of
from pixel_models.errors import CodesError, LabelError, ModelKindError, PixelModelError, ShapeError
from pixel_models.generate import Choice, parts
from pixel_models.generate.labels import find_label, label_vector, label_vectors, labels_by_group, parse_labels
from pixel_models.generate.sprites import coder_name, complete_sprites, prior_of, sample_sprites
from pixel_models.registry import REGISTRY, SHIPPED

LABELS = ("creature=dragon", "creature=Orc", "color=red", "thing=red", "style=dawnlike")
CODES = 24


def coder_of(layers: int = 1, channels: int = 4, seed: int = 0) -> LoadedModel:
    """A small VQ-VAE with random weights, whose codes differ; of 4 channels some show nothing, some have holes."""
    torch.manual_seed(seed + (0, 1, 2)[layers])
    network = VQVAE(VQVAEConfig(layers=layers, channels=channels, codes=CODES, embedding=8, filters=16))
    every = torch.arange(CODES).view(1, 1, -1)
    with torch.no_grad():
        network.vq_vae.start_from(torch.randn(CODES, 8) * 2)
        for _ in range(30):
            network.decode(every)
        last = [layer for layer in network.decoder if isinstance(layer, torch.nn.ConvTranspose2d)][-1]
        last.weight *= 20
        assert last.bias is not None
        values = network.eval().decode(every).clamp(1e-6, 1 - 1e-6).logit()  # half of what is opaque is transparent
        last.bias -= values.median(3).values.median(2).values[0]
    return LoadedModel(network, REGISTRY["vqvae"], network.config, f"{seed:016x}")


def prior_for(coder: LoadedModel, **values: Any) -> LoadedModel:  # noqa: ANN401  of the config
    """A small PixelCNN with random weights for a coder's codes, far from sure of anything."""
    torch.manual_seed(1)
    known = {"codes": CODES, "width": 8, "dilations": (1, 2), "embedding": 6, "context": 8, "size": 6}
    own = {"labels": LABELS, "codes_of": coder.fingerprint, "patch": table_of(coder).patch}
    network = PixelCNN(PixelCNNConfig(**{**known, **own, **values})).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter *= 2
    return LoadedModel(network, REGISTRY["pixelcnn"], network.config, "p" * 16)


def paper_prior_for(coder: LoadedModel) -> LoadedModel:
    """One of a foreign file's layout: no context, and nobody said whose codes it draws."""
    return prior_for(coder, embedding=0, context=0, codes_of="", patch=1, size=0)


def dice(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def grid_of(coder: LoadedModel, count: int = 2, height: int = 9, width: int = 14, seed: int = 3) -> CodeGrid:
    """Codes of sprites that are transparent at random."""
    own = dice(seed)
    alpha = (torch.rand(count, 1, height, width, generator=own) < 0.6).float()
    rgb = torch.rand(count, 3, height, width, generator=own)
    return encode(coder, rgb, alpha, nearest="picture")


@pytest.fixture(scope="module")
def coder() -> LoadedModel:
    """Of 2x2 pixels a code, with alpha."""
    made = coder_of()
    table = table_of(made)
    assert 0 < int(table.clear.sum()) < CODES, "some codes show nothing"
    assert bool((table.opaque.flatten(1).any(1) & ~table.opaque.flatten(1).all(1)).any()), "some are half transparent"
    return made


@pytest.fixture(scope="module")
def prior(coder: LoadedModel) -> LoadedModel:
    """With labels and context, for the codes of `coder`."""
    return prior_for(coder)


# Labels


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("creature=dragon", 0),
        ("dragon", 0),
        (" Creature = DRAGON ", 0),
        ("orc", 1),
        ("creature=orc", 1),
        ("thing=red", 3),
        ("COLOR=Red", 2),
    ],
)
def test_a_label_is_found_in_any_case_and_by_its_bare_value(name: str, place: int) -> None:
    assert find_label(PixelCNNConfig(labels=LABELS), name) == place


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("red", "'red' is not clear, got color=red and thing=red"),
        ("dargon", r"no label 'dargon'; did you mean dragon\?"),
        ("creature=drago", r"did you mean creature=dragon\?"),
        ("zzzz", "no label 'zzzz'; it has creature=dragon, Orc; color=red; thing=red; style=dawnlike"),
        ("", "no label ''"),
        ("creature", "no label 'creature'"),
    ],
)
def test_a_label_that_is_not_there_is_refused_with_those_that_are(name: str, told: str) -> None:
    with pytest.raises(LabelError, match=told):
        find_label(PixelCNNConfig(labels=LABELS), name)


def test_a_model_without_labels_says_so() -> None:
    with pytest.raises(LabelError, match="leave labels empty"):
        label_vector(PixelCNNConfig(), ["dragon"])
    assert label_vectors(PixelCNNConfig(), [], 3).shape == (3, 0)


def test_labels_are_listed_by_group_in_the_models_order() -> None:
    found = labels_by_group(PixelCNNConfig(labels=("color=red", "b=2", "color=blue", "plain", "a=b=c")))
    assert found == {"color": ["red", "blue"], "b": ["2"], "label": ["plain"], "a=b": ["c"]}
    assert list(found) == ["color", "b", "label", "a=b"]


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        ("", []),
        ("  \n ", []),
        ("creature=dragon", [["creature=dragon"]]),
        (" dragon , color=red ;x,,", [["dragon", "color=red", "x"]]),
        ("dragon\n\norc, red\n", [["dragon"], [], ["orc", "red"]]),
    ],
)
def test_text_becomes_a_list_of_labels_a_line(text: str, lists: list[list[str]]) -> None:
    assert parse_labels(text) == lists


def test_lists_of_labels_go_to_the_sprites_in_turn() -> None:
    config = PixelCNNConfig(labels=LABELS)
    found = label_vectors(config, [["dragon", "color=red"], []], 3)
    assert found.tolist() == [[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 0, 1, 0, 0]]
    assert label_vectors(config, [], 2).tolist() == [[0] * 5] * 2
    assert label_vector(config, ["dragon", "creature=dragon"]).tolist() == [1, 0, 0, 0, 0]


# New sprites


@pytest.mark.parametrize(("layers", "channels"), [(0, 3), (0, 4), (1, 3), (1, 4), (2, 4)])
def test_new_sprites_have_the_size_asked_for_and_decode(layers: int, channels: int) -> None:
    model = coder_of(layers, channels)
    patch = 2**layers
    own = prior_for(model)
    made = sample_sprites(own, model, dice(), count=2)
    assert (tuple(made.indices.shape), made.height, made.width) == ((2, 6, 6), 6 * patch, 6 * patch)
    other = sample_sprites(own, model, dice(), height=5, width=11)
    assert (other.height, other.width) == (5, 11)
    assert tuple(other.indices.shape[1:]) == (-(-5 // patch), -(-11 // patch))
    rgb, alpha = decode(model, other)
    assert rgb.shape == (1, 3, 5, 11)
    assert alpha.shape == (1, 1, 5, 11)
    assert len(made.indices.unique()) > 4


def test_the_first_sprites_are_the_same_however_many_are_asked_for(coder: LoadedModel, prior: LoadedModel) -> None:
    few = sample_sprites(prior, coder, dice(), labels=[["dragon"]], count=2)
    many = sample_sprites(prior, coder, dice(), labels=[["dragon"]], count=5)
    assert torch.equal(many.indices[:2], few.indices)
    assert not torch.equal(few.indices[0], few.indices[1])
    assert torch.equal(sample_sprites(prior, coder, dice(), count=2, labels=[["dragon"]]).indices, few.indices)
    assert not torch.equal(sample_sprites(prior, coder, dice(6), count=2, labels=[["dragon"]]).indices, few.indices)


def test_a_sprite_that_shows_nothing_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    coder = coder_of(0, 4)
    own, clear = prior_for(coder, width=4), table_of(coder).clear
    assert isinstance(own.module, PixelCNN)
    assert bool(clear.any())
    with torch.no_grad():
        own.module.conv_out.weight.mul_(0.05)
        assert own.module.conv_out.bias is not None
        shown = float((~clear).sum() / clear.sum())
        own.module.conv_out.bias.copy_(clear * math.log(200 * shown))  # at one place of 200 something shows

    def visible(count: int) -> tuple[CodeGrid, torch.Tensor]:
        made = sample_sprites(own, coder, dice(), count=count, height=12, width=12)
        return made, (~clear[made.indices]).flatten(1).any(1)

    monkeypatch.setattr("pixel_models.generate.sprites._TRIES", 1)
    once, shows = visible(24)
    monkeypatch.undo()
    again, later = visible(24)
    assert 2 < int(shows.sum()) < 22
    assert int(later.sum()) > int(shows.sum())
    assert torch.equal(again.indices[shows], once.indices[shows])
    assert torch.equal(visible(5)[0].indices, again.indices[:5])


def test_more_sprites_than_go_at_once_are_made_in_parts(
    coder: LoadedModel, prior: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sample_sprites(prior, coder, dice(), count=5, labels=[["dragon"], ["orc"], []])
    monkeypatch.setattr("pixel_models.generate.drawing._AT_ONCE", 2)
    steps: list[tuple[int, int]] = []
    shown: list[CodeGrid] = []
    made = sample_sprites(
        prior,
        coder,
        dice(),
        count=5,
        labels=[["dragon"], ["orc"], []],
        callback=lambda step, total: steps.append((step, total)),
        preview=shown.append,
    )
    assert torch.equal(made.indices, whole.indices)
    assert steps == [(step, 108) for step in range(1, 109)]
    assert len(shown) == 3 * 6
    assert all(len(one) == 5 for one in shown)
    clear = table_of(coder).clear
    assert bool(clear[shown[0].indices[:, 1:]].all()), "what is not drawn yet shows nothing"
    assert torch.equal(shown[5].indices[:2], made.indices[:2])
    assert torch.equal(shown[-1].indices, made.indices)


def test_labels_and_the_choice_change_what_is_drawn(coder: LoadedModel, prior: LoadedModel) -> None:
    def drawn(labels: Sequence[Sequence[str]] = (), **choice: float) -> Tensor:
        return sample_sprites(prior, coder, dice(), labels=labels, count=3, choice=Choice(**choice)).indices  # pyright: ignore[reportArgumentType]

    plain = drawn()
    assert not torch.equal(drawn([["dragon"]]), plain)
    assert not torch.equal(drawn([["dragon"]], guidance=3.0), drawn([["dragon"]]))
    assert torch.equal(drawn(guidance=3.0), plain), "without labels there is nothing to guide to"
    likeliest = drawn(temperature=0.0)
    assert torch.equal(likeliest[0], likeliest[1])
    mixed = drawn([["dragon"], []])
    assert torch.equal(mixed[0], drawn([["dragon"]])[0])
    assert torch.equal(mixed[1], plain[1])


def test_a_callback_that_raises_ends_it(coder: LoadedModel, prior: LoadedModel) -> None:
    def stop(step: int, total: int) -> None:
        del total
        if step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample_sprites(prior, coder, dice(), callback=stop)


@pytest.mark.parametrize("values", [{"count": 0}, {"height": 1025}, {"width": -1}])
def test_sizes_and_counts_out_of_range_are_refused(
    values: dict[str, int], coder: LoadedModel, prior: LoadedModel
) -> None:
    with pytest.raises(ShapeError, match="expected 1 or more sprites of 1 to 1024 pixels"):
        sample_sprites(prior, coder, dice(), **values)  # pyright: ignore[reportArgumentType]


def test_an_unknown_label_is_refused_before_anything_is_drawn(coder: LoadedModel, prior: LoadedModel) -> None:
    with pytest.raises(LabelError, match="did you mean dragon"):
        sample_sprites(prior, coder, dice(), labels=[["dragn"]])


# Which model goes with which


def test_another_vqvae_than_the_priors_own_is_refused(coder: LoadedModel, prior: LoadedModel) -> None:
    with pytest.raises(CodesError, match=rf"the model {coder.fingerprint}.* is {7:016x}"):
        sample_sprites(prior, coder_of(seed=7), dice())
    with pytest.raises(ModelKindError, match="pixelcnn"):
        sample_sprites(prior, prior, dice())
    with pytest.raises(ModelKindError, match="vqvae"):
        sample_sprites(coder, coder, dice())
    given = dataclasses.replace(grid_of(coder), fingerprint="f" * 16)
    keep = torch.ones_like(given.indices, dtype=torch.bool)
    with pytest.raises(CodesError, match="encode the picture again"):
        complete_sprites(prior, coder, given, keep, dice())


def test_the_name_of_a_shipped_coder_is_known_and_told(coder: LoadedModel, prior: LoadedModel) -> None:
    entry = next(entry for entry in SHIPPED if entry.name.startswith("kiln-vq-hires"))
    of_hires = prior_for(coder, codes_of=entry.sha256[:16])
    assert coder_name(of_hires) == entry.name
    assert coder_name(prior) is None
    assert coder_name(paper_prior_for(coder)) is None
    with pytest.raises(CodesError, match=r"kiln-vq-hires\.safetensors"):
        prior_of(of_hires, coder)


@pytest.mark.parametrize("values", [{"translate": True, "labels": ()}, {"channels": 3}])
def test_priors_that_draw_no_codes_are_refused(values: dict[str, Any], coder: LoadedModel) -> None:
    other = prior_for(coder, embedding=0, context=0, **values)
    with pytest.raises(ModelKindError, match="of another kind"):
        prior_of(other, coder)


@pytest.mark.parametrize("layers", [0, 1])
def test_a_foreign_prior_goes_with_any_vqvae_of_as_many_codes(layers: int) -> None:
    model = coder_of(layers)
    own = paper_prior_for(model)
    made = sample_sprites(own, model, dice(), labels=[["dragon"]])
    assert (made.patch, made.height, made.fingerprint) == (2**layers, 16 * 2**layers, model.fingerprint)
    given = grid_of(model)
    keep = parts.keep_side(given, "top", 0.5)
    found = complete_sprites(own, model, given, keep, dice())
    assert torch.equal(found.indices[keep], given.indices[keep])
    few = prior_for(model, codes=CODES - 1, codes_of="")
    with pytest.raises(CodesError, match=rf"one of {CODES - 1} codes of the model \(unknown\).* has {CODES}"):
        prior_of(few, model)


# Sprites completed


@pytest.mark.parametrize("kind", ["context", "paper"])
@pytest.mark.parametrize("size", [(9, 14), (8, 12), (1, 1), (3, 2)])
def test_kept_codes_stay_and_their_pixels_look_as_before(kind: str, size: tuple[int, int], coder: LoadedModel) -> None:
    own = prior_for(coder) if kind == "context" else paper_prior_for(coder)
    given = grid_of(coder, 3, *size)
    keep = torch.rand(given.indices.shape, generator=dice()) < 0.5
    made = complete_sprites(own, coder, given, keep, dice(), labels=[["dragon"]])
    assert torch.equal(made.indices[keep], given.indices[keep])
    assert (made.height, made.width) == size
    if size[0] > 7:
        assert float((made.indices != given.indices)[~keep].float().mean()) > 0.5
    kept = keep.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, None, : size[0], : size[1]]
    for before, after in zip(decode(coder, given), decode(coder, made), strict=True):
        assert torch.equal(torch.where(kept, before, 0.0), torch.where(kept, after, 0.0))
    shown = table_of(coder).opaque[made.indices].permute(0, 1, 3, 2, 4).flatten(3).flatten(1, 2)
    shown = shown.view(3, -1, 2 * made.indices.shape[2])[:, None, : size[0], : size[1]].float()
    assert torch.equal(decode(coder, made)[1][~kept], shown[~kept]), "drawn codes say themselves what is transparent"


def test_an_opaque_picture_gets_no_holes_where_it_is_kept(coder: LoadedModel, prior: LoadedModel) -> None:
    table = table_of(coder)
    holed = int((table.opaque.flatten(1).any(1) & ~table.opaque.flatten(1).all(1)).to(torch.uint8).argmax())
    indices = torch.full((1, 3, 3), holed)
    opaque = CodeGrid(indices, CODES, coder.fingerprint, 2, 6, 6, torch.zeros(1, 6, 6, dtype=torch.bool))
    keep = parts.keep_side(opaque, "top", 0.7)
    made = complete_sprites(prior, coder, opaque, keep, dice())
    assert bool((decode(coder, made)[1][:, :, :4] == 1).all())


@pytest.mark.parametrize("layers", [0, 1, 2])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(9, 14), (8, 8)])
def test_a_silhouette_decides_what_is_transparent_exactly(layers: int, channels: int, size: tuple[int, int]) -> None:
    model = coder_of(layers, channels)
    own = prior_for(model)
    given = grid_of(model, 2, *size)
    opaque = torch.rand(2, *size, generator=dice(8)) < 0.4
    opaque[0, :4, :4] = False
    nothing = torch.zeros_like(given.indices, dtype=torch.bool)
    made = complete_sprites(own, model, given, nothing, dice(), opaque=opaque)
    assert torch.equal(decode(model, made)[1][:, 0] == 1, opaque)
    assert not torch.equal(made.indices, complete_sprites(own, model, given, nothing, dice(9), opaque=opaque).indices)
    if channels == 4:
        clear = table_of(model).clear[made.indices]
        assert bool(clear[0, 0, 0]), "a place that shows nothing gets a code that shows nothing"
        assert layers or torch.equal(clear, ~opaque)


def test_codes_that_are_given_are_hints_for_those_before_them(coder: LoadedModel, prior: LoadedModel) -> None:
    """With context the lower half has a say in the upper; in the paper's it has none."""
    one, two = grid_of(coder, 1, seed=3), grid_of(coder, 1, seed=4)
    keep = parts.keep_side(one, "bottom", 0.5)
    for own, differ in ((prior, True), (paper_prior_for(coder), False)):
        first, second = (complete_sprites(own, coder, given, keep, dice()).indices[~keep] for given in (one, two))
        assert torch.equal(first, second) != differ


def test_completing_tells_of_its_steps_and_shows_the_whole_sprite(coder: LoadedModel, prior: LoadedModel) -> None:
    given = grid_of(coder, 2, 8, 8)
    keep = parts.keep_side(given, "top", 0.5)
    steps: list[tuple[int, int]] = []
    shown: list[CodeGrid] = []
    made = complete_sprites(
        prior,
        coder,
        given,
        keep,
        dice(),
        callback=lambda step, total: steps.append((step, total)),
        preview=shown.append,
    )
    assert steps == [(step, 8) for step in range(1, 9)]
    assert len(shown) == 4
    assert all(torch.equal(one.indices[keep], given.indices[keep]) for one in shown)
    assert torch.equal(shown[-1].indices, made.indices)
    everything = torch.ones_like(keep)
    assert torch.equal(complete_sprites(prior, coder, given, everything, dice()).indices, given.indices)


@pytest.mark.parametrize(
    ("keep", "opaque", "told"),
    [
        (torch.zeros(2, 5, 7), None, r"keep is torch\.float32 \(2, 5, 7\), expected bool \(2, 5, 7\)"),
        (torch.zeros(1, 5, 7, dtype=torch.bool), None, r"keep is torch\.bool \(1, 5, 7\), expected bool \(2, 5, 7\)"),
        (None, torch.zeros(2, 5, 7, dtype=torch.bool), r"opaque is .*expected bool \(2, 9, 14\)"),
        (None, torch.zeros(2, 9, 14), r"opaque is torch\.float32 .*expected bool"),
    ],
)
def test_masks_of_another_shape_are_refused(
    keep: Tensor | None, opaque: Tensor | None, told: str, coder: LoadedModel, prior: LoadedModel
) -> None:
    given = grid_of(coder)
    keep = torch.zeros_like(given.indices, dtype=torch.bool) if keep is None else keep
    with pytest.raises(ShapeError, match=told):
        complete_sprites(prior, coder, given, keep, dice(), opaque=opaque)


# Parts


def test_a_mask_keeps_the_codes_of_which_it_touches_no_pixel(coder: LoadedModel) -> None:
    given = grid_of(coder, 2, 9, 14)
    fill = torch.zeros(1, 9, 14, dtype=torch.bool)
    fill[0, 3, 5] = fill[0, 8, 13] = True
    keep = parts.keep_outside(given, fill)
    wanted = torch.ones(2, 5, 7, dtype=torch.bool)
    wanted[:, 1, 2] = wanted[:, 4, 6] = False
    assert torch.equal(keep, wanted)
    own = torch.cat([fill, ~fill])
    assert parts.keep_outside(given, own).flatten(1).sum(1).tolist() == [33, 0]
    for bad in (fill.float(), fill[:, :8], fill.expand(3, -1, -1), fill[0]):
        with pytest.raises(ShapeError, match="fill is"):
            parts.keep_outside(given, bad)


@pytest.mark.parametrize(
    ("side", "share", "rows"),
    [
        ("top", 0.5, ["110", "110"]),
        ("bottom", 0.5, ["011", "011"]),
        ("left", 0.5, ["111", "000"]),
        ("right", 0.5, ["000", "111"]),
        ("right", 0.0, ["000", "000"]),
        ("bottom", 1.0, ["111", "111"]),
    ],
)
def test_a_side_is_kept(side: str, share: float, rows: list[str]) -> None:
    """Of three rows and two columns, told column by column; half of three is two."""
    grid = CodeGrid(torch.zeros(2, 3, 2, dtype=torch.int64), CODES, "f" * 16, 1, 3, 2)
    keep = parts.keep_side(grid, side, share)
    wanted = torch.tensor([[mark == "1" for mark in row] for row in rows]).T.expand(2, -1, -1)
    assert torch.equal(keep, wanted)


def test_a_random_share_is_kept_and_the_first_masks_are_the_same_of_more_sprites(coder: LoadedModel) -> None:
    given = grid_of(coder, 1, 60, 60)
    few, many = (parts.keep_some(parts.repeat(given, count), 0.3, own := dice()) for count in (2, 5))
    assert torch.equal(many[:2], few)
    assert not torch.equal(few[0], few[1])
    assert float(many.float().mean()) == pytest.approx(0.7, abs=0.03)
    assert bool(parts.keep_some(given, 0.0, dice()).all())
    assert not bool(parts.keep_some(given, 1.0, dice()).any())
    after = torch.rand(3, generator=own)
    parts.keep_some(given, 0.3, other := dice())
    assert torch.equal(torch.rand(3, generator=other), after), "the generator goes on alike, whatever the count"


def test_sprites_are_repeated_one_after_another_with_their_transparency(coder: LoadedModel) -> None:
    given = grid_of(coder, 2)
    twice = parts.repeat(given, 2)
    assert torch.equal(twice.indices, given.indices[[0, 0, 1, 1]])
    assert given.transparent is not None
    assert twice.transparent is not None
    assert torch.equal(twice.transparent, given.transparent[[0, 0, 1, 1]])
    assert parts.repeat(dataclasses.replace(given, transparent=None), 3).transparent is None


def test_between_two_sprites_the_ends_are_their_own_codes(coder: LoadedModel, prior: LoadedModel) -> None:
    a, b = grid_of(coder, 2, seed=3), grid_of(coder, 2, seed=4)
    for place, end in ((0.0, a), (1.0, b)):
        start, keep = parts.between(a, b, place, dice(), given=1.0)
        assert bool(keep.all())
        assert torch.equal(start.indices, end.indices)
        made = complete_sprites(prior, coder, start, keep, dice())
        assert torch.equal(made.indices, end.indices)
        start, keep = parts.between(a, b, place, dice(), given=0.4)
        assert torch.equal(start.indices[keep], end.indices[keep])
    half, keep = parts.between(a, b, 0.5, dice(), given=1.0)
    of_a, of_b = half.indices == a.indices, half.indices == b.indices
    assert bool((of_a | of_b).all())
    assert bool((~of_a).any())
    assert bool((~of_b).any())
    _, keep = parts.between(a, b, 0.5, dice(), given=0.0)
    assert torch.equal(keep, a.indices == b.indices)


def test_between_many_sprites_the_first_are_as_between_few(coder: LoadedModel) -> None:
    a, b = grid_of(coder, 1, seed=3), grid_of(coder, 1, seed=4)
    few, many = (parts.between(parts.repeat(a, n), parts.repeat(b, n), 0.5, dice()) for n in (2, 5))
    assert torch.equal(few[0].indices, many[0].indices[:2])
    assert torch.equal(few[1], many[1][:2])
    assert not torch.equal(few[1][0], few[1][1])


def test_parts_that_cannot_be_are_refused(coder: LoadedModel) -> None:
    given = grid_of(coder)
    with pytest.raises(PixelModelError, match=r"side is 'up'.*expected one of top, bottom, left, right"):
        parts.keep_side(given, "up", 0.5)
    with pytest.raises(PixelModelError, match=r"share 1\.5"):
        parts.keep_side(given, "top", 1.5)
    with pytest.raises(PixelModelError, match=r"change is -0\.1"):
        parts.keep_some(given, -0.1, dice())
    with pytest.raises(PixelModelError, match="place is 2"):
        parts.between(given, given, 2, dice())
    with pytest.raises(PixelModelError, match="given is nan"):
        parts.between(given, given, 0.5, dice(), given=float("nan"))
    with pytest.raises(ShapeError, match="2 sprites of 14x9 and 2 of 13x9 have nothing between them"):
        parts.between(given, grid_of(coder, 2, 9, 13), 0.5, dice())
    with pytest.raises(CodesError, match="encode the picture again"):
        parts.between(given, grid_of(coder_of(seed=7)), 0.5, dice())
