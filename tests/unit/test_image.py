"""Pictures: 8-bit there and back, checks, padding, every file kind in, PNG out."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from torch import Tensor

from pixel_models.errors import ImageError, ShapeError
from pixel_models.image import (
    check_image,
    count_frames,
    crop_to,
    enlarge,
    from_uint8,
    pad_to_multiple,
    read_frames,
    read_rgba,
    remove_leftovers,
    to_uint8,
    write_png,
)
from pixel_models.palette import IndexedImage, Palette


def random_bytes(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def to_hwc(x: Tensor) -> np.ndarray:
    return to_uint8(x)[0].permute(1, 2, 0).numpy()


# --- tensors ---------------------------------------------------------------------------------------------


def test_all_8_bit_values_come_back() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(from_uint8(levels)), levels)
    there = from_uint8(levels) * 2 - 1  # the round trip through [-1, 1] that truncation breaks
    assert torch.equal(to_uint8((there + 1) / 2), levels)


def test_to_uint8_clamps_and_rounds() -> None:
    assert to_uint8(torch.tensor([-0.2, 1.7, 0.4999, 0.9999])).tolist() == [0, 255, 127, 255]


def test_the_wrong_type_is_refused() -> None:
    with pytest.raises(ShapeError, match="uint8"):
        from_uint8(torch.zeros(2))
    with pytest.raises(ShapeError, match="floating point"):
        to_uint8(torch.zeros(2, dtype=torch.uint8))


@pytest.mark.parametrize(
    ("picture", "error", "message"),
    [
        (torch.zeros(3, 4, 4), ShapeError, r"\(3, 4, 4\)"),
        (torch.zeros(1, 4, 4, 3), ShapeError, r"b 3 h w"),
        (torch.zeros(1, 4, 4, 4), ShapeError, r"b 3 h w"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.uint8), ShapeError, "from_uint8"),
        (torch.zeros(1, 3, 0, 4), ImageError, "at least one"),
        (torch.zeros(0, 3, 4, 4), ImageError, "at least one"),
        (torch.full((1, 3, 2, 2), float("nan")), ImageError, "NaN"),
        (torch.full((1, 3, 2, 2), float("inf")), ImageError, "infinite"),
        (torch.full((1, 3, 2, 2), 200.0), ImageError, "divide"),
        (torch.full((1, 3, 2, 2), -1.0), ImageError, r"\[0, 1\]"),
        (np.zeros((1, 3, 2, 2)), ShapeError, "ndarray"),
    ],
)
def test_check_image_names_what_is_wrong(picture: Tensor, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        check_image(picture, "photo")
    assert str(caught.value).startswith("photo: ")


def test_check_image_finds_a_single_nan() -> None:
    picture = torch.zeros(2, 3, 8, 8)
    picture[1, 2, 7, 7] = float("nan")
    with pytest.raises(ImageError, match="NaN"):
        check_image(picture)


def test_check_image_lets_resampling_overshoot_pass() -> None:
    check_image(torch.tensor([-0.05, 1.05]).view(1, 1, 1, 2).expand(1, 3, 1, 2))
    check_image(torch.zeros(1, 4, 1, 1), channels=(3, 4))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_enlarging_repeats_every_pixel(h: int, w: int, scale: int) -> None:
    x = torch.rand(2, 3, h, w, generator=torch.Generator().manual_seed(h * w))
    large = enlarge(x, scale)
    assert large.shape == (2, 3, h * scale, w * scale)
    for dy in range(scale):
        assert torch.equal(large[..., dy::scale, scale - 1 - dy :: scale], x)


@pytest.mark.parametrize("scale", [0, -1, 1.5, True])
def test_enlarging_needs_a_whole_factor(scale: int) -> None:
    with pytest.raises(ShapeError, match="whole factor"):
        enlarge(torch.zeros(1, 3, 2, 2), scale)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_padding_is_undone_by_cropping(h: int, w: int, multiple: int) -> None:
    x = torch.rand(1, 3, h, w, generator=torch.Generator().manual_seed(h * w))
    padded, size = pad_to_multiple(x, multiple)
    assert padded.shape[-2] % multiple == 0
    assert padded.shape[-1] % multiple == 0
    assert padded.shape[-2] - h < multiple
    assert torch.equal(crop_to(padded, size), x)


def test_cropping_to_more_is_refused() -> None:
    with pytest.raises(ShapeError, match="larger"):
        crop_to(torch.zeros(1, 3, 2, 2), (3, 1))


# --- reading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp"])
def test_rgb_files_are_read_exactly(tmp_path: Path, suffix: str) -> None:
    pixels = random_bytes(5, 7, 3)
    Image.fromarray(pixels).save(tmp_path / f"a{suffix}", lossless=True)
    read = read_rgba(tmp_path / f"a{suffix}")
    assert read.shape == (1, 4, 5, 7)
    assert read.dtype == torch.float32
    assert np.array_equal(to_hwc(read)[..., :3], pixels)
    assert (read[:, 3] == 1).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_straight_alpha_is_read_exactly(tmp_path: Path, suffix: str) -> None:
    pixels = random_bytes(5, 7, 4)
    Image.fromarray(pixels).save(tmp_path / f"a{suffix}", lossless=True, exact=True)
    assert np.array_equal(to_hwc(read_rgba(tmp_path / f"a{suffix}")), pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_8_bit_png_mode_is_read_as_pillow_converts_it(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(random_bytes(6, 4, 4)).convert("RGBA").convert(mode)
    image.save(tmp_path / "a.png")
    assert np.array_equal(to_hwc(read_rgba(tmp_path / "a.png")), np.array(image.convert("RGBA")))


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_transparent_colour_in_the_header_becomes_alpha(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (3, 1), 0)
    if mode == "P":
        image.putpalette(bytes(range(30)))
    image.putpixel((1, 0), (9, 9, 9) if mode == "RGB" else 9)
    image.save(tmp_path / "a.png", transparency=(9, 9, 9) if mode == "RGB" else 9)
    assert read_rgba(tmp_path / "a.png")[0, 3].tolist() == [[1, 0, 1]]


def test_16_bit_greys_keep_their_precision(tmp_path: Path) -> None:
    values = np.array([[0, 1, 300, 32768, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    read = read_rgba(tmp_path / "a.png")
    assert torch.allclose(read[0, 0, 0], torch.from_numpy(values[0].astype(np.float32)) / 65535)
    assert torch.equal(read[0, 0], read[0, 2])
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert torch.equal(read_rgba(tmp_path / "a.tif"), read)


def test_16_bit_rgb_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png_of_16_bit_rgb([[0, 0x8080, 0xFFFF], [0x1212, 0x3434, 0x5656]]))
    assert to_hwc(read_rgba(tmp_path / "a.png"))[0, :, :3].tolist() == [[0, 0x80, 0xFF], [0x12, 0x34, 0x56]]


def png_of_16_bit_rgb(pixels: list[list[int]]) -> bytes:
    """A one-row PNG with 16 bits per channel, which Pillow cannot write."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + b"".join(struct.pack(">3H", *pixel) for pixel in pixels)
    header = struct.pack(">IIBBBBB", len(pixels), 1, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")


def test_cmyk_jpeg_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue, alpha = to_hwc(read_rgba(tmp_path / "a.jpg"))[8, 8].tolist()
    assert red > 240
    assert green < 15
    assert blue < 15
    assert alpha == 255


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to show
    image = Image.new("RGB", (32, 16), "black")
    image.paste("white", (0, 0, 16, 16))
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    read = read_rgba(tmp_path / "a.jpg")
    assert read.shape == (1, 4, 32, 16)
    assert read[0, 0, :14].min() > 0.9
    assert read[0, 0, 18:].max() < 0.1


def swapped_profile() -> bytes:
    """The sRGB profile with red and green exchanged, under another name."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = data.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    return data.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")).replace(b"sRGB", b"swap")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_colour_profile_is_applied(tmp_path: Path, mode: str) -> None:
    color = (255, 0, 0) if mode == "RGB" else (255, 0, 0, 99)
    Image.new(mode, (2, 2), color).save(tmp_path / "a.png", icc_profile=swapped_profile())
    red, green, blue, alpha = to_hwc(read_rgba(tmp_path / "a.png"))[0, 0].tolist()
    assert red < 5
    assert green > 250
    assert blue < 5
    assert alpha == (255 if mode == "RGB" else 99)


def test_srgb_profiles_and_useless_ones_change_nothing(tmp_path: Path) -> None:
    lab = ImageCms.createProfile("LAB")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = random_bytes(4, 4, 3)
    Image.fromarray(pixels).save(tmp_path / "srgb.png", icc_profile=srgb)
    assert np.array_equal(to_hwc(read_rgba(tmp_path / "srgb.png"))[..., :3], pixels)
    Image.fromarray(pixels).save(tmp_path / "odd.png", icc_profile=ImageCms.ImageCmsProfile(lab).tobytes())
    assert np.array_equal(to_hwc(read_rgba(tmp_path / "odd.png"))[..., :3], pixels)  # does not fit RGB: ignored
    Image.fromarray(pixels).save(tmp_path / "broken.png", icc_profile=b"no profile")
    assert np.array_equal(to_hwc(read_rgba(tmp_path / "broken.png"))[..., :3], pixels)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_frames_of_an_animation_are_read_in_order(tmp_path: Path, suffix: str) -> None:
    greys = [0, 90, 180, 255]
    frames = [Image.new("RGB", (6, 4), (grey, grey, grey)) for grey in greys]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:], duration=50, lossless=True)
    assert count_frames(tmp_path / f"a{suffix}") == 4
    read = read_frames(tmp_path / f"a{suffix}")
    assert read.shape == (4, 4, 4, 6)
    assert to_uint8(read)[:, 0, 0, 0].tolist() == greys
    assert torch.equal(read_rgba(tmp_path / f"a{suffix}"), read[:1])


def test_a_still_picture_has_one_frame(tmp_path: Path) -> None:
    Image.fromarray(random_bytes(4, 4, 3)).save(tmp_path / "a.png")
    assert count_frames(tmp_path / "a.png") == 1
    assert torch.equal(read_frames(tmp_path / "a.png"), read_rgba(tmp_path / "a.png"))


# --- writing ---------------------------------------------------------------------------------------------


@given(st.integers(1, 256), st.booleans(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_an_indexed_picture_comes_back_pixel_for_pixel(
    tmp_path_factory: pytest.TempPathFactory, k: int, clear: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    indices = torch.from_numpy(rng.integers(0, k, (1, 9, 11)))
    palette = Palette(torch.from_numpy(rng.integers(0, 256, (k, 3), dtype=np.uint8)))
    mask = torch.from_numpy(rng.random((1, 9, 11)) < 0.3) if clear else None
    image = IndexedImage(indices, palette, mask)
    path = tmp_path_factory.mktemp("png") / "a.png"
    write_png(path, image)
    assert torch.equal(to_uint8(read_rgba(path)), to_uint8(image.to_rgba()))
    with Image.open(path) as file:
        if k + (mask is not None) <= 256:
            assert file.mode == "P"


def test_the_file_palette_keeps_its_order_after_one_clear_entry(tmp_path: Path) -> None:
    palette = Palette.from_hex("ff0000 00ff00 0000ff")
    image = IndexedImage(torch.tensor([[[0, 2, 2, 1]]]), palette, torch.tensor([[[False, False, True, False]]]))
    write_png(tmp_path / "a.png", image)
    data = (tmp_path / "a.png").read_bytes()
    assert bytes.fromhex("000000 ff0000 00ff00 0000ff") in data
    assert b"\0\0\0\1tRNS\0" in data  # the least that says it
    assert data[24] == 2  # bits per pixel: four entries need two
    with Image.open(tmp_path / "a.png") as file:
        assert np.array(file).tolist() == [[1, 3, 0, 2]]


def test_a_single_colour_and_a_full_palette_are_written(tmp_path: Path) -> None:
    write_png(tmp_path / "one.png", IndexedImage(torch.zeros(1, 1, 1, dtype=torch.int64), Palette.from_hex("abcdef")))
    assert to_hwc(read_rgba(tmp_path / "one.png")).tolist() == [[[0xAB, 0xCD, 0xEF, 255]]]
    grey = torch.arange(256, dtype=torch.uint8)[:, None].expand(256, 3)
    clear = torch.zeros(1, 16, 16, dtype=torch.bool)
    clear[0, 3, 3] = True
    image = IndexedImage(torch.arange(256).view(1, 16, 16), Palette(grey), clear)
    write_png(tmp_path / "full.png", image)
    with Image.open(tmp_path / "full.png") as file:
        assert file.mode == "RGBA"
    assert torch.equal(read_rgba(tmp_path / "full.png"), image.to_rgba())


@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB"), (4, "RGBA")])
def test_float_pictures_come_back(tmp_path: Path, channels: int, mode: str) -> None:
    pixels = from_uint8(torch.from_numpy(random_bytes(1, channels, 5, 6)))
    write_png(tmp_path / "a.png", pixels)
    assert torch.equal(read_rgba(tmp_path / "a.png")[:, :channels], pixels)
    with Image.open(tmp_path / "a.png") as file:
        assert file.mode == mode


def test_an_opaque_rgba_picture_is_written_as_rgb(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", torch.ones(1, 4, 2, 2))
    with Image.open(tmp_path / "a.png") as file:
        assert file.mode == "RGB"


def test_notes_are_kept_in_the_file(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", torch.ones(1, 3, 2, 2), {"pixel-kiln": "größe 木"})
    with Image.open(tmp_path / "a.png") as file:
        assert file.info["pixel-kiln"] == "größe 木"


def test_several_pictures_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError, match="one by one"):
        write_png(tmp_path / "a.png", torch.ones(2, 3, 2, 2))
    with pytest.raises(ShapeError, match="one by one"):
        write_png(tmp_path / "a.png", IndexedImage(torch.zeros(2, 1, 1, dtype=torch.int64), Palette.from_hex("000")))
    assert not list(tmp_path.iterdir())


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    write_png(path, torch.zeros(1, 3, 2, 2))
    before = path.read_bytes()

    def full_disk(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(ImageError, match=r"a\.png: cannot be written .*make room"):
        write_png(path, torch.ones(1, 3, 2, 2))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_only_old_leftovers_are_removed(tmp_path: Path) -> None:
    for name in (".a.123.kiln-part", ".b.456.kiln-part", "c.png"):
        (tmp_path / name).write_bytes(b"x")
    os.utime(tmp_path / ".a.123.kiln-part", (1, 1))
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.456.kiln-part", "c.png"]
    remove_leftovers(tmp_path / "missing")
