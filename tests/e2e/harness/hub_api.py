"""The loopback hub's API: repositories, revisions, uploads, commits and tags, as huggingface_hub asks for them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.hub_store import WRITER, Blob, Repository, Store


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    data: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def as_json(value: object, status: int = 200) -> Answer:
    """An answer of JSON."""
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def answer_api(store: Store, method: str, path: str, token: str, body: bytes, storage: str) -> Answer:
    """Answer one request.

    Args:
        store: what the hub holds.
        method: `GET`, `HEAD` or `POST`.
        path: without the query.
        token: the caller's; empty where none was sent.
        body: of a POST.
        storage: address that large files are sent to.
    """
    if path == "/api/whoami-v2":
        known = token in store.tokens
        return as_json({"name": "someone", "type": "user", "orgs": []} if known else {}, 200 if known else 401)
    if path == "/api/validate-yaml":
        return as_json({"errors": [], "warnings": []})
    if path == "/api/repos/create":
        return _create(store, token, json.loads(body))
    for pattern, function in _ROUTES[method if method == "POST" else "GET"]:
        if match := pattern.fullmatch(path):
            name, *rest = match.groups()
            repository = store.repositories.get(name)
            if repository is None or (repository.private and token not in store.tokens):
                return Answer(404 if token else 401, b"", {"X-Error-Code": "RepoNotFound"})
            if method == "POST" and token != WRITER:
                return Answer(403 if token else 401, b"", {"X-Error-Message": "You may not write here"})
            return function(Call(store, repository, rest, body, storage))
    return Answer(404)


@dataclass
class Call:
    """A request that has found its repository."""

    store: Store
    repository: Repository
    rest: list[str]
    body: bytes
    storage: str

    def json(self) -> Any:  # noqa: ANN401
        """The body."""
        return json.loads(self.body)


def _create(store: Store, token: str, wanted: dict[str, Any]) -> Answer:
    if token != WRITER:
        return Answer(403 if token else 401, b"", {"X-Error-Message": "You may not write here"})
    name = f"{wanted['organization'] or 'someone'}/{wanted['name']}"
    url = as_json({"url": f"/{name}", "name": name, "id": name})
    if name in store.repositories:
        return Answer(409, url.data, url.headers)
    private = wanted.get("visibility") == "private" or bool(wanted.get("private"))
    store.repositories[name] = Repository(name, private=private)
    return url


def _info(call: Call) -> Answer:
    revision = call.rest[0] if call.rest else "main"
    commit = call.repository.resolve(revision)
    if commit is None:
        return Answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
    facts = {"id": call.repository.name, "modelId": call.repository.name, "sha": commit, "tags": [], "downloads": 0}
    facts |= {"private": call.repository.private, "gated": "manual" if call.repository.gated else False}
    return as_json({**facts, "siblings": [{"rfilename": path} for path in sorted(call.repository.commits[commit])]})


def _refs(call: Call) -> Answer:
    def told(kind: str, refs: dict[str, str]) -> list[dict[str, str]]:
        return [{"name": n, "ref": f"refs/{kind}/{n}", "targetCommit": oid} for n, oid in refs.items()]

    repository = call.repository
    return as_json(
        {"branches": told("heads", repository.branches), "tags": told("tags", repository.tags), "converts": []}
    )


def _preupload(call: Call) -> Answer:
    def mode(path: str) -> str:
        return "lfs" if path.endswith((".safetensors", ".png")) else "regular"

    files = [{"path": f["path"], "uploadMode": mode(f["path"]), "shouldIgnore": False} for f in call.json()["files"]]
    return as_json({"files": files})


def _batch(call: Call) -> Answer:
    objects = []
    for wanted in call.json()["objects"]:
        entry: dict[str, Any] = {"oid": wanted["oid"], "size": wanted["size"]}
        if wanted["oid"] not in call.store.uploads:
            entry["actions"] = {"upload": {"href": f"{call.storage}/{wanted['oid']}", "header": {}}}
        objects.append(entry)
    return as_json({"transfer": "basic", "objects": objects})


def _commit(call: Call) -> Answer:
    changes: dict[str, Blob] = {}
    deleted: list[str] = []
    for line in call.body.splitlines():
        entry = json.loads(line)
        key, value = entry["key"], entry["value"]
        if key == "file":
            changes[value["path"]] = Blob(base64.b64decode(value["content"]), large=False)
        elif key == "lfsFile":
            blob = Blob(call.store.uploads.get(value["oid"], b""), large=True)
            if blob.sha256 != value["oid"]:
                return Answer(400, b"", {"X-Error-Message": f"{value['path']} was not uploaded"})
            changes[value["path"]] = blob
        elif key == "deletedFile":
            deleted.append(value["path"])
    oid = call.repository.commit(changes, tuple(deleted))
    return as_json({"commitOid": oid, "commitUrl": f"{call.store.address}/{call.repository.name}/commit/{oid}"})


def _tag(call: Call) -> Answer:
    commit, tag = call.repository.resolve(call.rest[0]), call.json()["tag"]
    if commit is None:
        return Answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
    if tag in call.repository.tags:
        return Answer(409)
    call.repository.tags[tag] = commit
    return as_json({})


_Function = Callable[[Call], Answer]
_ROUTES: dict[str, list[tuple[re.Pattern[str], _Function]]] = {
    "GET": [
        (re.compile(r"/api/models/([^/]+/[^/]+)"), _info),
        (re.compile(r"/api/models/([^/]+/[^/]+)/revision/([^/]+)"), _info),
        (re.compile(r"/api/models/([^/]+/[^/]+)/refs"), _refs),
    ],
    "POST": [
        (re.compile(r"/api/models/([^/]+/[^/]+)/preupload/([^/]+)"), _preupload),
        (re.compile(r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch"), _batch),
        (re.compile(r"/api/models/([^/]+/[^/]+)/commit/([^/]+)"), _commit),
        (re.compile(r"/api/models/([^/]+/[^/]+)/tag/([^/]+)"), _tag),
    ],
}
