"""The demo: every sample as a sprite, enlarged, and on one sheet; JSON on its last line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from pixel_models import demo


def test_the_demo_makes_what_its_last_line_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo.main(["--out", str(tmp_path / "demo-out")])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told.keys() == {"out", "files", "seconds"}
    files = [Path(file) for file in told["files"]]
    assert {file.name for file in files} == {file.name for file in (tmp_path / "demo-out").iterdir()}
    for native in (file for file in files if "_x" not in file.stem and file.stem != "before-after"):
        with Image.open(native) as sprite:
            assert sprite.mode == "P"
            colors = sprite.convert("RGBA").getcolors()
        assert colors is not None
        assert len(colors) <= 25
        large = next(file for file in files if file.stem.startswith(f"{native.stem}_x"))
        scale = int(large.stem.rpartition("_x")[2])
        with Image.open(native) as small, Image.open(large) as big:
            assert big.size == (small.width * scale, small.height * scale)
            again = big.convert("RGBA").resize(small.size, Image.Resampling.NEAREST)
            assert again.tobytes() == small.convert("RGBA").tobytes()
    hero = Image.open(tmp_path / "demo-out" / "character_superhero.png").convert("RGBA")
    assert set(hero.getchannel("A").tobytes()) == {0, 255}
