"""Codes are those that the network itself chooses; pictures come back from them by looking patches up."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from pixel_models.archs.vqvae import VQVAE, VQVAEConfig
from pixel_models.checkpoint import LoadedModel
from pixel_models.codes import CodeGrid, clear_codes, code_colors, code_map, code_sheet, decode, encode, nearest_codes
from pixel_models.codes import coder as coder_module
from pixel_models.codes import distinct as distinct_module
from pixel_models.codes.distinct import distinct_rows
from pixel_models.codes.table import table_of
from pixel_models.errors import CodesError, ImageError, ModelKindError, PixelModelError, ShapeError
from pixel_models.image import crop_to, from_uint8, pad_to_multiple
from pixel_models.palette import Palette
from pixel_models.registry import REGISTRY

KINDS = [(layers, channels) for layers in (0, 1, 2) for channels in (3, 4)]
NEAR_TIE = 1e-5


def make(layers: int = 1, channels: int = 3, seed: int = 0, **values: bool) -> LoadedModel:
    """A small model whose norms have the statistics of random pictures, and whose codes lie among their features."""
    torch.manual_seed(seed)
    module = VQVAE(VQVAEConfig(layers=layers, channels=channels, codes=24, embedding=8, filters=16, **values))
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        pictures = torch.rand(4, channels, 64, 64)
        module.encoder(pictures)
        module.encoder.eval()
        features = module.encoder(pictures).transpose(0, 1).flatten(1).T
        module.vq_vae.start_from(features[torch.randperm(len(features))[: module.config.codes]])
        module.decode(torch.randint(0, 24, (4, 16, 16)))
        next(module.decoder[-2].parameters()).mul_(2)  # the last norm's factor
    return LoadedModel(module.eval(), REGISTRY["vqvae"], module.config, f"{seed:016x}")


def network(model: LoadedModel) -> VQVAE:
    assert isinstance(model.module, VQVAE)
    return model.module


def art(*shape: int, colors: int = 12, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Pictures of few colours with holes: `b 3 h w` and `b 1 h w`."""
    dice = torch.Generator().manual_seed(seed)
    b, height, width = shape
    palette = from_uint8(torch.randint(0, 256, (colors, 3), generator=dice, dtype=torch.uint8))
    rgb = palette[torch.randint(0, colors, (b, height, width), generator=dice)].permute(0, 3, 1, 2)
    alpha = (torch.rand(b, 1, height, width, generator=dice) < 0.7).float()
    alpha[:, :, :4, :4] = 0
    return rgb.contiguous(), alpha


def plain(model: LoadedModel, x: Tensor, found: Tensor) -> None:
    """Compare codes with the network's own, except where the two nearest tie."""
    module = network(model)
    with torch.no_grad():
        z = module.encoder(x).permute(0, 2, 3, 1).double()
        away = torch.cdist(z.flatten(0, 2), module.vq_vae.codebook.double()).square()
        wanted = module.encode(x)
    near = away.topk(2, largest=False).values
    sure = ((near[:, 1] - near[:, 0]) / near[:, 1] > NEAR_TIE).view(wanted.shape)
    assert sure.float().mean() > 0.99
    assert torch.equal(found[sure], wanted[sure])
    assert len(wanted.unique()) > 2


@pytest.mark.parametrize(("layers", "channels"), KINDS)
@pytest.mark.parametrize("levels", [True, False], ids=["8-bit", "any"])
def test_codes_are_those_of_the_plain_network(layers: int, channels: int, levels: bool) -> None:
    model = make(layers, channels)
    rgb, _ = art(3, 24, 16) if levels else (torch.rand(2, 3, 24, 16), None)
    codes = encode(model, rgb)
    x = torch.cat([rgb, torch.ones_like(rgb[:, :1])], 1) if channels == 4 else rgb
    plain(model, x, codes.indices)
    assert (codes.codebook_size, codes.patch, codes.fingerprint) == (24, 2**layers, model.fingerprint)


@pytest.mark.parametrize("values", [{"adapter": False}, {"pixelsight": False}, {"adapter": False, "pixelsight": False}])
def test_every_ablation_of_the_network_gives_its_own_codes(values: dict[str, bool]) -> None:
    rgb, _ = art(2, 16, 24)
    model = make(1, **values) if values.get("pixelsight", True) else make(2, **values)
    plain(model, rgb, encode(model, rgb).indices)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_a_model_with_alpha_sees_colours_times_alpha_and_alpha(layers: int) -> None:
    model = make(layers, 4)
    rgb, alpha = art(3, 16, 24)
    alpha[1] *= 0.6  # soft
    codes = encode(model, rgb, alpha)
    plain(model, torch.cat([rgb * alpha, alpha], 1), codes.indices)
    hidden = torch.where(alpha > 0, rgb, torch.rand_like(rgb))
    assert torch.equal(encode(model, hidden, alpha).indices, codes.indices)
    assert codes.transparent is not None
    assert torch.equal(codes.transparent, alpha[:, 0] < 0.5)
    assert encode(model, rgb, alpha, keep_alpha=False).transparent is None


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_a_model_without_alpha_sees_the_mean_visible_colour_behind_a_figure(layers: int) -> None:
    model, patch = make(layers), 2**layers
    rgb, alpha = art(2, 16, 24)
    x = rgb.clone()
    for picture, top, left in torch.cartesian_prod(*map(torch.arange, (2, 16 // patch, 24 // patch))).tolist():
        rows, columns = slice(top * patch, (top + 1) * patch), slice(left * patch, (left + 1) * patch)
        seen = alpha[picture, 0, rows, columns] > 0
        part = x[picture, :, rows, columns]
        mean = part[:, seen].mean(1) if bool(seen.any()) else torch.ones(3)
        part[:, ~seen] = mean[:, None]
    codes = encode(model, rgb, alpha)
    plain(model, x, codes.indices)
    made, shown = decode(model, codes)
    assert torch.equal(shown, alpha)
    assert not bool(made[(alpha == 0).expand_as(made)].any())


@pytest.mark.parametrize(("layers", "channels"), KINDS)
def test_decoding_gives_what_the_plain_network_gives(layers: int, channels: int) -> None:
    model = make(layers, channels)
    dice = torch.Generator().manual_seed(3)
    indices = torch.randint(0, 24, (3, 5, 7), generator=dice)
    patch = 2**layers
    rgb, alpha = decode(model, CodeGrid(indices, 24, model.fingerprint, patch, 5 * patch, 7 * patch))
    with torch.no_grad():
        wanted = network(model).decode(indices)
    assert rgb.is_contiguous()
    if channels == 3:
        assert bool((alpha == 1).all())
        torch.testing.assert_close(rgb, wanted, atol=1e-6, rtol=1e-5)
        return
    assert torch.equal(alpha, (wanted[:, 3:] >= 0.5).float())
    assert 0.05 < alpha.mean() < 0.95
    torch.testing.assert_close(rgb, alpha * (wanted[:, :3] / wanted[:, 3:]).clamp(0, 1), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("with_alpha", [True, False])
def test_odd_sizes_are_continued_and_cropped_again(layers: int, with_alpha: bool) -> None:
    model = make(layers, 4)
    rgb, alpha = art(2, 13, 7)
    codes = encode(model, rgb, alpha if with_alpha else None)
    continued = pad_to_multiple(rgb, 2**layers)[0]
    shown = pad_to_multiple(alpha, 2**layers, "constant")[0] if with_alpha else torch.ones_like(continued[:, :1])
    plain(model, torch.cat([continued * shown, shown], 1), codes.indices)
    assert (codes.height, codes.width) == (13, 7)
    made, made_alpha = decode(model, codes)
    assert (made.shape, made_alpha.shape) == ((2, 3, 13, 7), (2, 1, 13, 7))
    whole = CodeGrid(codes.indices, 24, model.fingerprint, codes.patch, continued.shape[2], continued.shape[3])
    cropped = crop_to(decode(model, whole)[0], (13, 7))
    both = (made_alpha * crop_to(decode(model, whole)[1], (13, 7)) > 0).expand_as(made)
    assert torch.equal(made[both], cropped[both])


def test_the_mask_decides_and_fills_holes_with_the_patchs_own_colour() -> None:
    model = make(1, 4)
    table = table_of(model)
    mixed = int((table.opaque.flatten(1).any(1) & ~table.opaque.flatten(1).all(1)).nonzero()[0])
    grid = CodeGrid(torch.tensor([[[mixed]]]), 24, model.fingerprint, 2, 2, 2, torch.zeros(1, 2, 2, dtype=torch.bool))
    rgb, alpha = decode(model, grid)
    with torch.no_grad():
        patch = network(model).decode(grid.indices)[0]  # 4 2 2
    seen = patch[3] >= 0.5
    mean = (patch[:3] / patch[3:]).clamp(0, 1)[:, seen].mean(1)
    assert bool((alpha == 1).all())
    torch.testing.assert_close(rgb[0][:, ~seen], mean[:, None].expand(3, int((~seen).sum())), atol=1e-5, rtol=1e-5)
    cut = CodeGrid(grid.indices, 24, model.fingerprint, 2, 2, 2, torch.ones(1, 2, 2, dtype=torch.bool))
    assert not bool(decode(model, cut)[1].any())


def test_a_wholly_transparent_patch_stays_so_whatever_the_mask_says() -> None:
    model = make(1, 4)
    table = table_of(model)
    assert torch.equal(clear_codes(model), ~table.opaque.flatten(1).any(1))
    clear = int(clear_codes(model).nonzero()[0])
    shown = int((~clear_codes(model)).nonzero()[0])
    mask = torch.zeros(1, 2, 4, dtype=torch.bool)
    rgb, alpha = decode(model, CodeGrid(torch.tensor([[[clear, shown]]]), 24, model.fingerprint, 2, 2, 4, mask))
    assert alpha[0, 0].tolist() == [[0, 0, 1, 1]] * 2
    assert not bool(rgb[..., :2].any())


@pytest.mark.parametrize(("layers", "channels"), KINDS)
def test_the_code_nearest_in_the_picture_is_never_worse_and_sometimes_better(layers: int, channels: int) -> None:
    model = make(layers, channels)
    rgb, alpha = art(4, 22, 18, colors=40)
    errors = []
    for nearest in ("features", "picture"):
        made, shown = decode(model, encode(model, rgb, alpha, nearest=nearest))
        patch = 2**layers
        away = ((made - rgb).square() * alpha).sum(1, keepdim=True) + 3 * (shown != alpha)
        errors.append(torch.nn.functional.avg_pool2d(pad_to_multiple(away, patch, "constant")[0], patch))
    assert bool((errors[1] <= errors[0] + 1e-6).all())
    assert errors[1].sum() < errors[0].sum() * 0.999


def test_without_a_mask_the_nearest_picture_counts_alpha_too() -> None:
    model = make(1, 4)
    rgb, alpha = art(4, 22, 18, colors=40)
    wanted = torch.cat([rgb * alpha, alpha], 1)
    found = encode(model, rgb, alpha, nearest="picture", keep_alpha=False)
    table = table_of(model)
    faces = torch.cat([table.rgb * table.opaque[:, None], table.opaque[:, None].float()], 1)  # k 4 2 2
    padded, inside = (pad_to_multiple(x, 2, "constant")[0] for x in (wanted, torch.ones_like(alpha)))
    cut = torch.nn.functional.unfold(torch.cat([padded, inside], 1), 2, stride=2).view(4, 5, 4, -1)  # b 5 pp n
    away = (cut[:, None, :4] - faces.view(24, 4, 4, 1)).square() * cut[:, None, 4:]  # b k 4 pp n
    best = away.sum((2, 3)).min(1).values
    chosen = away.sum((2, 3)).gather(1, found.indices.view(4, 1, -1))[:, 0]
    torch.testing.assert_close(chosen, best)


def test_two_models_in_turn_do_not_mix_up_their_tables_and_refuse_each_others_codes() -> None:
    first, second = make(0, seed=0), make(0, seed=1)
    rgb, _ = art(1, 16, 16)
    for _ in range(2):
        for model in (first, second):
            codes = encode(model, rgb)
            plain(model, rgb, codes.indices)
            with torch.no_grad():
                torch.testing.assert_close(decode(model, codes)[0], network(model).decode(codes.indices))
    with pytest.raises(CodesError, match=r"0000000000000000.*0000000000000001"):
        decode(second, encode(first, rgb))
    codes = encode(first, rgb)
    damaged = CodeGrid(codes.indices, 25, codes.fingerprint, 1, 16, 16)
    with pytest.raises(CodesError, match="codes of 25"):
        decode(first, damaged)


def test_rows_whose_keys_collide_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randint(0, 3, (4, 50)).float()
    monkeypatch.setattr(distinct_module, "_keys", lambda words: words[0].astype("u8"))
    found = distinct_rows(rows)
    assert len(found.first) == len(rows.unique(dim=1).T)
    assert torch.equal(rows[:, found.first][:, found.inverse], rows)


def test_large_pictures_are_encoded_in_parts_that_can_be_cancelled() -> None:
    model = make(1)
    rgb, _ = art(17, 128, 128)
    seen: list[tuple[int, int]] = []
    whole = encode(model, rgb, callback=lambda step, total: seen.append((step, total)))
    assert seen == [(1, 2), (2, 2)]
    assert torch.equal(whole.indices[16], encode(model, rgb[16:]).indices[0])

    def stop(step: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode(model, rgb, nearest="picture", callback=stop)


def test_pictures_of_many_colours_go_through_in_parts_of_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    model, rgb = make(1), torch.rand(2, 3, 32, 32)
    monkeypatch.setattr(coder_module, "_DISTINCT_AT_ONCE", 256)
    monkeypatch.setattr(distinct_module, "_MOST_SUMMANDS", 256)
    monkeypatch.setattr(distinct_module, "_ROWS_AT_ONCE", 7)
    plain(model, rgb, encode(model, rgb).indices)
    plain(model, rgb.round(), encode(model, rgb.round()).indices)


def test_what_is_no_picture_and_no_model_of_codes_is_refused() -> None:
    model, rgb = make(), torch.rand(1, 3, 8, 8)
    with pytest.raises(ShapeError, match="alpha is"):
        encode(model, rgb, torch.ones(1, 1, 8, 9))
    with pytest.raises(ImageError, match="NaN"):
        encode(model, rgb * float("nan"))
    with pytest.raises(PixelModelError, match="'far'"):
        encode(model, rgb, nearest="far")  # pyright: ignore[reportArgumentType]
    spec = REGISTRY["unet_generator"]
    other = LoadedModel(spec.build(spec.tiny), spec, spec.tiny, "x")
    with pytest.raises(ModelKindError, match="to encode"):
        encode(other, rgb)


GOOD: dict[str, Any] = {
    "indices": torch.zeros(1, 2, 3, dtype=torch.int64),
    "codebook_size": 5,
    "fingerprint": "f",
    "patch": 4,
    "height": 7,
    "width": 12,
}


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"indices": torch.zeros(1, 2, 3)}, ShapeError),
        ({"indices": torch.zeros(2, 3, dtype=torch.int64)}, ShapeError),
        ({"indices": torch.full((1, 2, 3), 5)}, CodesError),
        ({"indices": torch.full((1, 2, 3), -1)}, CodesError),
        ({"height": 4}, ShapeError),
        ({"height": 9}, ShapeError),
        ({"width": 12.0}, ShapeError),
        ({"patch": 0}, ShapeError),
        ({"codebook_size": 2**17}, ShapeError),
        ({"fingerprint": ""}, CodesError),
        ({"transparent": torch.zeros(1, 2, 3, dtype=torch.bool)}, ShapeError),
        ({"transparent": torch.zeros(1, 7, 12)}, ShapeError),
    ],
)
def test_a_grid_checks_itself(values: dict[str, Any], error: type[Exception]) -> None:
    CodeGrid(**GOOD)
    with pytest.raises(error):
        CodeGrid(**(GOOD | values))


def test_frames_and_hidden_places_of_a_grid() -> None:
    mask = torch.zeros(2, 7, 12, dtype=torch.bool)
    mask[1, 4:, :8] = True
    mask[1, 4, 4] = False
    indices = torch.arange(12).view(2, 2, 3) % 5
    grid = CodeGrid(indices, 5, "f", 4, 7, 12, mask)
    assert len(grid) == 2
    last = grid.frame(-1)
    assert torch.equal(last.indices, indices[1:])
    assert last.hidden().int().tolist() == [[[0, 0, 0], [1, 0, 0]]]
    assert not bool(grid.frame(0).hidden().any())
    with pytest.raises(ShapeError, match="no frame 2"):
        grid.frame(2)
    with pytest.raises(ShapeError, match="as before"):
        grid.replace(indices[:1])


def test_every_code_has_a_colour_of_its_own_everywhere() -> None:
    for count in (1, 2, 256, 16384):
        assert len(set(code_colors(count).to_hex())) == count
    model = make(1, 4)
    rgb, alpha = art(2, 12, 12)
    codes = encode(model, rgb, alpha)
    shown = code_map(model, codes)
    assert shown.shape == (2, 3, 6, 6)
    colors = {}
    for code, color in zip(codes.indices.flatten().tolist(), shown.permute(0, 2, 3, 1).reshape(-1, 3), strict=True):
        assert torch.equal(colors.setdefault(code, color), color)
    assert len({tuple(color.tolist()) for color in colors.values()}) == len(colors)
    single = code_map(model, CodeGrid(codes.indices[:1, :1, :1], 24, model.fingerprint, 2, 2, 2))
    assert torch.equal(single[0, :, 0, 0], shown[0, :, 0, 0])


def test_the_contact_sheet_holds_every_patch_enlarged() -> None:
    model = make(1, 4)
    rgb, alpha = code_sheet(model, 3, 5)
    table = table_of(model)
    assert rgb.shape == (1, 3, 5 * 8 - 2, 5 * 8 - 2)
    part = rgb[0, :, 8:14, 16:22]  # the second row's third: code 7
    assert torch.equal(part[:, 1::3, 1::3], table.rgb[7] * table.opaque[7])
    assert torch.equal(alpha[0, 0, 8:14, 16:22][::3, ::3], table.opaque[7].float())
    assert not bool(alpha[0, 0, :, 6:8].any())
    with pytest.raises(ShapeError, match="scale is 0"):
        code_sheet(model, 0)


def test_the_nearest_codes_to_flat_colours_are_wholly_opaque() -> None:
    model = make(0)
    table = table_of(model)
    wanted = Palette((table.rgb[[3, 17, 9], :, 0, 0] * 255).round().to(torch.uint8))
    assert nearest_codes(model, wanted) == [3, 17, 9]
    mixed = make(1, 4)
    whole = table_of(mixed).opaque.flatten(1).all(1)
    assert not bool(whole.all())
    found = nearest_codes(mixed, Palette.from_hex("#000 #fff #f00 #0f0 #00f"))
    assert bool((whole if bool(whole.any()) else ~clear_codes(mixed))[found].all())
