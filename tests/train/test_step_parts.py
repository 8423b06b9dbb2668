"""What makes training steps faster changes nothing else: one pass for several batches, and loaded moments' layout."""

from __future__ import annotations

import torch
from torch import nn

from pixel_models.archs.patchgan import PatchDiscriminator, PatchDiscriminatorConfig
from train.classic_parts import adam, pictures_stay_alone, together
from train.loop import _lay_out, memory_format

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
