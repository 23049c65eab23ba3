"""The hub source: commits and caches against a hub on this machine, and what is told of data not as expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import InputError
from tasks.houlsby26 import GLUE9
from tasks.sources import HubSource, hub, hub_cache, open_source
from tests.hub_data import dataset_files
from tests.loopback import COMMIT, Repository, asking, serve

NEWER = "f" * 40


def splits(word: str = "text", columns: tuple[str, ...] = ("sentence",), names: tuple[str, ...] = ("train",)) -> Any:
    """Splits of 60 rows as `datasets` gives them, two classes."""
    import datasets

    features = datasets.Features(
        dict.fromkeys(columns, datasets.Value("string")) | {"label": datasets.ClassLabel(names=["no", "yes"])}
    )
    rows = {column: [f"{word} {i}" for i in range(60)] for column in columns} | {"label": [i % 2 for i in range(60)]}
    return {name: datasets.Dataset.from_dict(rows, features=features) for name in names}


def cola(word: str, commit: str, *names: str) -> Repository:
    """GLUE with CoLA alone, whose texts begin with a word."""
    features = [{"name": "sentence", "dtype": "string"}, {"name": "label", "dtype": "int64"}]
    rows = {"sentence": [f"{word} {i}" for i in range(60)], "label": [i % 2 for i in range(60)]}
    return Repository("datasets", "nyu-mll/glue", dataset_files({"cola": (features, {"train": rows})}), commit, names)


LOAD = """
import time
from tasks.errors import InputError
from tasks.sources import open_source
def answer(name):
    started = time.perf_counter()
    try:
        source = open_source(name)
        data = source.load("cola")
        told = data.train.text[0].split()[0], data.notes[0], source.fingerprint("cola")
    except InputError as error:
        told = str(error)
    assert time.perf_counter() - started < 20, "the clients' own retries take longer"
    return told
"""


def test_a_task_is_of_the_commit_asked_for_with_a_network_and_without(tmp_path: Path) -> None:
    """`datasets` itself gives, offline, whichever commit it got last, whatever revision is asked for."""
    sources = ("hub", f"hub:{COMMIT}", "hub:old", "hub:nyu-mll/glue@old", "hub:ucirvine/sms_spam@old")
    with serve(cola("older", COMMIT, "main", "old")) as at, asking(at, tmp_path, LOAD) as load:
        word, note, first = load("hub")
        assert (word, note) == ("older", f"hub nyu-mll/glue (cola) at commit {COMMIT}")
        at.repositories[:] = [cola("newer", NEWER, "main"), cola("older", COMMIT, "old")]
        online = [load(source) for source in sources]
        assert [word for word, _, _ in online] == ["newer", "older", "older", "older", "newer"]
        assert [NEWER in note for _, note, _ in online] == [True, False, False, False, True]
        assert [fingerprint == first for _, _, fingerprint in online] == [False, True, True, True, False]
        at.asked.clear()
        assert load("hub")[0] == "newer"
        assert at.asked == ["HEAD /datasets/nyu-mll/glue/resolve/main/README.md"], "the rest is in the cache"
        at.stop()
        assert [load(source) for source in sources] == online
    with asking(at, tmp_path, LOAD, HF_HUB_OFFLINE="1") as load:
        assert [load(source) for source in sources] == online
        told = "the hub cannot be reached and the data is not in its cache; run once with a network connection, or use"
        assert load("hub:other") == f"hub nyu-mll/glue@other: {told} folder:DIR"
        assert load(f"hub:{'a' * 40}") == f"hub nyu-mll/glue@{'a' * 40} (cola): {told} folder:DIR"


def test_a_damaged_file_and_what_the_hub_does_not_have_are_one_line(tmp_path: Path) -> None:
    whole = cola("older", COMMIT, "main")
    files = {name: content if name == "README.md" else b"not Parquet" for name, content in whole.files.items()}
    with serve(replace(whole, files=files)) as at, asking(at, tmp_path, LOAD) as load:
        damaged = load("hub")
        assert "cannot load this data from the hub; found ArrowInvalid: " in damaged
        assert "\n" not in damaged
        answers = [load("hub:nowhere"), load(f"hub:{NEWER}")]
        assert "nyu-mll/glue@nowhere" in answers[0]
        at.repositories.clear()
        answers.append(load("hub:nowhere"))
        for answer in answers:
            assert "cannot load this data from the hub" in answer
            assert answer.endswith("check the revision, or use folder:DIR")
            assert "\n" not in answer
        at.stop()
        assert "the hub cannot be reached and the data is not in its cache" in load("hub:nowhere")


IMPATIENT = "import time; time.sleep = lambda seconds: None  # between retries\n"


def test_a_network_lost_in_the_middle_of_a_file_is_one_line_and_the_next_call_completes(tmp_path: Path) -> None:
    told = "the hub cannot be reached and the data is not in its cache; run once with a network connection, or use"
    for file, where in ((".parquet", f"hub nyu-mll/glue@{COMMIT} (cola)"), ("README.md", "hub nyu-mll/glue")):
        home = tmp_path / file
        with serve(cola("older", COMMIT, "main")) as at, asking(at, home, IMPATIENT + LOAD) as load:
            at.cut = file
            assert load("hub") == f"{where}: {told} folder:DIR"
        with serve(cola("older", COMMIT, "main")) as at, asking(at, home, LOAD) as load:
            assert load("hub")[0] == "older"


def test_a_repository_without_a_card(tmp_path: Path) -> None:
    columns = {"text": [f"text {i}" for i in range(60)], "target": [i % 2 for i in range(60)]}
    files = dataset_files({"default": ([], {"train": columns})})
    files["train.parquet"] = files.pop("default/train-00000-of-00001.parquet")
    del files["README.md"]
    program = LOAD.replace('"cola"', '"cf_disasters"')
    note = f"hub venetis/disaster_tweets at commit {COMMIT}"
    repository = Repository("datasets", "venetis/disaster_tweets", files, names=("main", "v1"))
    with serve(repository) as at, asking(at, tmp_path, program) as load:
        answers = [load("hub"), load("hub:v1")]
        assert [found for _, found, _ in answers] == [note, note]
        at.stop()
        assert [load("hub"), load("hub:v1")] == answers
        assert "the hub cannot be reached" in load("hub:v2")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, Any]], HubSource]:
    """A source whose hub has these splits, whatever is asked for."""

    def source(found: Mapping[str, Any]) -> HubSource:
        monkeypatch.setattr(hub, "commit_of", lambda *asked: COMMIT)
        monkeypatch.setattr(hub, "splits_of", lambda *asked: found)
        return HubSource()

    return source


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConnectionError("Couldn't reach 'nyu-mll/glue' on the Hub"), "the hub cannot be reached.*a network"),
        (FileNotFoundError("no such revision"), "cannot load this data from the hub.*check the revision"),
        (ValueError("BuilderConfig 'cola' not found"), "cannot load this data from the hub"),
        (RuntimeError("Dataset scripts are no longer supported"), "cannot load this data from the hub"),
    ],
)
def test_what_the_library_raises_is_one_line(error: Exception, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def load_dataset(*asked: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(InputError, match=message):
        hub_cache.splits_of("nyu-mll/glue", "cola", "a" * 40, reachable=True)


def test_columns_and_splits_that_are_not_as_the_address_says(given: Callable[[Mapping[str, Any]], HubSource]) -> None:
    with pytest.raises(InputError, match="missing column sentence; found columns phrase, label"):
        given(splits(columns=("phrase",))).load("cola")
    with pytest.raises(InputError, match="missing split validation_matched; found splits train"):
        given(splits(columns=("premise", "hypothesis"))).load("mnli_m")
    with pytest.raises(InputError, match="missing split train; found splits all"):
        given(splits(names=("all",))).load("cola")


def test_a_commit_is_asked_for_once_a_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def commit_of(repository: str, revision: str | None, reachable: bool) -> str:
        asked.append((repository, revision))
        return COMMIT

    monkeypatch.setattr(hub, "commit_of", commit_of)
    source = HubSource("v2", {"ucirvine/sms_spam": "v1"})
    fingerprints = {source.fingerprint(name) for name in (*source.names(), "cola")}
    assert len(fingerprints) == len(source.names()), "one for each task, though nine are of one repository"
    assert len(asked) == len({repository for repository, _ in asked})
    assert ("ucirvine/sms_spam", "v1") in asked
    assert ("nyu-mll/glue", "v2") in asked


def test_tasks_with_no_copy_on_the_hub() -> None:
    source = open_source("hub")
    assert {task.name for task in GLUE9} <= set(source.names())
    with pytest.raises(InputError, match=r"no copy of task news_aggregator .* use folder:DIR"):
        source.load("news_aggregator")
    with pytest.raises(InputError, match="did you mean cola"):
        source.load("colla")


@pytest.mark.parametrize(
    "revision", ["main", "v1.0", "refs/pr/3", COMMIT, "nyu-mll/glue@main", f"v1,nyu-mll/glue@{COMMIT}"]
)
def test_revisions(revision: str) -> None:
    assert open_source(f"hub:{revision}").name == f"hub:{revision}"


@pytest.mark.parametrize(
    "revision", ["../x", "a/../../x", "/etc", ".x", "a b", "a\n", "x" * 300, "a//b", "nyu-mll/glue@../x", "v1,"]
)
def test_a_revision_stays_in_the_cache(revision: str) -> None:
    with pytest.raises(InputError, match="source hub: not a revision"):
        open_source(f"hub:{revision}")


def test_a_pin_of_a_repository_that_no_task_is_from() -> None:
    with pytest.raises(InputError, match="unknown repository 'nyu-mll/glu'; did you mean nyu-mll/glue"):
        open_source("hub:nyu-mll/glu@main")
