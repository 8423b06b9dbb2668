"""Foreign weight files of every layout become the network that wrote them, and come back bit for bit."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import pixel_models
from pixel_models.archs.pixelcnn import PixelCNN, PixelCNNConfig
from pixel_models.checkpoint import load_checkpoint, save_checkpoint
from pixel_models.errors import CheckpointError, ModelKindError
from pixel_models.legacy import convert_file, convert_state, is_foreign, load_foreign, read_foreign
from pixel_models.registry import REGISTRY
from pixel_models.spec import ModelSpec, Purpose

RESNET = REGISTRY["resnet_generator"]
LAYOUTS: list[tuple[str, dict[str, Any]]] = [
    ("resnet_generator", {"channels": 4, "blocks": 9}),
    ("resnet_generator", {"channels": 3, "blocks": 1, "norm": "batch"}),
    ("resnet_generator", {"channels": 3, "blocks": 2, "norm": "none"}),
    ("resnet_generator", {"channels": 3, "blocks": 2, "dropout": True}),
    ("resnet_generator", {"channels": 3, "blocks": 2, "padding": "zero"}),
    ("resnet_generator", {"channels": 3, "blocks": 2, "padding": "zero", "dropout": True, "norm": "batch"}),
    ("resnet_generator", {"channels": 3, "blocks": 2, "downsample": "antialias", "upsample": "antialias"}),
    ("resnet_generator", {"channels": 3, "blocks": 2, "downsample": "antialias"}),
    ("resnet_generator", {"channels": 3, "blocks": 2, "upsample": "antialias", "norm": "none"}),
    ("resnet_generator", {"channels": 3, "blocks": 2, "upsample": "resize"}),
    ("resnet_generator", {"channels": 3, "blocks": 2, "in_channels": 1, "out_channels": 4}),
    ("unet_generator", {"channels": 2, "downs": 5}),
    ("unet_generator", {"channels": 2, "downs": 7, "norm": "instance", "in_channels": 1, "out_channels": 2}),
    ("unet_generator", {"channels": 1, "downs": 6, "norm": "none"}),
    ("patch_discriminator", {"channels": 4, "layers": 3}),
    ("patch_discriminator", {"channels": 4, "layers": 1, "in_channels": 6}),
    ("patch_discriminator", {"channels": 2, "layers": 4, "norm": "batch"}),
    ("patch_discriminator", {"channels": 2, "layers": 2, "norm": "none"}),
    ("patch_discriminator", {"channels": 4, "layers": 3, "downsample": "antialias"}),
    ("pixel_discriminator", {"channels": 4}),
    ("pixel_discriminator", {"channels": 4, "norm": "batch"}),
    ("pixel_discriminator", {"channels": 4, "norm": "none", "in_channels": 1}),
    ("stylegan2_generator", {"channels": 1, "blocks": 2}),
    ("stylegan2_generator", {"channels": 3, "blocks": 0, "downsamplings": 2, "in_channels": 1}),
    ("stylegan2_generator", {"channels": 1, "blocks": 4, "downsamplings": 0, "out_channels": 4}),
    ("stylegan2_discriminator", {"channels": 1, "size": 16}),
    ("stylegan2_discriminator", {"channels": 3, "size": 8, "in_channels": 1}),
    ("dcgan", {"latent": 6, "filters": 3, "range": "clamp"}),
    ("dcgan", {"latent": 3, "filters": 2, "size": 16, "channels": 4, "range": "clamp"}),
    ("dcgan_discriminator", {"filters": 3}),
    ("dcgan_discriminator", {"filters": 2, "size": 16, "channels": 4, "norm": "none"}),
    ("vqvae", {"layers": 0, "codes": 5, "embedding": 3, "filters": 4}),
    ("vqvae", {"layers": 0, "codes": 5, "embedding": 3, "adapter": False, "channels": 4}),
    ("vqvae", {"layers": 1, "codes": 5, "embedding": 4, "filters": 8, "channels": 4}),
    ("vqvae", {"layers": 1, "codes": 5, "embedding": 4, "adapter": False, "pixelsight": False}),
    ("vqvae", {"layers": 2, "codes": 5, "embedding": 4, "adapter": False}),
    ("vqvae", {"layers": 2, "codes": 5, "embedding": 3, "filters": 8, "pixelsight": False}),
]
WAYS: dict[str, Callable[[dict[str, Tensor], Path], None]] = {
    "zip.pth": torch.save,
    "stream.pth": lambda state, path: torch.save(state, path, _use_new_zipfile_serialization=False),
    "x.safetensors": save_file,
}
"""How a state dict may have been written."""


def small(spec: ModelSpec = RESNET, **values: object) -> nn.Module:
    """A tiny network with random weights, batch statistics too."""
    torch.manual_seed(1)
    module = spec.build(spec.config(**{"channels": 3, "blocks": 1, **values} if spec is RESNET else values))
    for key, value in module.state_dict().items():
        if "running" in key:
            value.copy_(torch.rand_like(value) + 0.5)
    return module.eval()


@pytest.mark.parametrize(
    ("arch", "values"), LAYOUTS, ids=lambda v: v if isinstance(v, str) else "-".join(map(str, v.values()))
)
def test_every_layout_becomes_the_network_that_wrote_it(arch: str, values: dict[str, Any], tmp_path: Path) -> None:
    spec = REGISTRY[arch]
    config = spec.config(**values)
    torch.manual_seed(0)
    module = spec.build(config).eval()
    for name, write in WAYS.items():
        write(module.state_dict(), tmp_path / name)
        assert is_foreign(tmp_path / name)
        loaded = load_foreign(tmp_path / name)
        assert (loaded.spec, loaded.config) == (spec, config)
        assert not loaded.module.training
        side = 2**config.downs if arch == "unet_generator" else getattr(config, "size", 64)
        x = torch.rand(1, getattr(config, "in_channels", config.channels), side, side) * 2 - 1
        x = torch.randn(1, config.latent) if arch == "dcgan" else x
        with torch.no_grad():
            made, wanted = loaded.module(x), module(x)
        assert torch.equal(*(part[0] if arch == "vqvae" else part for part in (made, wanted)))


@pytest.mark.parametrize("way", WAYS)
def test_what_is_read_is_what_torch_reads(way: str, tmp_path: Path) -> None:
    base = torch.arange(600, dtype=torch.float64).reshape(10, 60)
    state = {
        "a": torch.rand(2, 3, 4, 5),
        "half": torch.rand(7).half(),
        "bfloat": torch.rand(3, 2).bfloat16(),
        "count": torch.tensor(5),
        "flags": torch.tensor([True, False]),
        "bytes": torch.arange(9, dtype=torch.uint8),
        "empty": torch.zeros(0, 4),
        "double": base.clone(),
    }
    if way != "x.safetensors":
        state |= {
            "view": base[2:5, 3:9],
            "turned": base.T,
            "last": torch.rand(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
            "complex": torch.rand(3, dtype=torch.complex64),
        }
    WAYS[way](state, tmp_path / way)
    found = read_foreign(tmp_path / way)
    assert list(found) == list(state) or way == "x.safetensors"
    assert found.keys() == state.keys()
    for key, value in state.items():
        assert found[key].dtype is value.dtype
        assert found[key].is_contiguous()
        assert torch.equal(found[key], value), key
        assert found[key].untyped_storage().nbytes() == value.numel() * value.element_size()


def test_old_statistics_are_left_out_and_batch_norms_own_are_kept(tmp_path: Path) -> None:
    module, batch = small(), small(norm="batch")
    state = module.state_dict()
    old = dict(state)
    for name, layer in module.named_modules():
        if isinstance(layer, nn.InstanceNorm2d):
            old[f"{name}.running_mean"] = torch.full((layer.num_features,), 9.0)
            old[f"{name}.running_var"] = torch.full((layer.num_features,), 9.0)
            old[f"{name}.num_batches_tracked"] = torch.tensor(3)
    torch.save({f"module.{key}": value for key, value in old.items()}, tmp_path / "old.pth")
    uncounted = {k: v for k, v in batch.state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save(uncounted, tmp_path / "batch.pth")  # PyTorch before 0.4.1 counted no batches
    loaded, loaded_batch = load_foreign(tmp_path / "old.pth"), load_foreign(tmp_path / "batch.pth")
    assert loaded.module.state_dict().keys() == state.keys()
    assert "DataParallel" in loaded.metadata["layout"]
    assert "statistics" in loaded.metadata["layout"]
    x = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        assert torch.equal(loaded.module(x), module(x))
        assert torch.equal(loaded_batch.module(x), batch(x))


def test_statistics_of_another_size_are_not_taken_for_old_ones(tmp_path: Path) -> None:
    torch.save({**small().state_dict(), "model.2.running_mean": torch.zeros(5)}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"model\.2\.running_mean is not expected"):
        load_foreign(tmp_path / "x.pth")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_widths_become_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    state = {key: value.to(dtype) for key, value in small().state_dict().items()}
    torch.save(state, tmp_path / "x.pth")
    loaded = load_foreign(tmp_path / "x.pth")
    for key, value in loaded.module.state_dict().items():
        assert value.dtype is torch.float32
        assert torch.equal(value, state[key].float())
    assert str(dtype).removeprefix("torch.") in loaded.metadata["layout"]


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "params_ema", "netG"])
def test_weights_among_training_facts_are_found(key: str, tmp_path: Path) -> None:
    import numpy as np

    module = small()
    facts = {"epoch": 7, "loss": np.float64(0.5), "optimizer": {"state": {0: {"step": torch.tensor(1)}}}}
    torch.save({**facts, key: module.state_dict()}, tmp_path / "x.pt")
    assert read_foreign(tmp_path / "x.pt").keys() == module.state_dict().keys()


def test_texts_of_python_2_are_read(tmp_path: Path) -> None:
    state = small().state_dict()
    torch.save(state, tmp_path / "new.pth")
    made = io.BytesIO()
    with zipfile.ZipFile(tmp_path / "new.pth") as new, zipfile.ZipFile(made, "w") as old:
        for name in new.namelist():
            content = new.read(name)
            if name.endswith("data.pkl"):
                for key in state:
                    text = key.encode()
                    content = content.replace(
                        b"X" + len(text).to_bytes(4, "little") + text, b"U" + bytes([len(text)]) + text
                    )
                assert b"Umodel" not in content
                assert b"X\x0e\0\0\0model.1.weight" not in content
            old.writestr(zipfile.ZipInfo(name), content)
    (tmp_path / "old.pth").write_bytes(made.getvalue())
    assert read_foreign(tmp_path / "old.pth").keys() == state.keys()


def test_a_shared_storage_is_read_once_for_each_of_its_tensors(tmp_path: Path) -> None:
    state = small().state_dict()
    state["model.4.bias"] = torch.arange(12.0)[3:9]
    state["model.5.running_mean"] = state["model.4.bias"]
    torch.save(state, tmp_path / "x.pth")
    found = read_foreign(tmp_path / "x.pth")
    assert found["model.4.bias"].tolist() == found["model.5.running_mean"].tolist() == [3, 4, 5, 6, 7, 8]


def test_another_blur_than_cuts_own_is_refused(tmp_path: Path) -> None:
    state = small(downsample="antialias").state_dict()
    state["model.7.filt"] = torch.full_like(state["model.7.filt"], 1 / 9)
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"model\.7\.filt is another blur"):
        load_foreign(tmp_path / "x.pth")


def test_a_changed_network_of_sincut_is_refused_with_its_reason(tmp_path: Path) -> None:
    spec, path = REGISTRY["stylegan2_generator"], tmp_path / "latest_net_G.pth"
    state = small(spec, channels=1, size=16, blocks=2).state_dict()
    torch.save(state, path)
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(load_foreign(path).module(x), small(spec, channels=1, size=16, blocks=2)(x))
    for key, value, told in (
        ("encoder.convs.2.skip.0.kernel", torch.full((4, 4), 1 / 16), "is another blur"),
        ("encoder.convs.1.0.weight", torch.zeros(31, 3, 1, 1), r"\[31, 64\] features"),
        ("decoder.convs.1.conv.weight", torch.zeros(32, 64, 3, 3), r"conv\.weight is \(32, 64, 3, 3\), expected"),
        ("decoder.convs.1.noise.weight", torch.full((1,), torch.nan), "NaN"),
    ):
        torch.save({**state, key: value}, path)
        with pytest.raises(CheckpointError, match=told):
            load_foreign(path)


def test_a_discriminator_is_refused_unless_it_is_asked_for(tmp_path: Path) -> None:
    spec = REGISTRY["patch_discriminator"]
    torch.save(spec.build(spec.tiny).state_dict(), tmp_path / "latest_net_D_A.pth")
    with pytest.raises(ModelKindError, match=r"latest_net_D_A\.pth.*discriminator"):
        pixel_models.load(tmp_path / "latest_net_D_A.pth")
    found = pixel_models.load(tmp_path / "latest_net_D_A.pth", purpose="discriminator")
    assert found.purpose is Purpose.DISCRIMINATOR
    save_checkpoint(tmp_path / "d.safetensors", found.module, found.spec, found.config, {})
    with pytest.raises(ModelKindError, match=r"d\.safetensors.*discriminator"):
        pixel_models.load(tmp_path / "d.safetensors")


def test_another_kind_of_network_is_refused_by_name(tmp_path: Path) -> None:
    torch.save({"0.weight": torch.zeros(2, 2), "0.bias": torch.zeros(2)}, tmp_path / "mlp.pth")
    with pytest.raises(ModelKindError, match=r"mlp\.pth.*does not know.*0\.weight"):
        pixel_models.load(tmp_path / "mlp.pth")


def test_a_vqvae_of_the_papers_repository_converts_and_encodes(tmp_path: Path) -> None:
    spec = REGISTRY["vqvae"]
    module: Any = spec.build(spec.tiny).eval()
    torch.save(module.state_dict(), tmp_path / "model.pt")
    convert_file(tmp_path / "model.pt", tmp_path / "x.safetensors")
    loaded: Any = pixel_models.load(tmp_path / "x.safetensors", purpose="encode").module
    x = torch.rand(2, 3, 8, 6)
    assert torch.equal(loaded.encode(x), module.encode(x))
    torch.save({**module.state_dict(), "vq_vae._embedding.weight": torch.zeros(7)}, tmp_path / "bad.pt")
    with pytest.raises(CheckpointError, match=r"bad\.pt.*expected 2 dimensions"):
        load_foreign(tmp_path / "bad.pt")
    torch.save({**module.state_dict(), "encoder.0.weight": torch.zeros(8, 9, 1, 1)}, tmp_path / "bad.pt")
    with pytest.raises(CheckpointError, match=r"bad\.pt.*channels"):
        load_foreign(tmp_path / "bad.pt")
    torch.save({"vq_vae._embedding.weight": torch.zeros(7, 3)}, tmp_path / "bad.pt")
    with pytest.raises(CheckpointError, match=r"encoder\.0\.weight is missing"):
        load_foreign(tmp_path / "bad.pt")


def test_converting_writes_ours_and_says_where_it_comes_from(tmp_path: Path) -> None:
    module = small()
    torch.save(module.state_dict(), tmp_path / "latest_net_G_A.pth")
    convert_file(tmp_path / "latest_net_G_A.pth", tmp_path / "x.safetensors")
    loaded = load_checkpoint(tmp_path / "x.safetensors")
    assert loaded.metadata["source"] == "latest_net_G_A.pth"
    assert loaded.metadata["purpose"] == "translate"
    assert all(torch.equal(v, loaded.module.state_dict()[k]) for k, v in module.state_dict().items())
    with pytest.raises(CheckpointError, match="already"):
        convert_file(tmp_path / "x.safetensors", tmp_path / "y.safetensors")
    with pytest.raises(CheckpointError, match=r"does not end in \.safetensors"):
        convert_file(tmp_path / "latest_net_G_A.pth", tmp_path / "y.pth")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest_net_G_A.pth", "x.safetensors"]


def test_a_state_dict_in_memory_is_converted_too() -> None:
    module = small(norm="batch")
    spec, config, state = convert_state(module.half().state_dict())
    assert (spec, config) == (RESNET, RESNET.config(channels=3, blocks=1, norm="batch"))
    assert all(value.dtype in (torch.float32, torch.int64) for value in state.values())
    spec.build(config).load_state_dict(state)


def paper_prior(**values: object) -> PixelCNN:
    """A small PixelCNN of the layout that the paper's repository writes."""
    torch.manual_seed(3)
    return PixelCNN(PixelCNNConfig(**{"codes": 12, "width": 4, **values})).eval()


NAMED = ("label=0", "label=1", "label=2")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "values",
    [{}, {"labels": NAMED}, {"translate": True}, {"channels": 3, "kernel": 5}],
    ids=lambda v: "-".join(v) or "plain",
)
def test_a_pixelcnn_of_the_papers_repository_becomes_ours(way: str, values: dict[str, Any], tmp_path: Path) -> None:
    module = paper_prior(**values)
    WAYS[way]({key: value.contiguous() for key, value in module.state_dict().items()}, tmp_path / way)
    loaded = load_foreign(tmp_path / way)
    assert (loaded.purpose, loaded.config) == (Purpose.SAMPLE, module.config)
    assert "1, 2, 1, 4, 1, 2, 1" in loaded.metadata["layout"]
    assert ("no names for its 3 labels" in loaded.metadata["layout"]) == bool(module.config.labels)
    codes = torch.arange(30 * module.config.channels).view(1, -1, 5, 6) % 12
    with torch.no_grad():
        assert torch.equal(loaded.module(codes), module(codes))


def test_the_names_in_a_pixelcnns_file_become_its_labels(tmp_path: Path) -> None:
    facts = {"epoch": 9, "encoding_dict": {"Fire": 2, "Water": 0, "bug-wings": 1}, "train_loss": [3.0]}
    state = paper_prior(labels=NAMED).state_dict()
    torch.save({**facts, "model_state_dict": state, "optimizer_state_dict": {"state": {}}}, tmp_path / "model.pt")
    loaded = load_foreign(tmp_path / "model.pt")
    assert isinstance(loaded.config, PixelCNNConfig)
    assert loaded.config.labels == ("kind=Water", "kind=bug-wings", "kind=Fire")
    assert "no names" not in loaded.metadata["layout"]
    convert_file(tmp_path / "model.pt", tmp_path / "ours.safetensors")
    assert load_checkpoint(tmp_path / "ours.safetensors").config == loaded.config


@pytest.mark.parametrize(
    "names",
    [
        "Fire",
        [],
        {},
        {"Fire": 0, "Water": 1},
        {"Fire": 0, "Water": 1, "Bug": 3},
        {"Fire": 0, "Water": 0, "Bug": 1},
        {"Fire": 0, "Water": 1, "Bug": -1},
        {"Fire": 0, "Water": 1, "Bug": 2, "Ice": 3},
        {"Fire": 0, "Water": True, "Bug": 2},
        {"Fire": 0.0, "Water": 1.0, "Bug": 2.0},
        {"Fire": 0, "Water": 1, "fire": 2},
        {"Fire": 0, "Water": 1, "": 2},
        {"Fire": 0, "Water": 1, "Bug, Ice": 2},
        {"Fire": 0, "Water": 1, "kind=Bug": 2},
        {"Fire": 0, "Water": 1, "Bug\n": 2},
        {"Fire": 0, "Water": 1, "B" * 65: 2},
        {0: 0, 1: 1, 2: 2},
        {"Fire": torch.tensor(0), "Water": 1, "Bug": 2},
        {f"kind {place}": place for place in range(5000)},
    ],
    ids=lambda names: repr(names)[:40],
)
def test_names_that_do_not_fit_are_left_out_and_that_is_said(names: object, tmp_path: Path) -> None:
    state = paper_prior(labels=NAMED).state_dict()
    torch.save({"model_state_dict": state, "encoding_dict": names}, tmp_path / "model.pt")
    loaded = load_foreign(tmp_path / "model.pt")
    assert isinstance(loaded.config, PixelCNNConfig)
    assert loaded.config.labels == NAMED
    assert "no names for its 3 labels, which are called label=0" in loaded.metadata["layout"]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("conv_vstack.mask", torch.ones(1, 1, 3, 3), r"conv_vstack\.mask is another mask"),
        ("conv_layers.3.conv_horiz.mask", torch.ones(1, 1, 1, 3), r"conv_layers\.3\.conv_horiz\.mask is another mask"),
        ("conv_layers.7.conv_vert.conv.weight", torch.zeros(8, 4, 3, 3), "8 gated layers, expected 7"),
        ("conv_layers.0.conditional_fc.weight", torch.zeros(0, 2**50), "at most 4096"),
        ("conv_layers.0.conditional_fc.weight", torch.zeros(4), "expected 2 dimensions"),
        ("conv_layers.2.conditional_fc.weight", torch.zeros(4, 9), r"conditional_fc\.weight is \(4, 9\), expected"),
        ("conv_out.weight", torch.zeros(2**15, 0, 1, 1), "codes is 32768"),
        ("conv_vstack.conv.weight", torch.zeros(4, 0, 3, 3), "channels is 0"),
        ("conv_vstack.conv.weight", torch.zeros(4, 3), "4 dimensions"),
        ("image_view.0.weight", torch.zeros(4, 1, 1, 1), "takes no labels"),
        ("conv_vstack.conv.bias", torch.zeros(4, dtype=torch.int64), "torch.int64"),
    ],
)
def test_a_changed_pixelcnn_is_refused_with_its_reason(key: str, value: Tensor, told: str, tmp_path: Path) -> None:
    torch.save({**paper_prior(labels=NAMED).state_dict(), key: value}, tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match=rf"model\.pt.*{told}"):
        load_foreign(tmp_path / "model.pt")
