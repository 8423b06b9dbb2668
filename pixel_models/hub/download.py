"""Fetches one file from the Hugging Face hub into its cache, checks it, and says in a sentence why it could not.

The only module that imports huggingface_hub, and it does so when it is asked to fetch: that takes a third of a second.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, HubError
from ..sampling import StepCallback
from ..weightfile import sha256_of
from .cache import cache_folder, forget
from .sources import HubSource, choose_file, endpoint

SECONDS = 10.0
"""How long the hub may take to answer the first question before it counts as out of reach."""

LARGEST = 2 * 2**30
"""Bytes; a larger file holds no network that this package knows, and is not fetched."""

NETWORK = {"httpx", "httpx2", "httpcore", "httpcore2", "requests", "urllib3", "huggingface_hub"}
"""Packages whose errors mean that the network failed; which ones depends on the version of huggingface_hub."""


def fetch(source: HubSource, place: Path, callback: StepCallback | None = None) -> tuple[Path, str, HubSource]:
    """Download a weight file into the Hugging Face cache.

    Args:
        source: what to fetch.
        place: folder that the user is told to put the file into where it cannot be fetched.
        callback: hears `(bytes, bytes in all)`.

    Returns:
        The file; its SHA-256 where the registry or the hub says what it must be, else an empty text; and `source`
        with the file's name.

    Raises:
        HubError: it cannot be fetched; says why, and what to do.
        CheckpointError: what came has another SHA-256 than it should; it is not kept.
    """
    try:
        from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url
    except ImportError as error:
        msg = (
            f"{source} cannot be downloaded without the package huggingface_hub: install it, {_by_hand(source, place)}"
        )
        raise HubError(msg) from error
    try:
        if not source.file:
            info = HfApi().model_info(source.repository, revision=source.revision, timeout=SECONDS)
            files = [sibling.rfilename for sibling in info.siblings or ()]
            source = HubSource(source.repository, source.revision, choose_file(source, files))
        url = hf_hub_url(source.repository, source.file, revision=source.revision)
        # Asked first, because hf_hub_download tries for half a minute where there is no network.
        told = get_hf_file_metadata(url, timeout=SECONDS)
        if told.size is not None and told.size > LARGEST:
            msg = f"{source} has {told.size / 2**30:.1f} GiB, and no network that this version knows is larger than 2"
            raise HubError(msg)
        path = Path(
            hf_hub_download(
                source.repository,
                source.file,
                revision=source.revision,
                cache_dir=cache_folder(),
                **_progress(callback, hf_hub_download),
            )
        )
    except HubError:
        raise
    except Exception as error:
        if not (isinstance(error, OSError) or type(error).__module__.partition(".")[0] in NETWORK):
            raise  # the callback's, which cancels
        msg = f"{source} cannot be downloaded: {_reason(source, error)}"
        raise HubError(f"{msg}, {_by_hand(source, place)}") from error
    etag = told.etag or ""
    expected = source.sha256 or (etag if len(etag) == 64 else "")
    if expected and (arrived := sha256_of(path)) != expected:
        forget(path)
        msg = f"{source} has the SHA-256 {arrived[:16]}..., expected {expected[:16]}...: not kept; download it again"
        raise CheckpointError(f"{msg}, and if that does not help, tell the people of {source.repository}")
    return path, expected, source


def _by_hand(source: HubSource, place: Path) -> str:
    return f"or put the file into {place}, from {source.address}"


def _reason(source: HubSource, error: Exception) -> str:
    """Why the hub did not give the file, and what helps."""
    from huggingface_hub.utils import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    causes = [error, error.__cause__, error.__context__]
    page = f"{endpoint()}/{source.repository}"
    if any(isinstance(cause, OfflineModeIsEnabled) for cause in causes):
        return "HF_HUB_OFFLINE is set; unset it"
    if isinstance(error, GatedRepoError):
        return f"it is gated; ask for access on {page}, then log in with `hf auth login` or set HF_TOKEN"
    if isinstance(error, RepositoryNotFoundError):
        return f"{page} is not there, or private; check the name, or log in with `hf auth login` or set HF_TOKEN"
    if isinstance(error, RevisionNotFoundError):
        return f"{source.repository} has no revision {source.revision!r}; see {page}"
    if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
        return f"{source.repository}@{source.revision} has no file {source.file!r}; see {page}"
    if isinstance(error, HfHubHTTPError) and (response := getattr(error, "response", None)) is not None:
        if response.status_code in (401, 403):
            return f"the hub refuses it ({response.status_code}); log in with `hf auth login` or set HF_TOKEN"
        return f"{endpoint()} answered {response.status_code}; try again later"
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and error.errno is not None:
        return f"{text}; make room or check the folder {cache_folder()}"
    if "Consistency check" in text:
        return "the file that came is cut off or too long; try again"
    return f"{endpoint()} does not answer or the connection broke ({text[:120]}); check the network and try again"


def _progress(callback: StepCallback | None, download: Any) -> dict[str, Any]:  # noqa: ANN401 - a function
    """Options for `hf_hub_download` that make it report to `callback`; older versions cannot."""
    if callback is None or "tqdm_class" not in inspect.signature(download).parameters:
        return {}
    from tqdm import tqdm

    class Bar(tqdm):  # pyright: ignore[reportMissingTypeArgument] - tqdm is generic in its stubs alone
        """Told of every piece that arrives."""

        def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
            options.pop("name", None)  # huggingface_hub's own
            super().__init__(*arguments, **options)

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            callback(int(self.n), int(self.total or self.n))
            return shown

    return {"tqdm_class": Bar}
