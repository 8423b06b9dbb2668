"""Codes drawn from caches are the plain way's, whatever the network, the batch and the choice."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from pixel_models.archs.pixelcnn import TO_FILL, Hints, PixelCNN, PixelCNNConfig
from pixel_models.errors import CodesError, ModelKindError, ShapeError
from pixel_models.generate import METHODS, Choice, Method, sample_codes, uniforms_of
from pixel_models.generate.choice import draw, draw_tensor
from pixel_models.generate.job import Job
from pixel_models.generate.steps import fill_on_device

LABELS = ("kind=ship", "kind=tree", "color=red")
SMALL = PixelCNNConfig(codes=6, width=8, dilations=(1, 2), labels=LABELS)
SEEING = PixelCNNConfig(codes=6, width=8, dilations=(1, 2), labels=LABELS, embedding=4, context=6)


def make(config: PixelCNNConfig, seed: int = 0) -> PixelCNN:
    """In float64, so that no tie decides; logits as spread as those of a trained network."""
    torch.manual_seed(seed)
    network = PixelCNN(config).double().eval()
    with torch.no_grad():
        network.conv_out.weight.mul_(6)
    return network


@dataclass
class Task:
    """A network and all that `sample_codes` takes."""

    network: PixelCNN
    start: Tensor
    uniforms: Tensor
    options: dict[str, Any] = field(default_factory=dict)

    def drawn(self, **options: Any) -> Tensor:  # noqa: ANN401  those of sample_codes
        return sample_codes(self.network, self.start, self.uniforms, **{**self.options, **options})

    def on_device(self) -> Tensor:
        """The step that a GPU replays, call by call."""
        names = ("labels", "hints", "choice", "allowed", "callback", "on_row")
        with torch.no_grad():
            values = {name: self.options.get(name) for name in names}
            job = Job(self.network, self.start, self.uniforms, **{**values, "choice": values["choice"] or Choice()})
            fill_on_device(job, graph=False)
            return job.result()

    def part(self, which: slice) -> Task:
        """The same for some of the pictures."""

        def cut(value: Any) -> Any:  # noqa: ANN401
            if isinstance(value, Hints):
                return value.each(lambda part: part[which])
            return value[which] if isinstance(value, Tensor) else value

        options = {name: cut(value) for name, value in self.options.items()}
        return Task(self.network, self.start[which], self.uniforms[which], options)


def empty(config: PixelCNNConfig, batch: int, height: int, width: int, seed: int = 0) -> Task:
    shape = (config.channels, height, width)
    uniforms = uniforms_of(torch.Generator().manual_seed(seed), batch, shape)
    return Task(make(config, seed), torch.full((batch, *shape), TO_FILL), uniforms)


def half_given(task: Task, seed: int = 0) -> Task:
    """Codes given at about half the places, others in each picture."""
    dice = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, task.network.config.codes, task.start.shape, generator=dice)
    given_here = torch.rand(task.start.shape, generator=dice) < 0.5
    return Task(task.network, torch.where(given_here, codes, TO_FILL), task.uniforms, dict(task.options))


@st.composite
def tasks(pick: st.DrawFn) -> Task:
    channels, embedding = pick(st.sampled_from([(1, 0), (3, 0), (1, 5), (3, 5)]))
    labels = pick(st.sampled_from([(), LABELS]))
    config = PixelCNNConfig(
        codes=pick(st.integers(2, 9)),
        channels=channels,
        width=pick(st.sampled_from([5, 40])),  # beyond and below what the first layer could skip
        kernel=pick(st.sampled_from([3, 5, 7])),
        dilations=tuple(pick(st.lists(st.integers(1, 4), min_size=1, max_size=3))),
        labels=labels,
        embedding=embedding,
        context=pick(st.sampled_from([0, 6])) if embedding and channels == 1 else 0,
    )
    sizes = pick(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 7)))
    task = empty(config, *sizes, seed=pick(st.integers(0, 99)))
    dice = torch.Generator().manual_seed(1)
    if pick(st.booleans()):
        task = half_given(task)
    if pick(st.booleans()):
        task.start[:, :, pick(st.integers(0, task.start.shape[2] - 1))] = 1  # a row in which nothing is drawn
    batch, _, height, width = task.start.shape
    if labels and pick(st.booleans()):
        task.options["labels"] = torch.randint(0, 2, (batch, len(labels)), generator=dice).float()
    if config.context and pick(st.booleans()):
        task.options["hints"] = Hints(task.start[:, 0], torch.rand(batch, height, width, generator=dice))
    if channels == 1 and pick(st.booleans()):
        task.options["allowed"] = torch.rand(batch, height, width, config.codes, generator=dice) < 0.5
        task.options["allowed"][..., 1] = True
    task.options["choice"] = Choice(
        temperature=pick(st.sampled_from([1.0, 0.6, 0])),
        top_k=pick(st.sampled_from([0, 2])),
        top_p=pick(st.sampled_from([1.0, 0.8])),
        guidance=pick(st.sampled_from([1.0, 2.5])),
    )
    return task


@settings(max_examples=60, deadline=None)
@given(tasks())
def test_all_ways_draw_the_same(task: Task) -> None:
    plain = task.drawn(method="plain")
    assert torch.equal(task.drawn(), plain)
    assert torch.equal(task.on_device(), plain)
    assert torch.equal(task.drawn()[task.start >= 0], task.start[task.start >= 0])


def test_float32_draws_what_float64_draws() -> None:
    task = empty(PixelCNNConfig(codes=32, width=32, labels=LABELS), 2, 12, 12)
    exact = task.drawn()
    task.network.float()
    for found in (task.drawn(), task.drawn(method="plain"), task.on_device()):
        assert torch.equal(found, exact)


@pytest.mark.parametrize("method", METHODS)
def test_temperature_0_takes_the_likeliest_whatever_the_numbers(method: Method) -> None:
    task = half_given(empty(SMALL, 2, 5, 6))
    codes = task.drawn(method=method, choice=Choice(temperature=0))
    for row in range(5):
        for column in range(6):
            logits = task.network(codes[:, :, : row + 1], None)[..., row, column]
            free = task.start[..., row, column] == TO_FILL
            assert torch.equal(codes[..., row, column][free], logits.argmax(1)[free])
    task.uniforms.fill_(0.999)
    assert torch.equal(task.drawn(method=method, choice=Choice(temperature=0)), codes)


def test_each_code_comes_as_often_as_the_network_says() -> None:
    task = empty(SMALL, 1, 1, 1)
    chance = task.network(torch.zeros(1, 1, 1, 1, dtype=torch.int64)).softmax(1).flatten()
    numbers = (torch.arange(4096).double() / 4096).view(-1, 1, 1, 1)
    many = Task(task.network, task.start.expand(4096, -1, -1, -1), numbers)
    share = many.drawn().flatten().bincount(minlength=6) / 4096
    assert (share - chance).abs().max() < 1 / 2048


@pytest.mark.parametrize("method", METHODS)
def test_only_allowed_codes_are_drawn(method: Method) -> None:
    task = half_given(empty(SMALL, 3, 5, 5))
    allowed = torch.rand(3, 5, 5, 6, generator=torch.Generator().manual_seed(2)) < 0.3
    allowed[..., 4] = True
    codes = task.drawn(method=method, allowed=allowed)
    free = task.start[:, 0] == TO_FILL
    assert allowed.gather(3, codes[:, 0, ..., None])[..., 0][free].all()
    assert torch.equal(codes[task.start >= 0], task.start[task.start >= 0])


def test_the_same_picture_whatever_the_batch() -> None:
    task = half_given(empty(SEEING, 5, 6, 6))
    task.options.update(labels=torch.eye(5, 3), hints=Hints(task.start[:, 0], torch.rand(5, 6, 6)))
    task.options["choice"] = Choice(guidance=2)
    whole = task.drawn()
    for i in range(5):
        assert torch.equal(task.part(slice(i, i + 1)).drawn(), whole[i : i + 1])


def test_guidance_moves_away_from_what_stands_without_labels() -> None:
    task = empty(SMALL, 1, 1, 1)
    asked, codes = torch.tensor([[1.0, 0, 1]]), torch.zeros(1, 1, 1, 1, dtype=torch.int64)
    network = task.network
    with_labels, without = network(codes, asked).flatten(), network(codes, torch.zeros(1, 3)).flatten()
    for guidance in (0.0, 1.0, 3.0):
        wanted = (without + guidance * (with_labels - without)).softmax(0)
        numbers = (torch.arange(2048).double() / 2048).view(-1, 1, 1, 1)
        many = Task(network, task.start.expand(2048, -1, -1, -1), numbers)
        drawn = many.drawn(labels=asked.expand(2048, -1), choice=Choice(guidance=guidance))
        assert (drawn.flatten().bincount(minlength=6) / 2048 - wanted).abs().max() < 1 / 1024


def test_labels_and_hints_have_a_say() -> None:
    task = empty(SEEING, 4, 8, 8)
    nothing = task.drawn()
    assert not torch.equal(task.drawn(labels=torch.ones(4, 3)), nothing)
    unknown, codes = torch.full((4, 8, 8), TO_FILL), torch.ones(4, 6)
    for hints in (Hints(unknown, torch.ones(4, 8, 8)), Hints(unknown, -torch.ones(4, 8, 8), codes)):
        assert not torch.equal(task.drawn(hints=hints), nothing)


@pytest.mark.parametrize("method", METHODS)
def test_steps_are_counted_over_the_places_that_are_drawn(method: Method) -> None:
    task = half_given(empty(SMALL, 2, 4, 5))
    task.start[:, :, 2] = 3
    steps: list[tuple[int, int]] = []
    rows: list[tuple[int, int]] = []

    def seen(codes: Tensor, done: int) -> None:
        rows.append((done, int((codes == TO_FILL).sum())))
        assert torch.equal(codes[task.start >= 0], task.start[task.start >= 0])

    codes = task.drawn(method=method, callback=lambda *step: steps.append(step), on_row=seen)
    total = int((task.start == TO_FILL).any(1).any(0).sum())
    assert steps == [(step + 1, total) for step in range(total)]
    assert rows == [(r + 1, int((task.start[:, :, r + 1 :] == TO_FILL).sum())) for r in range(4)]
    assert not (codes == TO_FILL).any()


class Enough(Exception):  # noqa: N818
    pass


@pytest.mark.parametrize("method", METHODS)
def test_cancelled_within_one_place(method: Method) -> None:
    steps: list[int] = []

    def stop(step: int, total: int) -> None:
        steps.append(step)
        if step == 7:
            raise Enough

    with pytest.raises(Enough):
        empty(SMALL, 2, 4, 5).drawn(method=method, callback=stop)
    assert steps == list(range(1, 8))


def test_what_is_given_stays_and_nothing_given_is_changed() -> None:
    task = half_given(empty(SMALL, 2, 4, 4))
    before = task.start.clone()
    task.drawn()
    assert torch.equal(task.start, before)
    full = Task(task.network, task.drawn(), task.uniforms)
    assert torch.equal(full.drawn(callback=lambda *_: pytest.fail("nothing was to be drawn")), full.start)
    none = task.part(slice(0, 0))
    assert none.drawn().shape == (0, 1, 4, 4)


def test_dropout_is_left_out_and_the_mode_kept() -> None:
    task = empty(PixelCNNConfig(codes=6, width=8, dilations=(1, 2), dropout=0.5), 1, 4, 4)
    still = task.drawn(method="plain")
    task.network.train()
    for method in METHODS:
        assert torch.equal(task.drawn(method=method), still)
        assert task.network.training


def test_numbers_of_a_picture_do_not_depend_on_how_many_there_are() -> None:
    def numbers(count: int) -> Tensor:
        return uniforms_of(torch.Generator().manual_seed(5), count, (1, 4, 4))

    ten = numbers(10)
    assert ten.dtype == torch.float64
    assert ten.shape == (10, 1, 4, 4)
    assert torch.equal(numbers(3), ten[:3])
    assert torch.equal(numbers(0), ten[:0])
    assert len(ten.unique()) == 160
    assert ten.min() >= 0
    assert ten.max() < 1
    generator = torch.Generator().manual_seed(5)
    assert torch.equal(torch.cat([uniforms_of(generator, 1, (1, 4, 4)) for _ in range(10)]), ten)


def by_hand(logits: list[float], u: float, choice: Choice, allowed: list[bool]) -> int:
    """What the docstring says, code by code."""
    able = [i for i in range(len(logits)) if allowed[i]]
    if choice.temperature == 0:
        return max(able, key=lambda i: (logits[i], -i))
    top = max(logits[i] for i in able)
    weight = {i: math.exp((logits[i] - top) / choice.temperature) for i in able}
    ranked = sorted(able, key=lambda i: (-weight[i], i))
    if choice.top_k:
        ranked = ranked[: choice.top_k]
    total, kept, reached = sum(weight[i] for i in ranked), [], 0.0
    for i in ranked:
        kept.append(i)
        reached += weight[i]
        if reached >= choice.top_p * total:
            break
    passed, total = 0.0, sum(weight[i] for i in kept)
    for i in sorted(kept):
        passed += weight[i]
        if passed > u * total:
            return i
    return max(kept)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(-300, 300), min_size=2, max_size=8),
    st.floats(0.001, 0.999),
    st.sampled_from([0, 0.3, 1.0, 2.0]),
    st.integers(0, 9),
    st.floats(0.05, 1.0),
    st.integers(0, 255),
)
def test_draws_are_those_made_by_hand(
    hundredths: list[int], u: float, temperature: float, top_k: int, top_p: float, bits: int
) -> None:
    logits = [value / 100 for value in hundredths]
    allowed = [bool(bits >> i & 1) for i in range(len(logits))]
    allowed[0] |= not any(allowed)
    choice = Choice(temperature=temperature, top_k=top_k, top_p=top_p)
    expected = by_hand(logits, u, choice, allowed)
    for near in (-1e-9, 1e-9):  # where rounding decides, nothing is to be said
        other = replace(choice, top_p=min(1.0, top_p + near))
        assume(by_hand(logits, u + near, choice, allowed) == by_hand(logits, u, other, allowed) == expected)
    rows = (np.array([logits]), np.array([u]), choice, np.array([allowed]))
    assert draw(rows[0].copy(), *rows[1:]) == [expected]
    tensors = draw_tensor(torch.tensor(rows[0]), torch.tensor(rows[1]), choice, torch.tensor(rows[3]))
    assert tensors.tolist() == [expected]


def test_the_ends_of_the_numbers_draw_codes_that_may_be_drawn() -> None:
    logits, last = np.array([[0.0, 0.1, 0.3, 0.2]] * 2), math.nextafter(1, 0)
    allowed = np.array([[False, True, True, False]] * 2)
    for choice in (Choice(), Choice(top_k=3), Choice(temperature=1e-300), Choice(top_p=1e-9)):
        drawn = draw(logits.copy(), np.array([0, last]), choice, allowed)
        sharp = choice.temperature < 1 or choice.top_p < 1
        assert drawn.tolist() == ([2, 2] if sharp else [1, 2])


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": -1}, {"temperature": math.nan}, {"top_k": -1}, {"top_k": 1.5}, {"top_p": 0}, {"top_p": 1.1},
     {"guidance": math.inf}, {"temperature": True}],
)  # fmt: skip
def test_a_choice_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} is"):
        Choice(**wrong)


def test_what_cannot_be_drawn_is_said() -> None:
    task = empty(SMALL, 2, 3, 4)
    network, start, uniforms = task.network, task.start, task.uniforms
    with pytest.raises(ModelKindError, match="translates"):
        sample_codes(make(PixelCNNConfig(codes=6, width=8, dilations=(1,), translate=True)), start, uniforms)
    for wrong in (start[0], start.float(), start.expand(2, 3, 3, 4), start[:, :, :0]):
        with pytest.raises(ShapeError, match="expected codes to start from"):
            sample_codes(network, wrong, uniforms)
    with pytest.raises(CodesError, match="6 to 6, expected 0 to 5"):
        sample_codes(network, torch.full_like(start, 6), uniforms)
    with pytest.raises(ShapeError, match="uniforms are"):
        sample_codes(network, start, uniforms[:1])
    for value in (1.0, -0.1, math.nan):
        with pytest.raises(CodesError, match="uniforms are not all"):
            sample_codes(network, start, torch.full_like(uniforms, value))
    with pytest.raises(ShapeError, match="labels are"):
        task.drawn(labels=torch.ones(2, 2))
    with pytest.raises(ShapeError, match="takes no hints"):
        task.drawn(hints=Hints(start[:, 0], torch.ones(2, 3, 4)))
    with pytest.raises(ShapeError, match="hints are"):
        task.drawn(hints=Hints(start[:, 0], torch.ones(2, 3, 5)))
    with pytest.raises(ShapeError, match="palette is"):
        task.drawn(hints=Hints(start[:, 0], torch.ones(2, 3, 4), torch.ones(2, 5)))
    with pytest.raises(ShapeError, match="allowed is"):
        task.drawn(allowed=torch.ones(2, 3, 4, 5, dtype=torch.bool))
    with pytest.raises(CodesError, match="none may be"):
        task.drawn(allowed=torch.zeros(2, 3, 4, 6, dtype=torch.bool))
    with pytest.raises(ValueError, match="expected one of cached, plain"):
        task.drawn(method="quick")
