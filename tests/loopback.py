"""A Hugging Face hub on this machine: what its clients ask of repositories, answered over HTTP on a loopback port.

The clients read the hub's address when they are first imported: whoever asks is a process of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"
# Of a backbone's repository: what is asked for, and what must not be.
MODEL_FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": b"not read here",
    "tokenizer.json": b"{}",
    "1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}',
    "pytorch_model.bin": b"pickled, never asked for",
    "README.md": b"never asked for",
}


@dataclass
class Repository:
    """Files of one commit, and the branches and tags that name it.

    Attributes:
        kind: "models" or "datasets", as the hub's addresses have it.
    """

    kind: str
    name: str
    files: Mapping[str, bytes]
    commit: str = COMMIT
    names: tuple[str, ...] = ("main",)

    def has(self, revision: str) -> bool:
        return revision in (self.commit, *self.names)

    def info(self) -> dict[str, Any]:
        return {"id": self.name, "sha": self.commit, "siblings": [{"rfilename": name} for name in self.files]}

    def entry(self, name: str) -> dict[str, Any]:
        content = self.files[name]
        return {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def tree(self, folder: str, recursive: bool) -> list[dict[str, Any]] | None:
        """Files below a folder, or in it with the folders in it; None where there is no such folder."""
        within = folder and f"{folder}/"
        files = [name for name in self.files if name.startswith(within)]
        if folder and not files:
            return None
        below = sorted({within + name[len(within) :].split("/")[0] for name in files if "/" in name[len(within) :]})
        folders = [{"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in below]
        return [*folders, *(self.entry(name) for name in files if recursive or "/" not in name[len(within) :])]


@dataclass
class Hub:
    """A running server.

    Attributes:
        asked: Method and path of every request.
        cut: End of a path; half of that file is sent, and then the network is gone.
    """

    port: int
    repositories: list[Repository]
    asked: list[str] = field(default_factory=list)
    cut: str | None = None
    stop: Callable[[], None] = lambda: None  # as if the network were gone

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        """Environment of a process for which this is the hub, with its caches under `home`."""
        kept = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.startswith("HF_")}
        return kept | {
            "HF_HOME": str(home),
            "HF_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "PYTHONPATH": str(Path(__file__).parents[1]),
            **more,
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_GET

    def _answer(self) -> None:
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        address, _, query = self.path.partition("?")
        address = unquote(address)
        hub.asked.append(f"{self.command} {address}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        named = [r for r in hub.repositories if _within(r, address)]
        if not named:
            self._send(b"", {"X-Error-Code": "RepoNotFound"}, 404)
            return
        verb, _, rest = _within(named[0], address).partition("/")
        for repository in named:
            revisions = (repository.commit, *repository.names)
            revision = next((r for r in revisions if rest == r or rest.startswith(f"{r}/")), None)
            if not verb or revision:
                self._serve(repository, verb, rest[len(revision or "") + 1 :], query, body)
                return
        self._send(b"", {"X-Error-Code": "RevisionNotFound"}, 404)

    def _serve(self, repository: Repository, verb: str, path: str, query: str, body: bytes) -> None:
        if verb in ("", "revision"):
            self._json(repository.info())
        elif verb == "tree" and (tree := repository.tree(path, "recursive=true" in query.lower())) is not None:
            self._json(tree)
        elif verb == "paths-info":
            found = [repository.entry(name) for name in json.loads(body)["paths"] if name in repository.files]
            self._json(found)
        elif verb == "resolve" and path in repository.files:
            etag = f'"{repository.entry(path)["oid"]}"'
            self._send(repository.files[path], {"ETag": etag, "X-Repo-Commit": repository.commit})
        else:
            self._send(b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": repository.commit}, 404)

    def _json(self, value: object) -> None:
        self._send(json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, content: bytes, headers: Mapping[str, str], status: int = 200) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        hub: Hub = self.server.hub  # type: ignore[attr-defined]
        lost = hub.cut is not None and self.command == "GET" and self.path.endswith(hub.cut)
        if lost:
            hub.stop()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if lost else content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _within(repository: Repository, address: str) -> str:
    """What of an address follows the repository, as "resolve/main/config.json"; "" where it is another's.

    The bare repository, whose newest commit is asked for, is "revision/main".
    """
    prefix = "" if repository.kind == "models" else f"{repository.kind}/"
    for start in (f"/api/{repository.kind}/{repository.name}", f"/{prefix}{repository.name}"):
        if address == start:
            return f"revision/{repository.names[0]}"
        if address.startswith(f"{start}/"):
            return address[len(start) + 1 :]
    return ""


@contextlib.contextmanager
def serve(*repositories: Repository) -> Iterator[Hub]:
    """A hub with these repositories, for a `with` block."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.hub = hub = Hub(server.server_port, list(repositories))  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    hub.stop = stop
    try:
        yield hub
    finally:
        stop()


ANSWERS = """
import contextlib, json, sys
for line in sys.stdin:
    with contextlib.redirect_stdout(sys.stderr):
        told = answer(*json.loads(line))
    print(json.dumps(told), flush=True)
"""


@contextlib.contextmanager
def asking(hub: Hub, home: Path, program: str, **more: str) -> Iterator[Callable[..., Any]]:
    """A process for which this is the hub, for a `with` block; what it gives calls the `answer` of its program.

    Args:
        program: Python that defines `answer(*arguments)`; arguments and result are what JSON has.
        more: Environment of the process.
    """
    command = [sys.executable, "-c", program + ANSWERS]
    with (
        tempfile.TemporaryFile("w+") as errors,  # a pipe that nobody reads would stop the process when full
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=hub.environment(home, **more),
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        to, out = process.stdin, process.stdout

        def ask(*arguments: Any) -> Any:
            to.write(json.dumps(arguments) + "\n")
            to.flush()
            line = out.readline()
            if not line:
                errors.seek(0)
                raise AssertionError(errors.read())
            return json.loads(line)

        try:
            yield ask
        finally:
            to.close()
