"""A Hub of one process: what `create_repo` and `upload_folder` ask for, and nothing else."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
from huggingface_hub import constants


@contextlib.contextmanager
def hub(monkeypatch: pytest.MonkeyPatch, *, refuses: int | None = None) -> Iterator[SimpleNamespace]:
    """Files by repository and name, and who has made which repository how; `refuses`: with which status all is."""
    state = SimpleNamespace(repos={}, files={}, tokens=set())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            state.tokens.add(self.headers["Authorization"])
            if refuses is not None:
                return self.answer({"error": "no"}, refuses)
            if self.path == "/api/repos/create":
                wanted = json.loads(body)
                name = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
                state.repos[name] = wanted
                return self.answer({"url": f"{self.server.url}/{name}", "name": name, "id": name})
            _, _, _, owner, name, what, *_ = self.path.split("?")[0].split("/")
            if what == "preupload":
                paths = [file["path"] for file in json.loads(body)["files"]]
                return self.answer(
                    {"files": [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in paths]}
                )
            for line in map(json.loads, body.decode().splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    state.files[f"{owner}/{name}", line["value"]["path"]] = content
            commit = {"commitUrl": f"{self.server.url}/{owner}/{name}/commit/1", "commitOid": "1" * 40}
            return self.answer({**commit, "hookOutput": "", "success": True})

        def do_GET(self):
            self.answer({}, 404)

        def answer(self, data, status=200):
            content = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setenv("HF_TOKEN", "hf_test")
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
