"""Weights from a real hub server: found, fetched, cached, pinned, and refused with a reason when something is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from harness.hub import Fault, Hub
from harness.hub_client import Told, Worker
from harness.hub_store import READER

Weights = Callable[[int], bytes]
Start = Callable[[Mapping[str, str]], Worker]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refused(told: Told, error: str, *words: str) -> None:
    """It failed with this error, whose sentence holds these words."""
    assert told["error"] == error, told
    for word in words:
        assert word in told["message"], told["message"]
    assert "\n" not in told["message"]


def test_a_download_is_cached_and_the_second_load_needs_no_network(hub: Hub, worker: Worker, weights: Weights) -> None:
    data = weights(1)
    hub.store.add("a/plain", {"tiny.safetensors": data, "README.md": b"# tiny"})
    first = worker.load("a/plain", download=True)
    assert first["arch"] == "native_pixelate"
    assert first["fingerprint"] == sha256(data)[:16]
    asked = len(hub.asked)
    assert asked
    assert worker.load("a/plain")["fingerprint"] == first["fingerprint"]
    assert worker.load("a/plain/tiny.safetensors", download=True)["fingerprint"] == first["fingerprint"]
    assert len(hub.asked) == asked


def test_without_the_switch_nothing_is_asked_and_the_message_says_what_to_do(
    hub: Hub, worker: Worker, tmp_path: Path
) -> None:
    told = worker.locate("a/unseen@v2/tiny.pth", folders=[str(tmp_path)])
    words = ("a/unseen@v2/tiny.pth", str(tmp_path), f"{hub.address}/a/unseen/resolve/v2/tiny.pth", "download")
    refused(told, "HubError", *words)
    assert told["seconds"] < 0.2
    assert hub.asked == []


def test_a_file_in_the_users_folder_comes_before_the_hub(
    hub: Hub, worker: Worker, weights: Weights, tmp_path: Path
) -> None:
    hub.store.add("a/both", {"tiny.safetensors": weights(1)})
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "both.safetensors").write_bytes(weights(2))
    told = worker.load("a/both", folders=[str(tmp_path)], download=True)
    assert told["fingerprint"] == sha256(weights(2))[:16]
    assert hub.asked == []


def test_a_pinned_revision_stays_when_the_repository_moves_on(hub: Hub, worker: Worker, weights: Weights) -> None:
    repository = hub.store.add("a/moving", {"tiny.safetensors": weights(1)})
    commit = repository.branches["main"]
    repository.tags["v1"] = commit
    hub.store.add("a/moving", {"tiny.safetensors": weights(2)})
    prints = {seed: sha256(weights(seed))[:16] for seed in (1, 2, 3)}
    assert worker.load("a/moving@v1/tiny.safetensors", download=True)["fingerprint"] == prints[1]
    assert worker.load(f"a/moving@{commit}", download=True)["fingerprint"] == prints[1]
    assert worker.load("a/moving", download=True)["fingerprint"] == prints[2]
    hub.store.add("a/moving", {"tiny.safetensors": weights(3)})
    assert worker.load("a/moving", download=True)["fingerprint"] == prints[2], "what is here is used"
    assert worker.load("a/moving@v1")["fingerprint"] == prints[1]


def test_a_connection_that_breaks_once_is_taken_up_where_it_broke(hub: Hub, worker: Worker) -> None:
    data = np.random.default_rng(0).bytes(12_000_000)  # huggingface_hub writes pieces of 10 MiB
    hub.store.add("a/breaks", {"big.pth": data})
    hub.faults[sha256(data)] = Fault(break_at=11_000_000, times=1)
    told = worker.locate("a/breaks/big.pth", download=True)
    assert Path(told["path"]).read_bytes() == data
    assert told["sha256"] == sha256(data)
    assert told["steps"][-1] == [len(data), len(data)]
    assert [asked.range for asked in hub.downloads()] == ["", "bytes=10485760-"]


def test_a_connection_that_always_breaks_leaves_nothing_behind(hub: Hub, worker: Worker, weights: Weights) -> None:
    data = weights(4)
    hub.store.add("a/broken", {"tiny.safetensors": data})
    hub.faults[sha256(data)] = Fault(break_at=100)
    told = worker.locate("a/broken", download=True)
    refused(told, "HubError", "a/broken/tiny.safetensors", "try again", hub.address)
    assert told["seconds"] < 30
    assert worker.cached("a/broken") == []
    hub.faults.clear()
    assert worker.load("a/broken", download=True)["fingerprint"] == sha256(data)[:16]


def test_a_file_that_comes_truncated_is_not_kept(hub: Hub, worker: Worker, weights: Weights) -> None:
    data = weights(5)
    hub.store.add("a/cut", {"tiny.safetensors": data})
    hub.faults[sha256(data)] = Fault(cut_to=len(data) // 2)
    refused(worker.locate("a/cut", download=True), "HubError", "cut off", "try again")
    assert worker.cached("a/cut") == []


def test_a_file_with_another_hash_than_the_hub_told_is_not_kept(hub: Hub, worker: Worker, weights: Weights) -> None:
    data, other = weights(6), weights(7)
    assert len(data) == len(other)
    hub.store.add("a/swapped", {"tiny.safetensors": data})
    hub.faults[sha256(data)] = Fault(swap=other)
    refused(worker.locate("a/swapped", download=True), "CheckpointError", sha256(other)[:16], sha256(data)[:16])
    assert worker.cached("a/swapped") == []
    hub.faults.clear()
    assert worker.load("a/swapped", download=True)["fingerprint"] == sha256(data)[:16]


def test_a_published_file_with_another_hash_than_the_registrys_is_refused(
    hub: Hub, worker: Worker, weights: Weights
) -> None:
    repository = hub.store.add("pixel-kiln/pixel-kiln", {"kiln-pixelate.safetensors": weights(8)})
    repository.tags["v1"] = repository.branches["main"]
    told = worker.load("pixel-kiln/pixel-kiln@v1/kiln-pixelate.safetensors", download=True)
    refused(told, "CheckpointError", sha256(weights(8))[:16], "expected")
    assert worker.cached("pixel-kiln/pixel-kiln") == []


def test_a_cached_file_that_was_changed_is_refused_and_fetched_anew_when_asked(
    hub: Hub, worker: Worker, weights: Weights
) -> None:
    data = weights(9)
    hub.store.add("a/changed", {"tiny.safetensors": data})
    path = Path(worker.locate("a/changed", download=True)["path"])
    path.resolve().write_bytes(weights(10))
    refused(worker.load("a/changed"), "CheckpointError", "not the file that was published", str(path))
    assert worker.load("a/changed", download=True)["fingerprint"] == sha256(data)[:16]


@pytest.mark.parametrize(("token", "granted"), [("", False), (READER, False), (READER, True)])
def test_a_gated_repository_opens_only_to_who_was_let_in(
    hub: Hub, worker: Worker, weights: Weights, token: str, granted: bool
) -> None:
    name = f"a/gated-{token or 'nobody'}-{granted}"
    hub.store.add(name, {"tiny.safetensors": weights(11)}, gated=True)
    if granted:
        hub.store.tokens[READER].add(name)
    told = worker.load(f"{name}/tiny.safetensors", download=True, token=token)
    if granted:
        assert told["arch"] == "native_pixelate"
        assert all(not asked.token for asked in hub.downloads()), "the token goes to the hub alone"
    else:
        refused(told, "HubError", "gated", f"{hub.address}/{name}", "hf auth login")


@pytest.mark.parametrize("token", ["", READER])
def test_a_repository_that_is_not_there_is_named(hub: Hub, worker: Worker, token: str) -> None:
    told = worker.locate("a/nowhere/tiny.safetensors", download=True, token=token)
    refused(told, "HubError", f"{hub.address}/a/nowhere is not there, or private")
    refused(worker.locate("a/nowhere", download=True, token=token), "HubError", "is not there, or private")


def test_a_private_repository_needs_a_token(hub: Hub, worker: Worker, weights: Weights) -> None:
    hub.store.add("a/private", {"tiny.safetensors": weights(12)}, private=True)
    refused(worker.load("a/private", download=True), "HubError", "hf auth login")
    assert worker.load("a/private", download=True, token=READER)["arch"] == "native_pixelate"


def test_a_revision_or_a_file_that_is_not_there_is_named(hub: Hub, worker: Worker, weights: Weights) -> None:
    hub.store.add("a/here", {"tiny.safetensors": weights(13)})
    refused(worker.locate("a/here@v9/tiny.safetensors", download=True), "HubError", "no revision 'v9'")
    refused(worker.locate("a/here@v9", download=True), "HubError", "no revision 'v9'")
    refused(worker.locate("a/here/other.pth", download=True), "HubError", "no file 'other.pth'")


def test_of_several_weight_files_one_has_to_be_named(hub: Hub, worker: Worker, weights: Weights) -> None:
    hub.store.add("a/many", {"x.safetensors": weights(1), "y.safetensors": weights(2), "z.pth": b"z"})
    refused(worker.locate("a/many", download=True), "HubError", "a/many/x.safetensors", "a/many/y.safetensors")
    hub.store.add("a/none", {"README.md": b"none"})
    refused(worker.locate("a/none", download=True), "HubError", "holds no weight file")
    hub.store.add("a/mixed", {"x.safetensors": weights(1), "z.pth": b"z"})
    assert worker.locate("a/mixed", download=True)["path"].endswith("x.safetensors")


@pytest.mark.parametrize("status", [403, 500, 503])
def test_a_hub_that_refuses_or_is_down_is_told_from_a_missing_file(hub: Hub, worker: Worker, status: int) -> None:
    hub.store.add(f"a/down-{status}", {"tiny.safetensors": b"x"})
    hub.status[f"a/down-{status}"] = status
    told = worker.locate(f"a/down-{status}/tiny.safetensors", download=True)
    refused(told, "HubError", str(status))
    assert told["seconds"] < 5


def test_a_file_too_large_for_any_network_is_not_fetched(hub: Hub, worker: Worker) -> None:
    hub.store.add("a/huge", {"huge.safetensors": b"x"})
    hub.sizes["a/huge"] = 3 * 2**30
    refused(worker.locate("a/huge", download=True), "HubError", "3.0 GiB")
    assert hub.downloads() == []


def test_without_a_network_it_says_so_quickly(lonely: Worker, tmp_path: Path) -> None:
    lonely.locate("a/first", download=True, folders=[str(tmp_path)])  # imports huggingface_hub
    for source in ("a/alone", "a/alone@v1/tiny.safetensors"):
        told = lonely.locate(source, download=True, folders=[str(tmp_path)])
        refused(told, "HubError", source, "check the network", str(tmp_path), "/a/alone/")
        assert told["seconds"] < 3


def test_the_offline_variable_is_named(hub: Hub, start: Start, tmp_path: Path) -> None:
    offline = start({**hub.environ(tmp_path / "hf"), "HF_HUB_OFFLINE": "1"})
    refused(offline.locate("a/plain/x.pth", download=True), "HubError", "HF_HUB_OFFLINE is set")
    assert hub.asked == []


def test_two_processes_at_once_get_the_same_whole_file(hub: Hub, start: Start, tmp_path: Path) -> None:
    data = np.random.default_rng(1).bytes(20_000_000)
    hub.store.add("a/shared", {"big.pth": data})
    pair = [start(hub.environ(tmp_path / "hf")) for _ in range(2)]
    for worker in pair:
        worker.locate("kiln-pixelate")  # both have started
    for worker in pair:
        worker.order("locate", "a/shared/big.pth", download=True)
    told = [worker.told() for worker in pair]
    assert [t["error"] for t in told] == ["", ""]
    assert told[0]["path"] == told[1]["path"]
    assert Path(told[0]["path"]).read_bytes() == data
    assert not [name for name in pair[0].cached("a/shared") if name.endswith(".incomplete")]


def test_a_cancelled_download_raises_what_the_callback_raised_and_leaves_nothing(
    hub: Hub, worker: Worker, weights: Weights
) -> None:
    hub.store.add("a/cancelled", {"tiny.safetensors": weights(14)})
    told = worker.locate("a/cancelled", download=True, cancel=True)
    assert told["error"] == "KeyError"
    assert worker.cached("a/cancelled") == []


def test_looking_for_a_missing_model_does_not_import_the_hubs_library(start: Start) -> None:
    fresh = start({})
    told = fresh.locate("a/unseen")
    refused(told, "HubError", "a/unseen")
    assert not told["hub"]
