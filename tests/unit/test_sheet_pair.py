"""A sheet's picture and metadata: whoever is killed or fails in between leaves no mixed pair."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pixel_models.errors import ImageError, SheetError
from pixel_models.sheets.pair import write_pair


def put(folder: Path, text: bytes) -> None:
    """Write a pair whose halves say the same."""
    write_pair(folder / "a.png", text, folder / "a.json", text)


def seen(folder: Path) -> dict[str, bytes]:
    """What has a name that shows."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child process is killed in the midst")
@pytest.mark.parametrize("before", [b"", b"old"])
@pytest.mark.parametrize("step", range(1, 4))
def test_a_kill_between_the_steps_never_leaves_a_mixed_pair(tmp_path: Path, before: bytes, step: int) -> None:
    if before:
        put(tmp_path, before)
    child = os.fork()
    if child == 0:
        done = 0
        given = Path.rename, Path.replace

        def dying(kind: int):  # noqa: ANN202
            def call(self: Path, target: Path) -> Path:
                nonlocal done
                done += 1
                if done == step:
                    os._exit(9)
                return given[kind](self, target)

            return call

        Path.rename, Path.replace = dying(0), dying(1)  # type: ignore[method-assign]
        put(tmp_path, b"new")
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found = seen(tmp_path)
    assert status == 9
    assert set(found) in ({"a.png", "a.json"}, {"a.png"}, set())
    assert len(set(found.values())) <= 1
    if step == 1:
        assert found == ({"a.png": before, "a.json": before} if before else {})
    put(tmp_path, b"newer")
    assert seen(tmp_path) == {"a.png": b"newer", "a.json": b"newer"}


@pytest.mark.parametrize("fails", ["a.png", "a.json"])
def test_what_fails_leaves_the_old_pair_and_nothing_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    put(tmp_path, b"old")
    method = "replace" if fails == "a.png" else "rename"
    given = getattr(Path, method)

    def locked(self: Path, target: Path) -> Path:
        if fails in (target.name, self.name):
            raise PermissionError(13, "Permission denied")
        return given(self, target)

    monkeypatch.setattr(Path, method, locked)
    expected = ImageError if fails == "a.png" else SheetError
    with pytest.raises(expected, match=rf"{fails}: cannot be written \(Permission denied\)"):
        put(tmp_path, b"new")
    monkeypatch.undo()
    assert seen(tmp_path) == {"a.png": b"old", "a.json": b"old"}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_in_the_way_is_said_and_stays(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(SheetError, match=r"a\.json: is a folder"):
        put(tmp_path, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    with pytest.raises(ImageError, match="does not exist; make it first"):
        put(tmp_path / "none", b"new")
