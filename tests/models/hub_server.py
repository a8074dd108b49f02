"""A Hub of one process, over TCP, for the real client: repositories with commits, LFS, private ones, and faults.

What the client asks for and what it needs in return was measured, not read; whatever is not here answers 404.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from huggingface_hub import constants

TOKEN = "hf_test"


@dataclass
class Repository:
    """Its commits, each all of its files; the last is `main`."""

    private: bool = False
    commits: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)
    lfs: set[str] = field(default_factory=set)

    @property
    def files(self) -> dict[str, bytes]:
        return self.commits[-1][1]

    def commit(self, files: dict[str, bytes]) -> str:
        oid = hashlib.sha1(f"{len(self.commits)}{sorted(files)}".encode()).hexdigest()
        self.commits.append((oid, files))
        return oid

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        if revision == "main":
            return self.commits[-1]
        return next((commit for commit in self.commits if commit[0] == revision), None)


@dataclass
class Hub:
    """What it holds, and what is wrong with it.

    Attributes:
        tokens: that it knows.
        refuses: the status that everything gets.
        refuses_commits: the status that commits get.
        drops_uploads: connections of LFS uploads are closed half way.
        damages: names of files that are sent with a bit flipped.
    """

    url: str = ""
    repos: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    refuses: int | None = None
    refuses_commits: int | None = None
    drops_uploads: bool = False
    damages: set[str] = field(default_factory=set)
    fails: dict[str, int] = field(default_factory=dict)
    """Status of the answer to whatever has that text in its path."""
    requests: list[str] = field(default_factory=list)

    @property
    def files(self) -> dict[tuple[str, str], bytes]:
        return {(name, path): data for name, repo in self.repos.items() for path, data in repo.files.items()}


def oid_of(content: bytes, lfs: bool) -> str:
    if lfs:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    # Requests

    def do_GET(self) -> None:
        self._serve("GET")

    def do_HEAD(self) -> None:
        self._serve("HEAD")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def _serve(self, method: str) -> None:
        url = urllib.parse.urlsplit(self.path)
        path, self.query = urllib.parse.unquote(url.path), urllib.parse.parse_qs(url.query)
        self.hub.requests.append(f"{method} {path}")
        if self.hub.drops_uploads and path.startswith("/objects/"):
            self.rfile.read(10)
            self.close_connection = True
            self.connection.close()
            return None
        self.body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.hub.refuses is not None:
            return self._answer({"error": "no"}, self.hub.refuses)
        for text, status in self.hub.fails.items():
            if text in path:
                return self._answer({"error": "out of order"}, status)
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        if token and token not in self.hub.tokens:
            return self._fail(401, None, "Invalid credentials in Authorization header")
        self.known = bool(token)
        for verb, pattern, action in ROUTES:
            if verb in (method, "GET" if method == "HEAD" else "") and (match := re.fullmatch(pattern, path)):
                return getattr(self, action)(*match.groups())
        return self._answer({"error": "no such endpoint"}, 404)

    # What is asked

    def create(self) -> None:
        if not self.known:
            return self._fail(401, None, "log in")
        wanted = json.loads(self.body)
        name = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        answer = {"url": f"{self.hub.url}/{name}", "name": name, "id": name}
        if name in self.hub.repos:
            return self._answer({**answer, "error": "You already created this model repo"}, 409)
        repo = self.hub.repos[name] = Repository(wanted.get("private") is True or wanted.get("visibility") == "private")
        repo.commit({".gitattributes": b"*.safetensors filter=lfs\n*.mp4 filter=lfs\n"})
        return self._answer(answer)

    def validate(self) -> None:
        self._answer({"errors": [], "warnings": []})

    def models(self) -> None:
        author = self.query.get("author", [""])[0]
        self._answer(
            [
                {"id": name, "modelId": name, "sha": repo.commits[-1][0], "tags": ["inrvid"], "private": repo.private}
                for name, repo in self.hub.repos.items()
                if name.startswith(author) and not repo.private
            ]
        )

    def model(self, name: str, revision: str | None) -> None:
        if found := self._commit(name, revision or "main"):
            oid, files = found
            self._answer({"id": name, "modelId": name, "sha": oid, "siblings": [{"rfilename": f} for f in files]})

    def paths_info(self, name: str, revision: str) -> None:
        if found := self._commit(name, revision):
            paths = urllib.parse.parse_qs(self.body.decode()).get("paths", [])
            self._answer([self._info(name, path, found[1][path]) for path in paths if path in found[1]])

    def tree(self, name: str, revision: str) -> None:
        if found := self._commit(name, revision):
            self._answer([self._info(name, path, data) for path, data in found[1].items()])

    def preupload(self, name: str, revision: str) -> None:
        if not (found := self._commit(name, revision)):
            return
        files = []
        for wanted in json.loads(self.body)["files"]:
            path, data = wanted["path"], found[1].get(wanted["path"])
            lfs = path.endswith((".safetensors", ".mp4"))
            mode = {"uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
            files.append({"path": path, **mode, "oid": None if data is None else oid_of(data, lfs)})
        self._answer({"files": files})

    def batch(self, name: str) -> None:
        objects = []
        for wanted in json.loads(self.body)["objects"]:
            oid, size = wanted["oid"], wanted["size"]
            actions = {"upload": {"href": f"{self.hub.url}/objects/{oid}"}}
            objects.append({"oid": oid, "size": size, **({} if oid in self.hub.objects else {"actions": actions})})
        self._answer({"transfer": "basic", "objects": objects})

    def upload(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            return self._answer({"error": "another file"}, 400)
        self.hub.objects[oid] = self.body
        return self._answer({})

    def commit(self, name: str, revision: str) -> None:
        if not (found := self._commit(name, revision)):
            return None
        if self.hub.refuses_commits is not None:
            return self._answer({"error": "out of order"}, self.hub.refuses_commits)
        repo, files = self.hub.repos[name], dict(found[1])
        for line in map(json.loads, self.body.decode().splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.objects[value["oid"]]
                repo.lfs.add(value["path"])
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        oid = repo.commit(files)
        return self._answer(
            {"commitUrl": f"{self.hub.url}/{name}/commit/{oid}", "commitOid": oid, "hookOutput": "", "success": True}
        )

    def resolve(self, name: str, revision: str, path: str) -> None:
        if not (found := self._commit(name, revision)):
            return None
        oid, files = found
        if path not in files:
            return self._fail(404, "EntryNotFound", f"{path} does not exist")
        content, lfs = files[path], path in self.hub.repos[name].lfs
        etag = oid_of(content, lfs)
        headers = {"X-Repo-Commit": oid, "ETag": f'"{etag}"'}
        if not lfs:
            return self._send(self._sent(path, content), headers)
        other = self.hub.url.replace("127.0.0.1", "localhost")  # as the Hub's store of large files, another host
        headers |= {"X-Linked-Size": str(len(content)), "X-Linked-Etag": f'"{etag}"'}
        return self._send(b"", {**headers, "Location": f"{other}/objects/{etag}?name={path}"}, 302)

    def download(self, oid: str) -> None:
        self._send(self._sent(self.query["name"][0], self.hub.objects[oid]), {"ETag": f'"{oid}"'})

    # Answers

    def _sent(self, path: str, content: bytes) -> bytes:
        return content[:-1] + bytes([content[-1] ^ 1]) if path in self.hub.damages else content

    def _commit(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and not self.known):
            self._fail(401 if not self.known else 404, "RepoNotFound", "Repository not found")
            return None
        commit = repo.at(revision)
        if commit is None:
            self._fail(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _info(self, name: str, path: str, content: bytes) -> dict[str, Any]:
        info = {"type": "file", "path": path, "size": len(content), "oid": oid_of(content, False)}
        if path in self.hub.repos[name].lfs:
            info["lfs"] = {"oid": oid_of(content, True), "size": len(content), "pointerSize": 130}
        return info

    def _fail(self, status: int, code: str | None, message: str) -> None:
        headers = {"X-Error-Message": message, **({"X-Error-Code": code} if code else {})}
        self._send(json.dumps({"error": message}).encode(), headers, status)

    def _answer(self, data: Any, status: int = 200) -> None:
        self._send(json.dumps(data).encode(), {"Content-Type": "application/json"}, status)

    def _send(self, content: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *arguments: Any) -> None:
        pass


REPO = r"([\w.-]+/[\w.-]+)"
ROUTES = [
    ("POST", "/api/repos/create", "create"),
    ("POST", "/api/validate-yaml", "validate"),
    ("GET", "/api/models", "models"),
    ("GET", rf"/api/models/{REPO}(?:/revision/([^/]+))?", "model"),
    ("POST", rf"/api/models/{REPO}/paths-info/([^/]+)", "paths_info"),
    ("GET", rf"/api/models/{REPO}/tree/([^/]+)", "tree"),
    ("POST", rf"/api/models/{REPO}/preupload/([^/]+)", "preupload"),
    ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", "batch"),
    ("PUT", "/objects/([0-9a-f]{64})", "upload"),
    ("GET", "/objects/([0-9a-f]{64})", "download"),
    ("POST", rf"/api/models/{REPO}/commit/([^/]+)", "commit"),
    ("GET", rf"/{REPO}/resolve/([^/]+)/(.+)", "resolve"),
]


@contextlib.contextmanager
def serving() -> Iterator[Hub]:
    """A Hub at `url`, for clients of other processes: HF_ENDPOINT."""
    hub = Hub()
    handler = type("Bound", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def hub(monkeypatch: pytest.MonkeyPatch, *, refuses: int | None = None) -> Iterator[Hub]:
    """A Hub for this process, which is logged in."""
    with serving() as state:
        state.refuses = refuses
        monkeypatch.setattr(constants, "ENDPOINT", state.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", state.url + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
        yield state
