"""A small client for ComfyUI's HTTP and websocket interface."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import websocket

Json = dict[str, Any]
Prompt = dict[str, Json]


class RefusedError(Exception):
    """An answer that is not 200; `status` is its code, `body` the server's JSON (or text)."""

    def __init__(self, status: int, body: Any) -> None:  # noqa: ANN401
        """Keeps what the server said."""
        super().__init__(f"HTTP {status}: {json.dumps(body)[:2000]}")
        self.status = status
        self.body = body


@dataclass
class Run:
    """How a queued prompt went, as the websocket told it."""

    prompt_id: str
    status: str = ""
    """`success`, `error` or `interrupted`."""
    executed: list[str] = field(default_factory=list)
    """Ids of the nodes that ran, in order."""
    cached: list[str] = field(default_factory=list)
    """Ids of the nodes whose earlier result was used."""
    progress: list[tuple[str, float, float]] = field(default_factory=list)
    """(node id, value, max) as told."""
    error: Json = field(default_factory=dict)
    """ComfyUI's execution_error message, if any."""
    outputs: dict[str, Json] = field(default_factory=dict)
    """What the nodes showed or saved, by node id."""
    seconds: float = 0.0


class Client:
    """Talks to one server."""

    def __init__(self, address: str) -> None:
        """Takes the server's address, such as `http://127.0.0.1:8188`."""
        self.address = address
        self.client_id = uuid.uuid4().hex

    def request(self, path: str, data: Json | None = None, timeout: float = 60.0) -> bytes:
        """The body of a GET, or of a POST with JSON where `data` is given.

        Raises:
            RefusedError: the answer is not 200.
        """
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(self.address + path, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", errors="replace")
            try:
                content = json.loads(text)
            except ValueError:
                content = text
            raise RefusedError(error.code, content) from None

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """JSON from the server."""
        return json.loads(self.request(path))

    def object_info(self) -> dict[str, Json]:
        """Every node type that the server knows."""
        return self.get("/object_info")

    def queue(self, prompt: Prompt) -> str:
        """Queues a prompt in API format; returns its id.

        Raises:
            RefusedError: validation failed.
        """
        return json.loads(self.request("/prompt", {"prompt": prompt, "client_id": self.client_id}))["prompt_id"]

    def history(self, prompt_id: str) -> Json:
        """What the server remembers of a prompt; empty while it runs."""
        return self.get(f"/history/{prompt_id}").get(prompt_id, {})

    def view(self, image: Json) -> bytes:
        """The bytes of a picture, named as in a node's output."""
        return self.request("/view?" + urllib.parse.urlencode(image))

    def interrupt(self) -> None:
        """Stops what runs."""
        self.request("/interrupt", {})

    def run(self, prompt: Prompt, seconds: float = 120.0, *, interrupt_at: str | None = None) -> Run:
        """Queues a prompt and follows it to its end.

        Args:
            prompt: in API format.
            seconds: how long it may take.
            interrupt_at: id of a node; `/interrupt` is sent at the first progress it reports (0 of n does not count).

        Raises:
            RefusedError: validation failed.
            TimeoutError: it did not end in time.
        """
        with closing(websocket.create_connection(self._socket_address(), timeout=seconds)) as socket:
            started = time.monotonic()
            run = Run(self.queue(prompt))
            for message in _messages(socket, started + seconds):
                kind, data = message["type"], message["data"]
                if data.get("prompt_id") not in (None, run.prompt_id):
                    continue
                if _note(run, kind, data):
                    break
                if interrupt_at is not None and interrupt_at in (node for node, value, _ in run.progress if value > 0):
                    self.interrupt()
                    interrupt_at = None
            run.seconds = time.monotonic() - started
        run.outputs = self._outputs(run.prompt_id)
        return run

    def wait(self, prompt_id: str, seconds: float = 120.0) -> dict[str, Json]:
        """Waits for a prompt that someone else queued (the browser).

        Returns:
            What its nodes showed or saved, by node id.

        Raises:
            RuntimeError: it failed.
            TimeoutError: it did not end in time.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if entry := self.history(prompt_id):
                if entry["status"]["status_str"] != "success":
                    raise RuntimeError(f"prompt {prompt_id} failed: {json.dumps(entry['status'])[:2000]}")
                return entry["outputs"]
            time.sleep(0.1)
        raise TimeoutError(f"prompt {prompt_id} did not end within {seconds:.0f} s")

    def _outputs(self, prompt_id: str) -> dict[str, Json]:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:  # the history is written just after the last message
            if entry := self.history(prompt_id):
                return entry["outputs"]
            time.sleep(0.05)
        raise TimeoutError(f"prompt {prompt_id} ended but /history does not know it")

    def _socket_address(self) -> str:
        return self.address.replace("http://", "ws://") + f"/ws?clientId={self.client_id}"


def _messages(socket: websocket.WebSocket, deadline: float) -> Iterator[Json]:
    """The text messages that arrive before the deadline; previews (binary) are passed over."""
    while (left := deadline - time.monotonic()) > 0:
        socket.settimeout(left)
        try:
            message = socket.recv()
        except websocket.WebSocketTimeoutException:
            break
        if isinstance(message, str) and message:
            yield json.loads(message)
    raise TimeoutError("the prompt did not end in time")


def _note(run: Run, kind: str, data: Json) -> bool:
    """Enters a message into `run`; True when it was the last one."""
    if kind == "execution_cached":
        run.cached += data["nodes"]
    elif kind == "executing" and data.get("node"):
        run.executed.append(data["node"])
    elif kind == "progress":
        run.progress.append((data["node"], data["value"], data["max"]))
    elif kind == "execution_error":
        run.status, run.error = "error", data
    elif kind == "execution_interrupted":
        run.status = "interrupted"
    elif kind == "execution_success":
        run.status = "success"
    return bool(run.status)
