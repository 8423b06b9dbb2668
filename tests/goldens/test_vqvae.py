"""VQ-VAE, its quantizer and the VAE agree with the reference's outputs, keys and parameter counts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from golden import GoldenCase, assert_close, cases, read_case
from torch import Tensor, nn
from torch.nn import functional as F

from pixel_models.archs.vae import VAE, VAEConfig
from pixel_models.archs.vqvae import VQVAE, VQVAEConfig
from pixel_models.ops.quantizer import VectorQuantizer, perplexity

NEAR_TIE = 1e-5
"""Relative margin of the two nearest codes below which rounding decides."""


def build(options: dict[str, Any]) -> VQVAE:
    """Our network for the reference's options."""
    return VQVAE(
        VQVAEConfig(
            layers=options["num_layers"],
            codes=options["num_embeddings"],
            embedding=options["embedding_dim"],
            filters=options["max_filters"],
            pixelsight=options["small_conv"],
            adapter=options["use_max_filters"],
        )
    )


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def same_indices(case: GoldenCase, found: Tensor) -> None:
    differ = found != case.tensors["out/indices"]
    assert float(case.tensors["out/relative_margin"][differ].max() if differ.any() else 0) < NEAR_TIE


@pytest.mark.parametrize(
    "name", [n for n in cases("vqvae") if n.startswith(("full_", "tiny_")) and not n.endswith("_decode_indices")]
)
def test_a_vqvae_gives_the_references_codes_and_picture(name: str) -> None:
    case = read_case("vqvae", name)
    module = build(dict(case.config))
    case.load_weights(module)
    module.eval()
    assert count(module) == case.about["all_params"]
    assert len(module.state_dict()) == case.about["state_dict_entries"]
    with torch.no_grad():
        z = module.encoder(case.tensors["in/x"])
        made = module(case.tensors["in/x"])
        assert_close(z[:1], case.tensors["out/z_sample0"], case.atol("out/z_sample0"))
    same_indices(case, made.indices)
    assert_close(made.picture, case.tensors["out/reconstruction"], case.atol("out/reconstruction"))
    assert_close(0.25 * made.commitment.reshape(1), case.tensors["out/vq_loss"].reshape(1), 1e-5)
    usage = torch.bincount(made.indices.flatten(), minlength=case.config["num_embeddings"])
    assert perplexity(usage).item() == pytest.approx(case.tensors["out/perplexity"].item(), rel=1e-4)


@pytest.mark.parametrize("name", [n for n in cases("vqvae") if n.endswith("decode_indices")])
def test_codes_decode_to_their_patches(name: str) -> None:
    case = read_case("vqvae", name)
    weights = read_case("vqvae", case.about["weights_from"].removesuffix(".safetensors"))
    module = build(dict(weights.config))
    weights.load_weights(module)
    module.eval()
    with torch.no_grad():
        assert_close(module.decode(case.tensors["in/indices"]), case.tensors["out/decoded"], 1e-5)
    assert_close(module.table(), case.tensors["out/lut"], 1e-5)


@pytest.mark.parametrize("name", [n for n in cases("vqvae") if n.startswith("vq_unit")])
def test_the_quantizer_quantizes_and_follows_as_the_reference(name: str) -> None:
    case = read_case("vqvae", name)
    options = case.config
    module = VectorQuantizer(options["num_embeddings"], options["embedding_dim"], options["decay"])
    module.load_state_dict(case.group("sd/"))
    z = case.tensors["in/z"].clone().requires_grad_()
    made = module(z)
    assert torch.equal(made.indices, case.tensors["out/indices"])
    assert_close(made.values, case.tensors["out/eval_quantized"], 1e-5)
    loss = options["commitment_cost"] * made.distance
    assert_close(loss.reshape(1), case.tensors["out/train_loss"].reshape(1), 1e-5)
    (loss + (made.values * case.tensors["in/grad_weight"]).sum()).backward()
    assert z.grad is not None
    assert_close(z.grad, case.tensors["out/grad_z_of_loss_plus_weighted_sum"], 1e-5)
    for turn, features in enumerate((z.detach(), 0.7 * z.detach().flip(0)), 1):
        rows = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
        module.update(rows, module.encode(features).flatten())
        after = f"out/after_{turn}_train_call{'s' if turn > 1 else ''}/"
        for key, expected in case.group(after).items():
            assert_close(module.state_dict()[key], expected, 1e-5, name=f"{after}{key}")


def test_codes_that_win_nothing_in_the_first_batch_fly_away_as_the_references_do() -> None:
    """The fault that `start_from` is there for."""
    case = read_case("vqvae", "vq_fresh_dead_codes")
    module = VectorQuantizer(8, 3)
    module.load_state_dict(case.group("sd/"))
    z = case.tensors["in/z"]
    module.update(z.permute(0, 2, 3, 1).reshape(-1, 3), module.encode(z).flatten())
    for key, expected in case.group("out/after_1_train_call/").items():
        assert_close(module.state_dict()[key], expected, 1e-3, rtol=1e-3, name=key)
    assert float(module.codebook.abs().max()) > 1e4


def test_steps_of_training_agree() -> None:
    case = read_case("vqvae", "train_pixel_medres")
    module = build({**case.config, "commitment_cost": 0.25})
    module.load_state_dict(case.group("sd/"))
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], 1e-4)
    for step, expected in enumerate(case.about["log"]):
        x = case.tensors[f"in/batch{step}"]
        z = module.encoder(x)
        made = module.vq_vae(z)
        mse, commitment = F.mse_loss(module.decoder(made.values), x), 0.25 * made.distance
        optimizer.zero_grad()
        (mse + commitment).backward()
        optimizer.step()
        module.vq_vae.update(z.permute(0, 2, 3, 1).reshape(-1, z.shape[1]), made.indices.flatten())
        assert torch.equal(made.indices, case.tensors[f"out/indices{step}"])
        logged = {"total": mse.item() + commitment.item(), "mse": mse.item(), "commitment": commitment.item()}
        assert logged == pytest.approx({key: expected[key] for key in logged}, rel=2e-3)
    for key, expected in case.group("out/after_3_steps/").items():
        assert_close(module.state_dict()[key], expected, 5e-4, rtol=2e-3, name=key)


@pytest.mark.parametrize("name", cases("vae"))
def test_a_vae_gives_the_references_mean_variance_and_picture(name: str) -> None:
    case = read_case("vae", name)
    options = case.config
    module = VAE(
        VAEConfig(
            layers=options["num_layers"],
            filters=options["max_filters"],
            latent=options["latent_dim"],
            size=options["input_image_dimensions"],
            pixelsight=options["small_conv"],
        )
    )
    case.load_weights(module)
    module.eval()
    assert count(module) == case.about["all_params"]
    with torch.no_grad():
        made = module(case.tensors["in/x"], case.tensors["in/eps"])
    assert_close(made.mean, case.tensors["out/mu"], case.atol("out/mu"))
    assert_close(made.log_variance, case.tensors["out/log_var"], case.atol("out/log_var"))
    assert_close(made.picture, case.tensors["out/reconstruction"], case.atol("out/reconstruction"))
