"""`scripts/serve.py`: real HTTP clients, many at a time, on the loopback."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from serving.app import app_of
from serving.limits import Limits

from stream import InputError, run
from stream.hub import SharedModels, load_models
from stream.hub.models import Row
from tests.runs import tiny_settings

SCRIPT = Path(__file__).parents[2] / "scripts" / "serve.py"
TASKS = ("colours", "rte", "stsb")
LIMITS = Limits(rows=8, characters=200, waiting=40, batch=16)


@pytest.fixture(scope="module")
def models(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> SharedModels:
    out = tmp_path_factory.mktemp("served") / "run"
    run(
        **tiny_settings(tiny_tasks, tiny_backbone, out, learners="adapter:4", suite=",".join(TASKS), evaluate="audited")
    )
    return load_models(out)


@pytest.fixture(scope="module")
def address(models: SharedModels) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app_of(models, LIMITS), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def as_json(rows: list[Row]) -> dict[str, list[dict[str, str]]]:
    texts = [
        {"text": text} if isinstance(text, str) else dict(zip(("text", "text_b"), text, strict=True))
        for _, text in rows
    ]
    return {"rows": [{"task": task, **each} for (task, _), each in zip(rows, texts, strict=True)]}


def rows_of(client: int) -> list[Row]:
    words = ("red", "blue", "green tree", "a stone")
    word = words[client % len(words)]
    return [("colours", word), ("rte", (word, words[client % 3])), ("stsb", (word, "red"))][: 1 + client % 3]


def test_many_clients_get_their_own_answers_from_shared_passes(models: SharedModels, address: str) -> None:
    before = httpx.get(f"{address}/health").json()

    def ask(client: int) -> None:
        rows = rows_of(client)
        answer = httpx.post(f"{address}/answers", json=as_json(rows), timeout=60)
        assert answer.status_code == 200, answer.text
        for (task, text), found in zip(rows, answer.json()["answers"], strict=True):
            own = models[task].logits(*([text], None) if isinstance(text, str) else ([text[0]], [text[1]]))[0]
            np.testing.assert_allclose(found["logits"], own, atol=1e-4)
            assert found["task"] == task
            if models[task].labels:
                assert found["answer"] == models[task].labels[own.argmax()]

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(ask, range(48)))
    after = httpx.get(f"{address}/health").json()
    asked = sum(len(rows_of(client)) for client in range(48))
    assert after["answered"] - before["answered"] == asked
    assert after["waiting"] == 0
    assert after["passes"] - before["passes"] < 48, "some requests shared a pass"


def test_tasks_are_listed(address: str) -> None:
    listed = {task["name"]: task for task in httpx.get(f"{address}/tasks").json()}
    assert list(listed) == list(TASKS)
    assert listed["colours"]["labels"] == ["label0", "label1", "label2"]
    assert listed["stsb"]["labels"] == []


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"rows": [{"task": "color", "text": "red"}]}, 422, "did you mean colours"),
        ({"rows": [{"task": "rte", "text": "red"}]}, 422, "expected texts and second texts"),
        ({"rows": [{"task": "rte"}]}, 422, "text"),
        ({"rows": [{"task": "rte", "text": "a", "second": "b"}]}, 422, "second"),
        ({"rows": []}, 422, "rows"),
        ({"rows": [{"task": "colours", "text": "red"}] * 9}, 413, "at most 8 rows, found 9"),
        ({"rows": [{"task": "colours", "text": "red " * 60}]}, 413, "at most 200 characters, found 240"),
        ({"rows": [{"task": "colours", "text": "red " * 9999}]}, 413, "bytes"),
    ],
)
def test_a_bad_request_says_what_is_wrong(address: str, body: object, code: int, words: str) -> None:
    answer = httpx.post(f"{address}/answers", json=body)
    assert answer.status_code == code
    assert words in answer.text


def test_too_many_waiting_rows_are_refused_and_the_others_answered(
    models: SharedModels, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first pass does not end before a request has been refused."""
    honest, refused = SharedModels.logits, threading.Event()

    def slow(self: SharedModels, rows: list[Row]) -> list[np.ndarray]:
        assert refused.wait(60)
        return honest(self, rows)

    def ask(client: int) -> int:
        answer = httpx.post(f"{address}/answers", json=as_json([("colours", "red")] * 8), timeout=90)
        if answer.status_code == 503:
            assert "wait for an answer already" in answer.text
            refused.set()
        return answer.status_code

    monkeypatch.setattr(SharedModels, "logits", slow)
    with ThreadPoolExecutor(24) as pool:
        codes = [*pool.map(ask, range(24))]
    assert {*codes} == {200, 503}
    assert codes.count(200) >= LIMITS.waiting // 8
    assert httpx.get(f"{address}/health").json()["waiting"] == 0


def test_a_row_that_no_model_can_compute_fails_its_own_request_only(
    models: SharedModels, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = SharedModels.logits

    def failing(self: SharedModels, rows: list[Row]) -> list[np.ndarray]:
        time.sleep(0.2)  # so that the others wait together
        if ("colours", "green") in rows:
            raise InputError("the tokenizer cannot read its texts")
        return honest(self, rows)

    def ask(client: int) -> int:
        rows: list[Row] = [("colours", "green" if client == 3 else "red")]
        return httpx.post(f"{address}/answers", json=as_json(rows), timeout=60).status_code

    monkeypatch.setattr(SharedModels, "logits", failing)
    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(ask, range(8))] == [422 if client == 3 else 200 for client in range(8)]


def test_a_body_without_a_size_is_refused(address: str) -> None:
    chunks = (part for part in (b'{"rows": [{"task": "colours", ', b'"text": "red"}]}'))
    found = httpx.post(f"{address}/answers", content=chunks, headers={"content-type": "application/json"})
    assert (found.status_code, found.json()) == (411, {"detail": "a request needs the header content-length"})


def test_the_script_names_what_it_cannot_serve(tmp_path: Path) -> None:
    found = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True)
    assert found.returncode == 2
    assert re.search(r"error: .*no shared Deltas and no run", found.stderr)
