"""What a model can be called, where it is looked for without a network, and what is said when it is nowhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixel_models import hub
from pixel_models.errors import HubError
from pixel_models.hub import HubSource, find_weights, locate, published_source
from pixel_models.hub.cache import cache_folder
from pixel_models.registry import SHIPPED

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a/b", ("a/b", "main", "")),
        (" a/b ", ("a/b", "main", "")),
        ("a/b.c@v1.0", ("a/b.c", "v1.0", "")),
        ("a/b/x.safetensors", ("a/b", "main", "x.safetensors")),
        (f"a/b@{COMMIT}/sub/latest_net_G_A.pth", ("a/b", COMMIT, "sub/latest_net_G_A.pth")),
    ],
)
def test_a_name_on_the_hub_is_taken_apart_and_put_together(text: str, parts: tuple[str, str, str]) -> None:
    source = HubSource.parse(text)
    assert source is not None
    assert (source.repository, source.revision, source.file) == parts
    assert str(source) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "/a/b", "./a/b", "../a/b", "a/../b", "a/b/../x.pth", "a\\b", "C:/a/b.pth", "a/b.safetensors",
        "a/x.pth", "a/b/x.txt", "a/b@/x.pth", "a/b@v1/", "a//b", "a/b//x.pth", "a--b/c", "https://hub.test/a/b",
        "a/b@../x.pth",
    ],
)  # fmt: skip
def test_paths_and_other_texts_are_no_names_on_the_hub(text: str) -> None:
    assert HubSource.parse(text) is None


@given(st.text(alphabet="ab./@\\-_: \0é", max_size=20))
def test_whatever_is_taken_for_a_name_stays_inside_the_cache(text: str) -> None:
    source = HubSource.parse(text)
    if source is not None:
        folder = Path("cache") / f"models--{source.repository.replace('/', '--')}" / source.revision / source.file
        assert ".." not in folder.parts
        assert folder.parts[0] == "cache"
        assert len(folder.parts) >= 3


def test_the_published_names_are_known_with_and_without_suffix() -> None:
    for entry in SHIPPED:
        source = published_source(entry.name)
        assert source == published_source(Path(entry.name).stem)
        assert source is not None
        assert source.sha256 == entry.sha256
        assert source.address == hub.address(entry.name)
    assert published_source("else.safetensors") is None
    assert HubSource("other/repo", hub.REVISION, SHIPPED[0].name).sha256 == ""


@pytest.mark.parametrize(
    "variables",
    [
        {}, {"HF_HOME": "~/h"}, {"HF_HUB_CACHE": "/c/$HF_X", "HF_X": "y"}, {"HUGGINGFACE_HUB_CACHE": "/old"},
        {"XDG_CACHE_HOME": "/x"}, {"HF_HOME": "/h", "HF_HUB_CACHE": "/c"},
    ],
)  # fmt: skip
def test_the_cache_is_where_huggingface_hub_has_it(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert Path(run.stdout.strip()) == cache_folder()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return cache_folder()


def put(cache: Path, name: str, content: bytes = b"x", *, ref: str = "main") -> Path:
    """A file as huggingface_hub leaves it where there are no symbolic links."""
    folder = cache / "models--a--b"
    path = folder / "snapshots" / COMMIT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / ref).write_text(COMMIT)
    return path


def test_a_cached_file_is_found_by_branch_tag_and_commit(cache: Path) -> None:
    path = put(cache, "sub/x.pth", ref="main")
    put(cache, "sub/x.pth", ref="v1")
    for source in ("a/b", "a/b/sub/x.pth", "a/b@v1/sub/x.pth", f"a/b@{COMMIT}/sub/x.pth"):
        assert find_weights(source) == path
    found = locate("a/b")
    assert str(found.hub) == "a/b/sub/x.pth"
    assert found.sha256 == ""


def test_what_the_cache_does_not_hold_is_missing_and_named(cache: Path, tmp_path: Path) -> None:
    put(cache, "x.pth")
    for source in ("a/b@v2", "a/b/y.pth", f"a/b@{COMMIT[::-1]}", "a/c"):
        with pytest.raises(HubError, match="put the file into") as caught:
            find_weights(source, [tmp_path])
        told = str(caught.value)
        assert repr(source) in told
        assert str(tmp_path) in told
        assert "https://huggingface.co/a/" in told
        assert f"pixel-kiln models download {source}" in told


def test_of_several_cached_weight_files_one_has_to_be_named(cache: Path) -> None:
    put(cache, "x.pth")
    put(cache, "y.pth")
    with pytest.raises(HubError, match=r"2 weight files; say which: a/b/x\.pth, a/b/y\.pth"):
        find_weights("a/b")
    put(cache, "z.safetensors")
    assert find_weights("a/b").name == "z.safetensors"


def test_a_ref_that_leads_out_of_the_cache_is_not_followed(cache: Path) -> None:
    put(cache, "x.pth")
    (cache / "models--a--b" / "refs" / "main").write_text("../../..")
    with pytest.raises(HubError):
        find_weights("a/b")


def test_a_file_on_the_disk_comes_before_the_cache_but_not_for_a_hub_source(cache: Path, tmp_path: Path) -> None:
    cached = put(cache, "x.pth")
    (tmp_path / "models" / "a").mkdir(parents=True)
    mine = tmp_path / "models" / "a" / "b.safetensors"
    mine.write_bytes(b"mine")
    assert find_weights("a/b", [tmp_path / "models"]) == mine
    assert locate(HubSource("a/b"), [tmp_path / "models"]).path == cached


def test_a_mirror_that_the_user_set_up_is_named(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.test/")
    with pytest.raises(HubError, match=r"https://mirror\.test/a/b/resolve/main/x\.pth"):
        find_weights("a/b/x.pth")


@pytest.mark.parametrize("source", ["x" * 5000, "nul\0byte", "\udcff"])
def test_a_text_that_no_file_can_be_called_is_missing_like_any_other(source: str) -> None:
    with pytest.raises(HubError, match="no model"):
        find_weights(source)
