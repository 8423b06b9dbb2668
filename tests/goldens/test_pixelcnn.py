"""The gated PixelCNN agrees with the reference's logits, losses, argmax samples, training and parameter counts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from golden import assert_close, cases, read_case
from torch import Tensor
from torch.nn import functional as F

from pixel_models.archs.pixelcnn import TO_FILL, PixelCNN, PixelCNNConfig, bits_per_dim


def build(options: dict[str, Any]) -> PixelCNN:
    """Our network for the reference's options."""
    names = tuple(f"label={index}" for index in range(options.get("conditioning_size", 0)))
    return PixelCNN(
        PixelCNNConfig(
            codes=options["num_classes"],
            channels=options["c_in"],
            width=options["c_hidden"],
            kernel=options["kernel_size"],
            dilations=(1, 2, 1, 4, 1, 2, 1) if options["use_dilation"] else (1,) * 7,
            labels=names,
            translate="conditioning_size" not in options and options.get("inpainting", False),
        )
    ).eval()


def load(name: str) -> PixelCNN:
    case = read_case("pixelcnn", name)
    module = build({**case.config, "inpainting": "inpainting" in name})
    case.load_weights(module)
    return module


MODELS = [n for n in cases("pixelcnn") if n.startswith(("full_", "tiny_")) and not n.endswith("_sampling")]
SAMPLINGS = [n for n in cases("pixelcnn") if n.endswith("_sampling")]


@pytest.mark.parametrize("name", MODELS)
def test_logits_and_parameters_are_the_references(name: str) -> None:
    case, module = read_case("pixelcnn", name), load(name)
    with torch.no_grad():
        logits = module(case.tensors["in/codes"], case.tensors.get("in/cond"))
    assert_close(logits, case.tensors["out/logits"], case.atol("out/logits"))
    assert sum(p.numel() for p in module.parameters()) == case.about["all_params"]
    assert len(module.state_dict()) == case.about["state_dict_entries"]


def test_the_papers_parameters_are_13_444_864() -> None:
    module = PixelCNN(PixelCNNConfig(labels=tuple(f"label={index}" for index in range(32))))
    assert sum(p.numel() for p in module.parameters()) == 13_444_864
    assert sum(p.numel() for p in PixelCNN(PixelCNNConfig()).parameters()) == 13_385_728


@pytest.mark.parametrize("name", SAMPLINGS)
def test_losses_are_the_references(name: str) -> None:
    case, module = read_case("pixelcnn", name), load(read_case("pixelcnn", name).about["weights_from"].split(".")[0])
    with torch.no_grad():
        logits = module(case.tensors["in/codes"], case.tensors["in/cond"])
    loss = F.cross_entropy(logits, case.tensors["in/codes"])
    assert loss.item() == pytest.approx(case.tensors["out/cross_entropy"].item(), rel=1e-4)
    assert bits_per_dim(loss).item() == pytest.approx(case.tensors["out/bits_per_dim"].item(), rel=1e-4)


@pytest.mark.parametrize("name", SAMPLINGS)
def test_a_place_depends_on_what_the_reference_says(name: str) -> None:
    case, module = read_case("pixelcnn", name), load(read_case("pixelcnn", name).about["weights_from"].split(".")[0])
    codes, condition, expected = (case.tensors[k] for k in ("in/codes", "in/cond", "out/dependency_map"))
    row, column = map(int, case.about["note"].split("logits at (")[1].split(")")[0].split(","))
    found = torch.zeros_like(expected)
    with torch.no_grad():
        before = module(codes, condition)[..., row, column]
        for a in range(expected.shape[0]):
            for b in range(expected.shape[1]):
                changed = codes.clone()
                changed[..., a, b] = (changed[..., a, b] + 1) % case_codes(case.config)
                found[a, b] = not torch.equal(module(changed, condition)[..., row, column], before)
    assert torch.equal(found, expected)


def case_codes(options: Any) -> int:  # noqa: ANN401  a golden's JSON
    return int(options.get("num_classes", 12))


def test_three_steps_of_training_agree() -> None:
    """In float64: a sum taken in another order must not decide."""
    case = read_case("pixelcnn", "train_cond")
    module = build(dict(case.config)).train()
    module.load_state_dict(case.group("sd/"))
    module.double()
    optimizer = torch.optim.Adam(module.parameters(), 1e-4)
    for step, expected in enumerate(case.about["log_ce"]):
        codes = case.tensors[f"in/codes{step}"]
        loss = F.cross_entropy(module(codes, case.tensors[f"in/cond{step}"]), codes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert loss.item() == pytest.approx(expected, rel=2e-3)
    state = module.state_dict()
    for key, expected in case.group("out/after_3_steps/").items():
        mask = state.get(key.replace("conv.weight", "mask"), torch.ones(())) if key.endswith("conv.weight") else 1
        assert_close(state[key] * mask, expected * mask, 5e-4, name=key)


def test_what_lies_behind_the_mask_has_no_say_and_gets_no_gradient() -> None:
    module = build({"num_classes": 7, "c_in": 1, "c_hidden": 4, "kernel_size": 3, "use_dilation": True})
    codes = torch.arange(24).view(1, 1, 4, 6) % 7
    before = module(codes)
    F.cross_entropy(before, codes).backward()
    for name, parameter in module.named_parameters():
        if name.endswith("conv.weight"):
            mask = module.get_buffer(name.replace("conv.weight", "mask"))
            assert parameter.grad is not None
            assert not (parameter.grad * (1 - mask)).any()
            assert (parameter.grad * mask).any()
            parameter.data += 100 * (1 - mask)
    assert torch.equal(module(codes), before)


def greedy(module: PixelCNN, start: Tensor, condition: Tensor) -> Tensor:
    """The plain way: the whole network for every place."""
    codes = start.clone()
    for row in range(start.shape[2]):
        for column in range(start.shape[3]):
            logits = module(codes[:, :, : row + 1].clamp_min(0), condition)[..., row, column]
            empty = start[..., row, column] == TO_FILL
            codes[..., row, column] = torch.where(empty, logits.argmax(1), codes[..., row, column])
    return codes


@pytest.mark.parametrize("name", SAMPLINGS)
@pytest.mark.parametrize("which", ["", "partial"])
def test_argmax_samples_are_the_references(name: str, which: str) -> None:
    case, module = read_case("pixelcnn", name), load(read_case("pixelcnn", name).about["weights_from"].split(".")[0])
    start = case.tensors["in/partial"] if which else torch.full_like(case.tensors["in/partial"], TO_FILL)
    with torch.no_grad():
        found = greedy(module, start, case.tensors["in/cond"])
    expected = case.tensors["out/greedy_from_partial" if which else "out/greedy"]
    margin = case.tensors["out/greedy_partial_margin" if which else "out/greedy_margin"]
    differ = (found != expected) & ~(margin <= 1e-4)  # where codes are given there is no margin, and they stay
    assert not differ.any()
