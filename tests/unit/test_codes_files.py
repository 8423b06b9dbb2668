"""Codes go into files and come back; damaged and hostile files are refused within seconds and little memory."""

from __future__ import annotations

import base64
import io
import json
import random
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile.reporting import GIBIBYTE, ROOT
from PIL import Image

from pixel_models.codes import CODES_SUFFIXES, CodeGrid, load_codes, save_codes
from pixel_models.codes import files as files_module
from pixel_models.errors import CodesError
from pixel_models.image import png


def some(codebook_size: int = 200, *, mask: bool = True, b: int = 3, seed: int = 0) -> CodeGrid:
    """Codes of pictures of 11x9 pixels."""
    dice = torch.Generator().manual_seed(seed)
    indices = torch.randint(0, codebook_size, (b, 5, 6), generator=dice)
    indices[0, 0, :2] = torch.tensor([0, codebook_size - 1])
    clear = torch.rand(b, 9, 11, generator=dice) < 0.4 if mask else None
    return CodeGrid(indices, codebook_size, "0123456789abcdef", 2, 9, 11, clear)


def same(a: CodeGrid, b: CodeGrid) -> bool:
    facts = ("codebook_size", "fingerprint", "patch", "height", "width")
    assert [getattr(a, fact) for fact in facts] == [getattr(b, fact) for fact in facts]
    masks = (a.transparent is None) == (b.transparent is None)
    if a.transparent is not None and b.transparent is not None:
        masks = torch.equal(a.transparent, b.transparent)
    return masks and torch.equal(a.indices, b.indices)


@pytest.mark.parametrize("suffix", CODES_SUFFIXES)
@pytest.mark.parametrize("codebook_size", [1, 2, 5, 16, 200, 256, 257, 16384, 65536])
@pytest.mark.parametrize("mask", [True, False])
def test_codes_come_back_as_they_were(suffix: str, codebook_size: int, mask: bool, tmp_path: Path) -> None:
    codes = some(codebook_size, mask=mask)
    path = tmp_path / f"knight{suffix}"
    save_codes(path, codes)
    assert same(load_codes(path), codes)
    path.rename(tmp_path / "other.name")
    assert same(load_codes(tmp_path / "other.name"), codes)
    assert [file.name for file in tmp_path.iterdir()] == ["other.name"]


def test_an_npz_is_plain_numpy_and_a_png_is_a_picture_of_the_codes(tmp_path: Path) -> None:
    codes = some()
    save_codes(tmp_path / "x.npz", codes)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as found:
        assert np.array_equal(found["indices"], codes.indices.numpy())
        assert found["indices"].dtype == np.uint8
        assert json.loads(found["facts"].tobytes())["fingerprint"] == codes.fingerprint
    save_codes(tmp_path / "x.png", codes)
    with Image.open(tmp_path / "x.png") as picture:
        assert (picture.mode, picture.size) == ("P", (6, 15))
        assert np.array_equal(np.asarray(picture), codes.indices.view(15, 6).numpy())
    save_codes(tmp_path / "y.png", some(300))
    with Image.open(tmp_path / "y.png") as picture:
        assert np.array_equal(np.asarray(picture).astype(int), some(300).indices.view(15, 6).numpy())


def test_a_png_may_be_painted_on_in_an_editor_with_its_own_colours(tmp_path: Path) -> None:
    codes = some(40)
    path = tmp_path / "x.png"
    save_codes(path, codes)
    with Image.open(path) as picture:
        pixels, note = picture.convert("RGB"), picture.info["pixel-kiln-codes"]
    color = pixels.getpixel((0, 0))
    assert isinstance(color, tuple)
    pixels.putpixel((3, 2), color)
    path.write_bytes(with_note(pixels, note))
    wanted = codes.indices.clone()
    wanted[0, 2, 3] = codes.indices[0, 0, 0]
    assert torch.equal(load_codes(path).indices, wanted)
    pixels.putpixel((3, 2), (1, 2, 3))
    path.write_bytes(with_note(pixels, note))
    with pytest.raises(CodesError, match=r"x\.png.*#010203"):
        load_codes(path)
    pixels.save(path)
    with pytest.raises(CodesError, match="without the note"):
        load_codes(path)


def with_note(picture: Image.Image, note: str) -> bytes:
    """The PNG of a picture, with the note of codes."""
    made = io.BytesIO()
    picture.save(made, "PNG")
    return made.getvalue()[:33] + png.text_chunks({"pixel-kiln-codes": note}) + made.getvalue()[33:]


def test_what_cannot_be_written_or_found_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CodesError, match=r"\.npz or \.png"):
        save_codes(tmp_path / "x.json", some())
    with pytest.raises(CodesError, match="folder"):
        save_codes(tmp_path / "none" / "x.npz", some())
    with pytest.raises(CodesError, match="no such file"):
        load_codes(tmp_path / "x.npz")
    with pytest.raises(CodesError, match="cannot be read"):
        load_codes(tmp_path)
    monkeypatch.setattr(files_module, "MAX_PLACES", 80)
    with pytest.raises(CodesError, match="90 codes"):
        save_codes(tmp_path / "x.npz", some())
    assert list(tmp_path.iterdir()) == []


def facts(**changes: Any) -> bytes:  # noqa: ANN401
    """The facts of a file, changed."""
    told = {
        "format": "pixel-kiln-codes-1",
        "fingerprint": "f",
        "codebook_size": 9,
        "patch": 2,
        "height": 9,
        "width": 11,
    }
    return json.dumps(told | changes).encode()


def npz(told: bytes, indices: Any = None, how: int = zipfile.ZIP_STORED, **more: Any) -> bytes:  # noqa: ANN401
    """An archive of codes."""
    made = io.BytesIO()
    arrays = {"indices": np.zeros((1, 5, 6), np.uint8) if indices is None else indices}
    arrays |= {"facts": np.frombuffer(told, np.uint8), **more}
    with zipfile.ZipFile(made, "w", how) as archive:
        for name, array in arrays.items():
            data = array if isinstance(array, bytes) else saved(array)
            archive.writestr(f"{name}.npy", data)
    return made.getvalue()


def saved(array: Any) -> bytes:  # noqa: ANN401
    made = io.BytesIO()
    np.save(made, array, allow_pickle=True)
    return made.getvalue()


def bomb(width: int, height: int, note: bytes) -> bytes:
    """A PNG that claims a size."""
    rows = zlib.compress(bytes(1000))
    parts = [png.SIGNATURE, png.header_chunk(width, height, 8, 3), png.text_chunks({"pixel-kiln-codes": note.decode()})]
    return b"".join([*parts, png.chunk(b"PLTE", bytes(27)), png.chunk(b"IDAT", rows), png.END])


def giant() -> bytes:
    """The header of an array that claims 64 TiB."""
    return saved(np.zeros((1, 5, 6), np.uint8)).replace(b"(1, 5, 6), ", b"(99999999,)")


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "holds no codes"),
    "text": (b"hello, world", "holds no codes"),
    "pickle": (npz(facts(), np.array([[[print]]], dtype=object)), "no array of 8 or 16-bit"),
    "floats": (npz(facts(), np.zeros((1, 5, 6))), "no array of 8 or 16-bit"),
    "flat": (npz(facts(), np.zeros(30, np.uint8)), "three axes"),
    "giant": (npz(facts(), giant()), "no array of 8 or 16-bit"),
    "bomb": (npz(facts(), np.zeros((1, 5000, 6000), np.uint8), zipfile.ZIP_DEFLATED), "compressed"),
    "large": (npz(facts(), np.zeros((1, 5000, 6000), np.uint8)), "expected at most"),
    "size": (npz(facts(height=8)), "height|width|sides|expected a whole number"),
    "code": (npz(facts(), np.full((1, 5, 6), 9, np.uint8)), "0 to 8"),
    "maker": (npz(facts(fingerprint=7)), "fingerprint"),
    "format": (npz(facts(format="other")), "Update the pack"),
    "deep": (npz(b"[" * 4000), "no JSON"),
    "digits": (npz(b'{"a": ' + b"9" * 3900 + b"}"), "format"),
    "wide": (npz(facts(width=2**80)), "width"),
    "patch": (npz(facts(patch=True)), "patch"),
    "mask": (npz(facts(), transparent=np.zeros(5, np.uint8)), "transparency"),
    "only": (npz(facts())[:60], "zip archive"),
    "archive": (npz(facts()).replace(b"indices.npy", b"indicez.npy"), "expected indices"),
    "pixels": (bomb(60000, 60000, facts(pictures=1)), "the limit is"),
    "short": (bomb(600, 600, facts(pictures=1)), "damaged or cut short"),
    "colors": (bomb(6, 5, facts(pictures=1)), "stands for none"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_file_is_refused_by_name_with_its_reason(name: str, tmp_path: Path) -> None:
    data, reason = HOSTILE[name]
    path = tmp_path / "bad.npz"
    path.write_bytes(data)
    with pytest.raises(CodesError, match=rf"bad\.npz.*({reason})"):
        load_codes(path)


def test_a_mask_that_unpacks_to_more_than_it_should_is_refused(tmp_path: Path) -> None:
    codes = some(9, b=1)
    save_codes(tmp_path / "x.png", codes)
    with Image.open(tmp_path / "x.png") as picture:
        pixels, note = picture.convert("RGB"), json.loads(picture.info["pixel-kiln-codes"])
    for change, reason in ((zlib.compress(bytes(2**24), 9), "not that of 99"), (b"no zlib", "cannot be unpacked")):
        note["transparent"] = base64.b64encode(change).decode()
        (tmp_path / "x.png").write_bytes(with_note(pixels, json.dumps(note)))
        with pytest.raises(CodesError, match=rf"x\.png.*{reason}"):
            load_codes(tmp_path / "x.png")
    for count in (0, 2, 2**70, True, "1"):
        (tmp_path / "x.png").write_bytes(with_note(pixels, json.dumps(note | {"pictures": count})))
        with pytest.raises(CodesError, match=r"x\.png.*pictures"):
            load_codes(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes(with_note(pixels, json.dumps(note | {"codebook_size": 300})))
    with pytest.raises(CodesError, match="kind RGB"):
        load_codes(tmp_path / "x.png")
    note["transparent"] = "?"
    (tmp_path / "x.png").write_bytes(with_note(pixels, json.dumps(note)))
    with pytest.raises(CodesError, match="cannot be unpacked"):
        load_codes(tmp_path / "x.png")


READER = """
import sys, json
from hostile.guard import limit_memory, peak_bytes
from pixel_models.codes import load_codes
from pixel_models.errors import CodesError
limit_memory()
wrong = []
for path in sys.stdin.read().splitlines():
    try:
        load_codes(path)
    except CodesError as error:
        if path.rpartition("/")[2] not in str(error):
            wrong.append(f"{path}: {error}")
    except BaseException as error:
        wrong.append(f"{path}: {type(error).__name__} {error}")
print(json.dumps({"wrong": wrong, "peak": peak_bytes()}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_changed_files_are_read_or_refused_within_a_gibibyte(tmp_path: Path) -> None:
    from hostile.changes import change

    good: list[bytes] = []
    for number, codes in enumerate((some(), some(300), some(mask=False))):
        for suffix in CODES_SUFFIXES:
            save_codes(tmp_path / f"good{number}{suffix}", codes)
            good.append((tmp_path / f"good{number}{suffix}").read_bytes())
    paths: list[Path] = []
    for number, data in enumerate([*good, *(data for data, _ in HOSTILE.values())]):
        paths.append(tmp_path / f"case{number}")
        paths[-1].write_bytes(data)
    for number in range(400):
        rng = random.Random(number)  # noqa: S311
        paths.append(tmp_path / f"changed{number}")
        paths[-1].write_bytes(change(rng.choice(good), rng))
    done = subprocess.run(
        [sys.executable, "-c", READER],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'fuzz'}", "OMP_NUM_THREADS": "1", "PATH": ""},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["wrong"] == []
    assert told["peak"] < GIBIBYTE
