"""The main call: exact grids, strict palettes, hard alpha, no seams, progress and cancel, clear refusals."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import pixel_models
from pixel_models.checkpoint import LoadedModel
from pixel_models.depixelate import depixelate
from pixel_models.dither import Dither
from pixel_models.errors import ImageError, ModelKindError, ShapeError
from pixel_models.palette import Palette
from pixel_models.pixelate import native_size, pixelate
from pixel_models.registry import REGISTRY


def model(spec_id: str = "native_pixelate") -> LoadedModel:
    """A small random network: what is tested here holds whatever the weights."""
    spec = REGISTRY[spec_id]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = spec.build(spec.tiny).eval().requires_grad_(False)
        for parameter in module.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return LoadedModel(module, spec, spec.tiny, "test")


def picture(height: int, width: int, batch: int = 1) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(1))


def distinct(rgb: torch.Tensor) -> set[tuple[int, ...]]:
    """The 8-bit colours of `b 3 h w`."""
    return {tuple(c) for c in (rgb * 255).round().int().permute(0, 2, 3, 1).reshape(-1, 3).tolist()}


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(2, 32), st.integers(2, 40), st.sampled_from(["image", "batch"])
)
def test_any_size_gives_an_exact_grid_and_few_colours(
    height: int, width: int, cell: int, colors: int, palette_per: str
) -> None:
    image = picture(height, width, batch=2)
    made = pixelate(model(), image, cell=cell, colors=colors, palette_per=palette_per)  # pyright: ignore[reportArgumentType]
    assert made.size == native_size((height, width), cell)
    rgb, alpha = made.at_input_size()
    assert rgb.shape == image.shape
    assert alpha.min() == 1
    native = made.rgb().repeat_interleave(cell, 2).repeat_interleave(cell, 3)[:, :, :height, :width]
    assert torch.equal(rgb, native)
    groups = [rgb[:1], rgb[1:]] if palette_per == "image" else [rgb]
    assert all(len(distinct(group)) <= colors for group in groups)


def test_a_given_palette_is_never_left() -> None:
    palette = Palette(torch.tensor([[15, 56, 15], [48, 98, 48], [139, 172, 15], [155, 188, 15]], dtype=torch.uint8))
    made = pixelate(model(), picture(50, 40, 3), cell=4, palette=palette)
    assert distinct(made.rgb()) <= {tuple(c) for c in palette.colors.tolist()}
    assert all(frame.palette is palette for frame in made.frames)


@pytest.mark.parametrize("dither", ["bayer4", "floyd_steinberg"])
def test_a_dither_mixes_within_the_palette_and_differs_from_none(dither: Dither) -> None:
    palette = Palette.from_hex("000 555 aaa fff")
    plain = pixelate(model(), picture(48, 64), cell=4, palette=palette)
    mixed = pixelate(model(), picture(48, 64), cell=4, palette=palette, dither=dither)
    weak = pixelate(model(), picture(48, 64), cell=4, palette=palette, dither=dither, strength=0.0, clean=False)
    flat = pixelate(model(), picture(48, 64), cell=4, palette=palette, clean=False)
    assert mixed.frames[0].palette is palette
    assert not torch.equal(mixed.frames[0].indices, plain.frames[0].indices)
    assert torch.equal(weak.frames[0].indices, flat.frames[0].indices)


@pytest.mark.parametrize("size", [(64, 64), (1, 1), (7, 31)])
def test_a_target_size_is_met_exactly(size: tuple[int, int]) -> None:
    made = pixelate(model(), picture(45, 77), size=size)
    assert made.size == (size[1], size[0])
    assert made.at_input_size()[0].shape == (1, 3, 45, 77)


def test_alpha_is_hard_and_kept() -> None:
    alpha = torch.zeros(1, 1, 64, 64)
    alpha[:, :, 16:48, 16:48] = 1
    soft = torch.nn.functional.avg_pool2d(alpha, 5, 1, 2)
    trained = pixel_models.load("kiln-pixelate.safetensors")
    made = pixelate(trained, picture(64, 64), alpha=soft, cell=4)
    assert set(made.alpha().unique().tolist()) == {0.0, 1.0}
    assert made.alpha()[0, 0, 5:11, 5:11].min() == 1
    assert made.alpha()[0, 0, :3].max() == 0
    assert made.rgb()[:, :, :3].max() == 0


def test_the_colour_under_transparency_does_not_matter() -> None:
    alpha = torch.zeros(1, 1, 40, 40)
    alpha[:, :, 8:32, 8:32] = 1
    image = picture(40, 40)
    other = torch.where(alpha > 0, image, torch.ones_like(image))
    one, two = (pixelate(model(), x, alpha=alpha, cell=4).rgb() for x in (image, other))
    assert torch.equal(one[:, :, 3:7, 3:7], two[:, :, 3:7, 3:7])


@pytest.mark.parametrize("spec_id", ["native_pixelate", "native_depixelate"])
@pytest.mark.parametrize("tile", [8, 13, 22])
def test_tiles_leave_no_seam(spec_id: str, tile: int) -> None:
    palette = Palette.from_hex([f"{v:02x}{255 - v:02x}{v // 2:02x}" for v in range(0, 256, 5)])
    if spec_id == "native_pixelate":
        image = picture(4 * 61, 4 * 45)
        whole, tiled = (pixelate(model(), image, cell=4, palette=palette, tile=t).rgb() for t in (None, tile))
        assert (whole != tiled).any(dim=1).float().mean() < 1e-3  # only where two colours are equally near
    else:
        image = picture(61, 45)
        whole, tiled = (depixelate(model(spec_id), image, tile=t)[0] for t in (None, tile))
        torch.testing.assert_close(whole, tiled, atol=1e-4, rtol=0)


def test_progress_ends_at_its_total_and_a_callback_can_cancel() -> None:
    seen: list[tuple[int, int]] = []
    pixelate(model(), picture(80, 80, 2), cell=4, tile=10, callback=lambda *step: seen.append(step))
    assert seen == [(i + 1, 9) for i in range(9)]  # four tiles of two pictures, one palette

    def stop(step: int, total: int) -> None:
        if step == 2:
            raise KeyboardInterrupt
        assert step < 2

    with pytest.raises(KeyboardInterrupt):
        pixelate(model(), picture(80, 80, 2), cell=4, tile=10, callback=stop)


def test_the_input_is_not_changed_and_the_answer_repeats() -> None:
    image, alpha = picture(33, 21), torch.rand(1, 1, 33, 21)
    before = image.clone(), alpha.clone()
    one, two = (pixelate(model(), image, alpha=alpha, cell=3) for _ in range(2))
    assert torch.equal(one.frames[0].indices, two.frames[0].indices)
    assert torch.equal(image, before[0])
    assert torch.equal(alpha, before[1])


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({}, ShapeError, "either cell or size"),
        ({"cell": 4, "size": (8, 8)}, ShapeError, "either cell or size"),
        ({"cell": 1}, ShapeError, "expected 2 to 32"),
        ({"cell": 33}, ShapeError, "expected 2 to 32"),
        ({"size": (0, 4)}, ShapeError, "at least 1"),
        ({"size": (9000, 4)}, ShapeError, "most are 4096"),
        ({"cell": 4, "colors": 1}, ShapeError, "expected 2 to 256"),
        ({"cell": 4, "colors": 257}, ShapeError, "expected 2 to 256"),
        ({"cell": 4, "tile": 3}, ShapeError, "at least 8"),
        ({"cell": 4, "palette_per": "film"}, ShapeError, "palette_per"),
        ({"cell": 4, "alpha": torch.ones(1, 1, 3, 3)}, ShapeError, "alpha"),
        ({"cell": 4, "alpha": torch.full((1, 1, 16, 16), torch.nan)}, ImageError, "alpha"),
    ],
)
def test_a_wrong_option_is_refused_with_what_was_expected(
    options: dict[str, object], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        pixelate(model(), picture(16, 16), **options)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "image",
    [
        torch.full((1, 3, 8, 8), torch.nan),
        torch.full((1, 3, 8, 8), torch.inf),
        torch.zeros(1, 3, 0, 8),
        torch.zeros(0, 3, 8, 8),
        torch.zeros(1, 4, 8, 8),
        torch.zeros(3, 8, 8),
        torch.zeros(1, 3, 8, 8, dtype=torch.uint8),
    ],
    ids=["nan", "infinite", "no rows", "no pictures", "four channels", "no batch", "bytes"],
)
def test_what_is_no_picture_is_refused(image: torch.Tensor) -> None:
    with pytest.raises((ImageError, ShapeError)):
        pixelate(model(), image, cell=4)


def test_the_other_kind_of_model_is_refused() -> None:
    with pytest.raises(ModelKindError, match="to pixelate is needed"):
        pixelate(model("native_depixelate"), picture(8, 8), cell=4)
    with pytest.raises(ModelKindError, match="to depixelate is needed"):
        depixelate(model(), picture(8, 8))


@pytest.mark.parametrize("scale", range(2, 9))
def test_depixelating_gives_the_scale_that_was_asked_for(scale: int) -> None:
    alpha = (torch.rand(2, 1, 9, 14) > 0.5).float()
    rgb, soft = depixelate(model("native_depixelate"), picture(9, 14, 2), alpha=alpha, scale=scale)
    assert rgb.shape == (2, 3, 9 * scale, 14 * scale)
    assert soft is not None
    assert soft.shape == (2, 1, 9 * scale, 14 * scale)
    assert 0 <= rgb.min() <= rgb.max() <= 1
