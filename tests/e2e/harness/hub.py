"""A hub on the loopback: a real HTTP server that speaks the Hugging Face hub's protocol, with faults on demand.

It serves what huggingface_hub asks when it creates a repository, uploads, commits, tags, looks up and downloads. Large
files lie, as on the hub, behind a redirect to another origin (here another port), whose answers know byte ranges. What
it does not speak is Xet: huggingface_hub then downloads by plain HTTP, and with HF_HUB_DISABLE_XET=1 uploads so too.
"""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from harness.hub_api import Answer, answer_api
from harness.hub_store import Store

_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass
class Fault:
    """What goes wrong with one large file."""

    break_at: int | None = None
    """The connection breaks when this byte of the file would be sent."""

    times: int = 10**6
    """How often it breaks; then all is well."""

    cut_to: int | None = None
    """Only so many bytes are sent, and the storage says that these are all."""

    swap: bytes | None = None
    """Sent instead."""


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    status: int
    range: str = ""
    token: str = ""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    hub: Hub

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Clients that leave early are no fault of the server."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Quiet  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Requests are noted in `Hub.asked` instead."""

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def reply(self, answer: Answer) -> None:
        path, range_ = urlsplit(self.path).path, self.headers.get("Range", "")
        self.server.hub.asked.append(Asked(self.command, path, answer.status, range_, self.token))
        self.send_response(answer.status)
        for key, value in {"Content-Length": str(len(answer.data)), **answer.headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.data)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub, path = self.server.hub, unquote(urlsplit(self.path).path)
        if self.server is hub.storage:
            self.send_large(path.removeprefix("/"))
        elif match := _RESOLVE.fullmatch(path):
            self.reply(hub.resolve(*match.groups(), token=self.token))
        else:
            self.reply(answer_api(hub.store, self.command, path, self.token, b"", hub.address))

    def do_POST(self) -> None:
        body, path = self.body(), unquote(urlsplit(self.path).path)
        self.reply(answer_api(self.server.hub.store, "POST", path, self.token, body, self.server.hub.storage_address))

    def do_PUT(self) -> None:
        body, name = self.body(), urlsplit(self.path).path.removeprefix("/")
        self.server.hub.store.uploads[name] = body
        self.reply(Answer(200, b"", {"ETag": f'"{name[:32]}"'}))

    def send_large(self, sha256: str) -> None:
        """A large file, from the byte that is asked for, with whatever fault is planted."""
        hub = self.server.hub
        whole = hub.store.uploads.get(sha256)
        if whole is None:
            self.reply(Answer(404))
            return
        fault = hub.faults.get(sha256, Fault())
        data = (fault.swap or whole)[: fault.cut_to]
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(match[1]) if match else 0
        if start and start >= len(data):
            self.reply(Answer(416, b"", {"Content-Range": f"bytes */{len(data)}"}))
            return
        headers = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if match else {}
        if fault.break_at is None or fault.times <= 0 or fault.break_at >= len(data):
            self.reply(Answer(206 if match else 200, data[start:], headers))
            return
        fault.times -= 1
        hub.asked.append(Asked("GET", f"/{sha256}", 206 if match else 200, self.headers.get("Range", "")))
        self.send_response(206 if match else 200)
        for key, value in {"Content-Length": str(len(data) - start), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data[start : fault.break_at])
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


@dataclass
class Hub:
    """The server; runs inside a `with` block. `environ` makes any program use it."""

    store: Store = field(default_factory=Store)
    faults: dict[str, Fault] = field(default_factory=dict)
    """By SHA-256 of the file."""

    status: dict[str, int] = field(default_factory=dict)
    """Repositories for which every file look-up is answered with this status."""

    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes that a repository's large files are said to have, where that is not true."""

    asked: list[Asked] = field(default_factory=list)
    """Every request, in order."""

    def __post_init__(self) -> None:
        """Takes two free ports."""
        self.front, self.storage = (_Quiet(("127.0.0.1", 0), _Handler) for _ in range(2))
        self.front.hub = self.storage.hub = self
        self.store.address = self.address

    @property
    def address(self) -> str:
        """What HF_ENDPOINT is set to."""
        return f"http://127.0.0.1:{self.front.server_address[1]}"

    @property
    def storage_address(self) -> str:
        """Where large files lie."""
        return f"http://127.0.0.1:{self.storage.server_address[1]}"

    def environ(self, home: Path, token: str = "") -> dict[str, str]:
        """Variables with which huggingface_hub uses this hub alone, with `home` as its folder."""
        own = {"HF_ENDPOINT": self.address, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
        return {**own, "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1", "HF_TOKEN": token}

    def resolve(self, name: str, revision: str, path: str, *, token: str) -> Answer:
        """The hub's answer to `/org/repo/resolve/revision/path`."""
        if name in self.status:
            return Answer(self.status[name])
        answer = answer_api(self.store, "GET", f"/api/models/{name}/revision/{revision}", token, b"", self.address)
        repository = self.store.repositories.get(name)
        if answer.status != 200 or repository is None:
            return answer
        if repository.gated and name not in self.store.tokens.get(token, set()):
            words = f"Access to model {name} is restricted."
            return Answer(403 if token else 401, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": words})
        commit = repository.resolve(revision)
        assert commit is not None
        headers = {"X-Repo-Commit": commit}
        blob = repository.commits[commit].get(path)
        if blob is None:
            return Answer(404, b"", {**headers, "X-Error-Code": "EntryNotFound"})
        if not blob.large:
            return Answer(200, blob.data, {**headers, "ETag": f'"{blob.etag}"'})
        self.store.uploads.setdefault(blob.sha256, blob.data)
        linked = {"X-Linked-Size": str(self.sizes.get(name, len(blob.data))), "X-Linked-Etag": f'"{blob.etag}"'}
        return Answer(302, b"", {**headers, **linked, "Location": f"{self.storage_address}/{blob.sha256}"})

    def downloads(self) -> list[Asked]:
        """Requests for large files' content."""
        return [asked for asked in self.asked if asked.method == "GET" and re.fullmatch(r"/[0-9a-f]{64}", asked.path)]

    def __enter__(self) -> Hub:
        """Starts it."""
        for server in (self.front, self.storage):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends it."""
        for server in (self.front, self.storage):
            server.shutdown()
            server.server_close()


def nowhere() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
