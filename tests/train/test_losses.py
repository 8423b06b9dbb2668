"""The loss terms prefer what they are there to prefer."""

from __future__ import annotations

import torch

from train.losses import cluster_loss, color_loss, leak, lone_loss, over_white, rgba_loss


def step_edge(middle: float, dark: float = 0.2, light: float = 0.8) -> torch.Tensor:
    """Dark on the left, light on the right, one column of `middle` between."""
    rgb = torch.full((1, 3, 16, 16), dark)
    rgb[..., 8:] = light
    rgb[..., 7] = middle
    return rgb


def test_a_crisp_edge_costs_less_than_a_soft_one() -> None:
    assert cluster_loss(step_edge(0.2)) < cluster_loss(step_edge(0.5))


def test_a_lone_cell_costs_and_a_pair_does_not() -> None:
    flat, alone, pair = (torch.full((1, 3, 8, 8), 0.3) for _ in range(3))
    alone[..., 4, 4] = 0.9
    pair[..., 4, 4:6] = 0.9
    assert lone_loss(flat) == lone_loss(pair) == 0
    assert lone_loss(alone) > 0.01


def test_deciding_an_edge_costs_no_colour_and_a_tint_does() -> None:
    assert color_loss(step_edge(0.4, 0.4, 0.6), step_edge(0.5, 0.4, 0.6)) == 0
    assert color_loss(step_edge(0.5) * torch.tensor([1.0, 0.8, 0.8])[:, None, None], step_edge(0.5)) > 0.01


def test_colour_under_transparency_costs_nothing() -> None:
    target = torch.zeros(1, 4, 8, 8)
    target[:, :, 2:6, 2:6] = 1
    other = target.clone()
    other[:, :3] = torch.where(target[:, 3:] > 0, target[:, :3], torch.ones(1))
    assert rgba_loss(other, target) == 0
    assert rgba_loss(1 - target, target) > 0


def test_a_leak_keeps_the_value_and_a_part_of_the_gradient() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    y = leak(x, 0.1)
    y.backward()
    assert y.item() == 2
    assert x.grad is not None
    torch.testing.assert_close(x.grad, torch.tensor([0.1]))


def test_nothing_is_white_over_white() -> None:
    assert over_white(torch.zeros(1, 4, 2, 2)).min() == 1
