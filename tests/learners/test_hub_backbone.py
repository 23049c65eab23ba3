"""A backbone by its id on a hub on this machine: revisions and commits, what is fetched, what is told of the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import COMMIT, Hub, Repository, asking, serve
from tests.loopback import MODEL_FILES as FILES

OLDER = "b" * 40
FIND = """
from pathlib import Path
from learners.backbones.locate import find_checkpoint
from tasks.errors import InputError
def answer(name):
    try:
        found = find_checkpoint(name)
    except InputError as error:
        return str(error)
    held = sorted(str(path.relative_to(found.folder)) for path in found.folder.rglob("*") if path.is_file())
    return [found.commit, found.pooling, held, (found.folder / "model.safetensors").read_text()]
"""
HELD = ["1_Pooling/config.json", "config.json", "model.safetensors", "tokenizer.json"]


@pytest.fixture
def hub() -> Iterator[Hub]:
    """The newest commit of one model, an older one that has a tag, and a model of pickles."""
    older = FILES | {"model.safetensors": b"as it was"}
    pickled = {name: FILES[name] for name in ("config.json", "pytorch_model.bin")}
    with serve(
        Repository("models", "some-one/tiny", FILES),
        Repository("models", "some-one/tiny", older, OLDER, names=("v1",)),
        Repository("models", "some-one/pickled", pickled),
    ) as running:
        yield running


@pytest.fixture
def find(hub: Hub, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    with asking(hub, tmp_path, FIND) as ask:
        yield ask


def test_what_is_fetched_and_of_which_commit(hub: Hub, find: Callable[[str], Any]) -> None:
    assert find("some-one/tiny") == [COMMIT, "mean", HELD, "not read here"]
    assert find("some-one/tiny@v1") == [OLDER, "mean", HELD, "as it was"]
    assert find(f"some-one/tiny@{OLDER}") == [OLDER, "mean", HELD, "as it was"]
    assert not [request for request in hub.asked if request.endswith((".bin", ".md"))], "pickles are not even asked for"
    hub.asked.clear()
    hub.stop()
    assert find("some-one/tiny")[0] == COMMIT
    assert find("some-one/tiny@v1")[0] == OLDER
    assert "not in the hub cache, and the hub cannot be reached" in find("some-one/tiny@v2")
    assert hub.asked == []


def test_what_the_hub_does_not_have(find: Callable[[str], Any]) -> None:
    assert "--backbone some-one/tinny: no such model on the hub" in find("some-one/tinny")
    assert "--backbone some-one/tiny@v2: no such revision of this model" in find("some-one/tiny@v2")
    assert "pickled weights (.bin) are never loaded" in find("some-one/pickled")


def test_a_cache_that_holds_the_tokenizer_alone_is_completed(find: Callable[[str], Any], tmp_path: Path) -> None:
    folder = tmp_path / "hub" / "models--some-one--tiny"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    (folder / "snapshots" / COMMIT).mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        (folder / "snapshots" / COMMIT / name).write_bytes(FILES[name])
    assert find("some-one/tiny") == [COMMIT, "mean", HELD, "not read here"]


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_a_network_lost_in_the_middle_of_a_file_is_one_line_and_the_next_call_completes(
    hub: Hub, file: str, tmp_path: Path
) -> None:
    impatient = "import time; time.sleep = lambda seconds: None  # between retries\n"
    with serve(*hub.repositories) as lost, asking(lost, tmp_path, impatient + FIND) as find:
        lost.cut = file
        told = find("some-one/tiny")
    assert re.fullmatch(r"--backbone some-one/tiny: download failed; found (Connect|Read)Error: .*; try again", told)
    with asking(hub, tmp_path, FIND) as find:
        assert find("some-one/tiny") == [COMMIT, "mean", HELD, "not read here"]
