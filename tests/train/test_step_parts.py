"""What makes training steps faster changes nothing else: one pass for several batches, and loaded moments' layout."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pixel_models.archs.patchgan import PatchDiscriminator, PatchDiscriminatorConfig
from pixel_models.ops.tracked import TrackedInstanceNorm
from train.classic_parts import adam, pictures_stay_alone, together
from train.loop import Batch, StepContext, _lay_out, add_arguments, memory_format, run

CPU = torch.device("cpu")


def judge(norm: str) -> PatchDiscriminator:
    torch.manual_seed(0)
    return PatchDiscriminator(PatchDiscriminatorConfig(channels=4, layers=2, norm=norm)).double()  # pyright: ignore[reportArgumentType]


def test_one_pass_over_two_batches_gives_what_two_passes_give() -> None:
    net = judge("instance")
    one, two = torch.randn(1, 3, 32, 32).double(), torch.randn(3, 3, 32, 32).double()
    assert pictures_stay_alone(net, one, two)
    first, second = together(net, one, two)
    torch.testing.assert_close(first, net(one), rtol=0, atol=1e-12)
    torch.testing.assert_close(second, net(two), rtol=0, atol=1e-12)


def test_batches_stay_apart_where_a_layer_or_their_sizes_would_mix_them_up() -> None:
    small, large = torch.randn(1, 3, 32, 32), torch.randn(1, 3, 40, 32)
    assert not pictures_stay_alone(judge("batch"), small, small)
    assert not pictures_stay_alone(nn.InstanceNorm2d(3, track_running_stats=True), small, small)
    assert not pictures_stay_alone(judge("instance"), small, large)


def test_on_a_processor_channels_come_last_unless_an_instance_norm_would_copy_them() -> None:
    assert memory_format(judge("instance"), CPU) == torch.contiguous_format
    assert memory_format(judge("batch"), CPU) == torch.channels_last
    assert memory_format(judge("instance"), torch.device("cuda")) == torch.channels_last


def test_loaded_moments_lie_as_their_weights_do_so_that_a_fused_step_pairs_them_rightly() -> None:
    torch.manual_seed(0)
    values = {slot: torch.rand(4, 3, 3, 3) for slot in ("exp_avg", "exp_avg_sq")}
    gradient, after = torch.randn(4, 3, 3, 3), []
    for layout in (torch.contiguous_format, torch.channels_last):
        torch.manual_seed(1)
        net = nn.Conv2d(3, 4, 3, bias=False).to(memory_format=layout)  # pyright: ignore[reportCallIssue]
        optimizer = adam(net.parameters(), 0.1)
        slots = {**{slot: value.clone() for slot, value in values.items()}, "step": torch.tensor(3.0)}
        optimizer.load_state_dict({"state": {0: slots}, "param_groups": optimizer.state_dict()["param_groups"]})
        _lay_out(optimizer)
        net.weight.grad = gradient.clone(memory_format=torch.preserve_format).to(memory_format=layout)
        optimizer.step()
        after.append(net.weight.detach().contiguous())
    torch.testing.assert_close(after[0], after[1], rtol=0, atol=1e-7)


class OneLayer:
    """The least recipe whose weights lie with channels last: a convolution that learns to give nothing."""

    def __init__(self) -> None:
        """Always with the same weights."""
        torch.manual_seed(0)
        self.net = nn.Conv2d(3, 4, 3)
        self.nets: Mapping[str, nn.Module] = {"net": self.net}
        self.averaged: Mapping[str, nn.Module] = {}
        self.optimizers = {"net": adam(self.net.parameters(), 0.1)}

    def make_batch(self, generator: torch.Generator) -> Batch:
        """Noise."""
        return {"x": torch.randn(2, 3, 8, 8, generator=generator)}

    def rate_factor(self, step: int, steps: int) -> float:
        """Always the same."""
        del step, steps
        return 1.0

    def train_step(self, batch: Batch, step: int, context: StepContext) -> dict[str, Tensor]:
        """One step."""
        del step
        loss = self.net(batch["x"]).square().mean()
        context.apply(loss, self.optimizers["net"])
        return {"loss": loss}

    def sample_sheet(self, nets: Mapping[str, nn.Module]) -> Image.Image:
        """Nothing to see."""
        del nets
        return Image.new("RGB", (4, 4))

    def export(self, nets: Mapping[str, nn.Module], folder: Path, facts: Mapping[str, Any]) -> list[Path]:
        """Nothing to keep."""
        del nets, folder, facts
        return []


def test_a_resumed_run_with_channels_last_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    command = argparse.ArgumentParser()
    add_arguments(command)
    weights = []
    for name, stops in (("whole", ["6"]), ("stopped", ["3", "6"])):
        for steps in stops:
            recipe = OneLayer()
            assert memory_format(recipe.net, CPU) == torch.channels_last
            given = ["--out", str(tmp_path / name), "--steps", steps, "--workers", "0", "--precision", "no"]
            run(recipe, command.parse_args(given), {})
        weights.append(recipe.net.weight.detach())  # pyright: ignore[reportPossiblyUnboundVariable]
    assert torch.equal(*weights)


@pytest.mark.parametrize("training", [True, False])
def test_the_cascades_norm_is_pytorchs_with_its_statistics(training: bool) -> None:
    torch.manual_seed(0)
    ours, plain = TrackedInstanceNorm(5, "picture"), nn.InstanceNorm2d(5, track_running_stats=True)
    ours.train(training)
    for _ in range(3):
        x = torch.randn(3, 5, 7, 9) * 2 + 1
        found = []
        for norm in (ours, plain):
            given = x.clone().requires_grad_()
            made = norm(given)
            made.pow(3).sum().backward()
            found.append([made, given.grad])
        torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)
    for name, value in plain.state_dict().items():
        expected = value if training else nn.InstanceNorm2d(5, track_running_stats=True).state_dict()[name]
        torch.testing.assert_close(ours.state_dict()[name], expected, rtol=1e-5, atol=1e-5)
