"""Sprite files that are damaged or made to do harm: refused as pictures, within seconds and little memory."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hostile.reporting import GIBIBYTE, ROOT
from PIL import Image

from pixel_models.errors import ImageError
from pixel_models.palette import IndexedImage, Palette
from pixel_models.spritefiles import read_art, read_text, write_art

KINDS = {"png": "a.png", "gif": "a.gif", "apng": "b.png", "webp": "a.webp", "aseprite": "a.aseprite"}

# Reads each file within 1 GiB, and says what came of it, one JSON object a line, and last the peak of memory.
READER = """
import json, sys, time
from hostile.guard import limit_memory, peak_bytes
from pixel_models.errors import ImageError
from pixel_models.spritefiles import read_art, read_text
limit_memory()
for path in sys.stdin.read().splitlines():
    began, told = time.perf_counter(), {"name": path.rpartition("/")[2]}
    for read in (read_art, read_text):
        try:
            read(path)
            told[read.__name__] = "read"
        except ImageError as error:
            told[read.__name__] = str(error)
        except BaseException as error:
            told[read.__name__] = f"unexpected {type(error).__name__}: {error}"
    print(json.dumps(told | {"seconds": time.perf_counter() - began}))
print(json.dumps({"peak": peak_bytes()}))
"""


def good(folder: Path, kind: str) -> Path:
    """A small file with a bit of everything."""
    dice = torch.Generator().manual_seed(1)
    shape = (1 if kind == "png" else 4, 12, 15)
    colors = torch.randint(0, 256, (9, 3), generator=dice, dtype=torch.uint8)
    mask = torch.rand(shape, generator=dice) < 0.4
    image = IndexedImage(torch.randint(0, 9, shape, generator=dice), Palette(colors), mask)
    path = folder / KINDS[kind]
    write_art(path, image, format=kind, text={"prompt": '{"a": 1}', "workflow": "ö"})
    return path


def soft(folder: Path) -> Path:
    """An Aseprite file with layers and RGBA pixels."""
    rgba = torch.rand(3, 4, 9, 8, generator=torch.Generator().manual_seed(2))
    write_art(folder / "soft.aseprite", rgba, layers={"one": rgba, "two": rgba.flip(0)}, text={"x": "y" * 70_000})
    return folder / "soft.aseprite"


def outcome(read: Callable[[Path], object], path: Path) -> str:
    """Why a file is refused, or "read"; anything but an `ImageError` goes through."""
    try:
        read(path)
    except ImageError as error:
        return str(error)
    return "read"


# --- cut and changed files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_cut_off_is_refused_or_read_as_far_as_it_goes(tmp_path: Path, kind: str) -> None:
    path = good(tmp_path, kind)
    data = path.read_bytes()
    refused = 0
    for part in range(50):
        path.write_bytes(data[: len(data) * part // 50])
        told = outcome(read_art, path)
        refused += told != "read"
        assert told == "read" or path.name in told
        assert told != "read" or part > 10
    # a GIF may end after any frame, and a PNG without its last mark; the others say how much there is to come
    assert refused >= (35 if kind == "gif" else 46)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [*KINDS, "soft"])
def test_changed_bytes_do_nothing_worse_than_being_refused(tmp_path: Path, kind: str) -> None:
    path = soft(tmp_path) if kind == "soft" else good(tmp_path, kind)
    data = path.read_bytes()
    dice = random.Random(kind)  # noqa: S311
    # notes are long and say little: most changes go to the rest
    places = [place for place in range(len(data)) if data[place : place + 8] != b"y" * 8]
    outcomes: list[str] = []
    for _ in range(600):
        broken = bytearray(data)
        for _ in range(dice.randrange(1, 5)):
            broken[dice.choice(places)] = dice.choice((0, 1, 127, 128, 255, dice.randrange(256)))
        path.write_bytes(broken)
        outcomes += [outcome(read, path) for read in (read_art, read_text)]
    assert 20 < len([told for told in outcomes if path.name in told]) < 1200
    assert all(told == "read" or path.name in told for told in outcomes)


@pytest.mark.filterwarnings("ignore")  # Pillow's, on what is broken
@pytest.mark.parametrize("kind", KINDS)
def test_added_and_exchanged_bytes_do_nothing_worse(tmp_path: Path, kind: str) -> None:
    path = good(tmp_path, kind)
    data = path.read_bytes()
    dice = random.Random(kind)  # noqa: S311
    outcomes: list[str] = []
    for _ in range(150):
        at, size, to = (dice.randrange(len(data)) for _ in range(3))
        piece = data[at : at + size % 40]
        path.write_bytes(data[:to] + piece + data[to + dice.choice((0, len(piece))) :])
        outcomes.append(outcome(read_art, path))
    assert all(told == "read" or path.name in told for told in outcomes)


# --- files that are made to do harm -------------------------------------------------------------------------


def ase_chunk(kind: int, data: bytes) -> bytes:
    return struct.pack("<IH", len(data) + 6, kind) + data


def ase_layer(level: int = 0, kind: int = 0) -> bytes:
    return ase_chunk(0x2004, struct.pack("<HHHHHHBxxxH", 1, kind, level, 0, 0, 0, 255, 0))


def ase_cel(width: int, height: int, data: bytes, *, x: int = 0, of: int = 0) -> bytes:
    return ase_chunk(0x2005, struct.pack("<HhhBHh5xHH", of, x, x, 255, 2, 0, width, height) + data)


def ase_link(frame: int, of: int = 0) -> bytes:
    return ase_chunk(0x2005, struct.pack("<HhhBHh5xH", of, 0, 0, 255, 1, 0, frame))


def ase(*frames: list[bytes], size: tuple[int, int] = (8, 8), count: int | None = None) -> bytes:
    out = b""
    for chunks in frames:
        body = b"".join(chunks)
        out += struct.pack("<IHHHxxI", len(body) + 16, 0xF1FA, 0, 100, len(chunks)) + body
    head = struct.pack("<IHHHHHIH", 0, 0xA5E0, len(frames) if count is None else count, *size, 32, 1, 100)
    return head.ljust(128, b"\0") + out


def zeros(size: int) -> bytes:
    """So many zeros, compressed, made without holding them."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(min(2**20, size - at))) for at in range(0, size, 2**20)) + packer.flush()


def group_pyramid() -> bytes:
    layers = [ase_layer(level, 1) for level in range(65)] + [ase_layer(66)]
    return ase([*layers])


def property_pyramid() -> bytes:
    deep = b"".join(struct.pack("<HHI", 0, 18, 1) for _ in range(5000))
    return ase([ase_chunk(0x2020, struct.pack("<IIIII", 4, 0, 1, 0, 1) + deep), ase_layer()])


def vector_of_vectors() -> bytes:
    deep = b"".join(struct.pack("<IH", 1, 17) for _ in range(5000))
    return ase([ase_chunk(0x2020, struct.pack("<IIIIIHH", 4, 0, 1, 0, 1, 0, 17) + deep), ase_layer()])


def gif(*blocks: bytes, size: tuple[int, int] = (2, 2)) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", *size, 0x80, 0, 0) + bytes(6) + b"".join(blocks) + b";"


def gif_frame(left: int, top: int, width: int, height: int) -> bytes:
    return struct.pack("<BHHHHBB", 0x2C, left, top, width, height, 0, 2) + b"\x02\x4c\x01\x00"


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, data: bytes = b"") -> bytes:
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


BIG = zeros(4 * 5000 * 5000)

HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.png": (lambda: b"", "empty"),
    "text.gif": (lambda: b"hello", "cannot be read|no picture"),
    "magic.aseprite": (lambda: ase([ase_layer()]).replace(b"\xe0\xa5", b"\xe0\xa4"), "no picture"),
    "frame_magic.aseprite": (lambda: ase([ase_layer()]).replace(b"\xfa\xf1", b"\xfa\xf0"), "expected a frame"),
    "frames.aseprite": (lambda: ase([ase_layer()], count=65535), "65535 frames of 8x8"),
    "missing_frames.aseprite": (lambda: ase([ase_layer()], count=7), "cut short"),
    "canvas.aseprite": (lambda: ase([ase_layer()], size=(65535, 65535)), "65535x65535"),
    "chunk_size.aseprite": (lambda: ase([ase_layer(), struct.pack("<IH", 2**32 - 1, 0x2005)]), "cut short"),
    "chunk_of_nothing.aseprite": (lambda: ase([struct.pack("<IH", 0, 0x2005)] * 9), "cut short|expected -6"),
    "chunks.aseprite": (lambda: ase([b""] * 300_000), "300000 chunks"),
    "claim.aseprite": (lambda: ase([ase_layer(), ase_cel(65535, 65535, zeros(100))]), "65535x65535"),
    "claim_small.aseprite": (lambda: ase([ase_layer(), ase_cel(2000, 2000, zeros(100))]), "cannot come out of"),
    "noise.aseprite": (lambda: ase([ase_layer(), ase_cel(2, 2, b"no zlib at all")]), "cannot be unpacked"),
    "bombs.aseprite": (
        lambda: ase([ase_layer()] * 30 + [ase_cel(5000, 5000, BIG, of=index) for index in range(30)], size=(1, 1)),
        "in all",
    ),
    "overdrawn.aseprite": (
        lambda: ase(
            [ase_layer()] * 50 + [ase_cel(400, 400, zeros(640_000), of=index) for index in range(50)],
            *([ase_link(0, index) for index in range(50)] for _ in range(35)),
            size=(400, 400),
        ),
        "too many pixels",
    ),
    "mixed.aseprite": (
        lambda: ase(
            [ase_layer()] * 4 + [ase_cel(400, 400, zlib.compress(b"\x63" * 640_000), of=index) for index in range(4)],
            *([ase_link(0, index) for index in range(4)] for _ in range(40)),
            size=(400, 400),
        ),
        "too many pixels",
    ),
    "layers.aseprite": (lambda: ase([ase_layer()] * 90_000, *[[]] * 200), "90000 layers of 201 frames"),
    "tags.aseprite": (
        lambda: ase([ase_chunk(0x2018, struct.pack("<H8x", 60_000) + struct.pack("<HH15x", 0, 65535) * 60_000)]),
        "60000 tags",
    ),
    "palettes.aseprite": (
        lambda: ase([ase_chunk(0x2019, struct.pack("<III8x", 256, 0, 255) + bytes(6 * 256))] * 2100),
        "its palettes change",
    ),
    "note.aseprite": (
        lambda: ase([ase_chunk(0x2020, struct.pack("<IIII", 4, 0, 1, 0) + bytes(9_000_000))]),
        "bytes of notes",
    ),
    "circle.aseprite": (lambda: ase([ase_layer(), ase_link(1)], [ase_link(0)]), "linked to frame 1"),
    "groups.aseprite": (group_pyramid, "groups deep"),
    "properties.aseprite": (property_pyramid, "deeper than 128"),
    "vectors.aseprite": (vector_of_vectors, "deeper than 128"),
    "palette.aseprite": (
        lambda: ase([ase_chunk(0x2019, struct.pack("<III8x", 2**32 - 1, 0, 2**32 - 2))]),
        "sets entries 0 to 4294967294",
    ),
    "tileset.aseprite": (
        lambda: ase([ase_chunk(0x2023, struct.pack("<IIIHHh14xHI", 0, 2, 2**32 - 1, 65535, 65535, 1, 0, 0))]),
        "4294967295 tiles",
    ),
    "screen.gif": (lambda: gif(gif_frame(0, 0, 1, 1), size=(65535, 65535)), "65535x65535"),
    "grows.gif": (lambda: gif(gif_frame(0, 0, 2, 2), gif_frame(60000, 60000, 5000, 5000)), "65000x65000"),
    "frames.gif": (lambda: gif(*[gif_frame(0, 0, 1, 1)] * 20_000), "20000 frames"),
    "no_frames.gif": (lambda: gif(), "0 frames"),
    "cut.gif": (lambda: gif(gif_frame(0, 0, 2, 2)[:-2]), "cut short"),
    "parts.gif": (lambda: gif(b"\x21\x01\x00" * 100_000), "more than 65536 parts"),
    "blocks.gif": (lambda: gif(b"\x21\xfe" + b"\x01a" * 600_000 + b"\0", gif_frame(0, 0, 1, 1)), "blocks"),
    "chunks.png": (lambda: png(1, 1, png_chunk(b"teSt", b"") * 70_000), "more than 65536 chunks"),
    "canvas.png": (lambda: png(100_000, 100_000), "limit|too large"),
    "bomb.png": (lambda: png(6000, 6000, data=zeros(6000 * 24_001)), "limit"),
    "frames.png": (lambda: png(2, 2, png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))), "frames"),
    "outside.png": (
        lambda: png(
            2, 2, png_chunk(b"acTL", struct.pack(">II", 2, 0)),
            png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 2**31 - 1, 2**31 - 1, 0, 0, 1, 10, 0, 0)),
            data=zlib.compress(bytes(18)),
        ),
        "no picture",
    ),
    "text.png": (
        lambda: png(1, 1, png_chunk(b"zTXt", b"a\0\0" + zeros(2**26)), data=zlib.compress(bytes(5))),
        "cannot be read",
    ),
    "canvas.webp": (lambda: webp((b"VP8X", struct.pack("<I", 2) + b"\xff" * 6)), "16777216x16777216"),
    "frames.webp": (
        lambda: webp((b"VP8X", struct.pack("<I", 2) + bytes(6)), *[(b"ANMF", bytes(16))] * 9000),
        "9000 frames",
    ),
    "chunks.webp": (lambda: webp(*[(b"JUNK", b"")] * 70_000), "more than 65536 chunks"),
    "noise.webp": (lambda: webp((b"VP8L", bytes(range(256)))), "no picture|cannot be read"),
}  # fmt: skip
"""How each file is made, and what the complaint about it must say."""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What came of reading each, in a process with 1 GiB."""
    if sys.platform != "linux":
        pytest.skip("limits memory as Linux does")
    folder = tmp_path_factory.mktemp("hostile")
    for name, (make, _) in HOSTILE.items():
        (folder / name).write_bytes(make())
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests" / "fuzz")))
    done = subprocess.run(
        [sys.executable, "-c", READER],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths},
        input="\n".join(str(folder / name) for name in HOSTILE),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *told, last = map(json.loads, done.stdout.splitlines())
    assert last["peak"] < GIBIBYTE
    assert sorted(path.name for path in folder.iterdir()) == sorted(HOSTILE)
    return {entry["name"]: entry for entry in told}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason(name: str, reports: dict[str, dict[str, Any]]) -> None:
    told = reports[name]
    message = told["read_art"]
    assert name in message, told
    assert any(part in message for part in HOSTILE[name][1].split("|")), message
    assert not told["read_text"].startswith("unexpected"), told
    assert told["seconds"] < 20  # 3 at most on a machine of its own


def test_the_largest_file_that_is_read_still_is(tmp_path: Path) -> None:
    """The limits are not so low that they refuse what people make."""
    write_art(tmp_path / "a.aseprite", torch.zeros(300, 3, 64, 64))
    assert len(read_art(tmp_path / "a.aseprite")) == 300
    Image.new("RGB", (3000, 2000)).save(tmp_path / "a.png")
    assert read_art(tmp_path / "a.png").frames[0].width == 3000


def test_what_is_not_there_or_no_file_is_told_apart(tmp_path: Path) -> None:
    for read in (read_art, read_text):
        with pytest.raises(ImageError, match=r"none\.gif: there is no such file"):
            read(tmp_path / "none.gif")
        with pytest.raises(ImageError, match="cannot be read"):
            read(tmp_path)
