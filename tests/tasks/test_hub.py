"""The hub source against local files: `datasets` reads them just as it reads a repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import InputError
from tasks.houlsby26 import GLUE9
from tasks.sources import HubSource, open_source

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def glue(path: str, name: str | None = None, *, revision: str | None = None) -> Mapping[str, Any]:
    """Stands in for `load_dataset("nyu-mll/glue", ...)`: its columns, splits and label types."""
    import datasets

    assert path == "nyu-mll/glue"
    label: Any = datasets.Value("float32") if name == "stsb" else datasets.ClassLabel(names=["no", "yes"])

    def split(prefix: str, rows: int, hidden: bool = False) -> Any:
        if name == "stsb":
            labels: list[Any] = [-1.0 if hidden else i % 50 / 10 for i in range(rows)]
        else:
            labels = [-1 if hidden else i % 2 for i in range(rows)]
        columns = (
            ("sentence",)
            if name == "cola"
            else ("premise", "hypothesis")
            if name == "mnli"
            else (
                "sentence1",
                "sentence2",
            )
        )
        texts = {column: [f"{prefix} {column} {i}" for i in range(rows)] for column in columns}
        features = datasets.Features({**dict.fromkeys(columns, datasets.Value("string")), "label": label})
        return datasets.Dataset.from_dict({**texts, "label": labels}, features=features)

    ends = ("_matched", "_mismatched") if name == "mnli" else ("",)
    held_out = {f"validation{end}": split(f"dev{end}", 20) for end in ends}
    return {"train": split("train", 100), **held_out, **{f"test{end}": split("test", 10, True) for end in ends}}


@pytest.mark.parametrize("name", ["cola", "mrpc", "stsb", "mnli_m", "mnli_mm"])
def test_glue_as_the_hub_has_it(name: str) -> None:
    source = HubSource(loader=glue)
    data = source.load(name)
    assert len(data.train) + len(data.validation) == 100
    assert len(data.test) == 20
    assert data.task.labels == (() if name == "stsb" else ("no", "yes"))
    assert (data.test.text_b is None) == (name == "cola")
    assert data.notes[0] == "10 test rows without labels dropped"
    if name.startswith("mnli"):
        end = "matched" if name == "mnli_m" else "mismatched"
        assert all(text.startswith(f"dev_{end} ") for text in data.test.text)


def test_one_split_of_plain_strings(tmp_path: Path) -> None:
    import datasets

    rows = "".join(f'"message {i}",{"ham" if i % 3 else "spam"}\n' for i in range(60))
    (tmp_path / "sms.csv").write_text("sms,label\n" + rows)

    def loader(path: str, name: str | None = None, *, revision: str | None = None) -> Mapping[str, Any]:
        found: Mapping[str, Any] = datasets.load_dataset(
            "csv", data_files=str(tmp_path / "sms.csv"), cache_dir=str(tmp_path / "cache")
        )
        return found

    data = HubSource(loader=loader).load("sms_spam")
    assert data.task.labels == ("ham", "spam")
    assert data.notes == ("no published split: train, validation and test are 80, 10 and 10 % by content hash",)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConnectionError("Couldn't reach 'nyu-mll/glue' on the Hub"), "the hub cannot be reached.*check the network"),
        (FileNotFoundError("no such revision"), "does not give this data.*check the revision"),
        (ValueError("BuilderConfig 'cola' not found"), "does not give this data"),
        (RuntimeError("Dataset scripts are no longer supported"), "does not give this data"),
    ],
)
def test_what_the_library_raises_is_one_line(error: Exception, message: str) -> None:
    def loader(path: str, name: str | None = None, *, revision: str | None = None) -> Mapping[str, Any]:
        raise error

    with pytest.raises(InputError, match=message):
        HubSource(loader=loader).load("cola")


def test_columns_and_splits_that_are_not_as_the_address_says() -> None:
    def renamed(path: str, name: str | None = None, *, revision: str | None = None) -> Mapping[str, Any]:
        return {split: data.rename_column("sentence", "phrase") for split, data in glue(path, name).items()}

    with pytest.raises(InputError, match="missing column sentence; found columns phrase, label"):
        HubSource(loader=renamed).load("cola")
    with pytest.raises(InputError, match="missing split validation_matched; found splits train"):
        HubSource(loader=lambda *_, **__: {"train": glue("nyu-mll/glue", "mnli")["train"]}).load("mnli_m")


def test_a_pinned_commit_needs_no_data_for_its_fingerprint() -> None:
    def loader(path: str, name: str | None = None, *, revision: str | None = None) -> Mapping[str, Any]:
        raise AssertionError("read")

    pinned = HubSource(COMMIT, loader=loader)
    assert pinned.fingerprint("cola") == HubSource(COMMIT, loader=loader).fingerprint("cola")
    assert pinned.fingerprint("cola") != pinned.fingerprint("sst2")
    assert HubSource(loader=glue).fingerprint("cola") == HubSource("main", loader=glue).fingerprint("cola")


def test_tasks_with_no_copy_on_the_hub() -> None:
    source = open_source("hub")
    assert {task.name for task in GLUE9} <= set(source.names())
    with pytest.raises(InputError, match=r"no copy of task news_aggregator .* use folder:DIR"):
        source.load("news_aggregator")
    with pytest.raises(InputError, match="did you mean cola"):
        source.load("colla")


def test_offline_fails_at_once_and_clearly(tmp_path: Path) -> None:
    code = "from tasks.sources import HubSource; HubSource(offline=True).load('cola')"
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    environment.pop("HF_HUB_OFFLINE", None)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("tasks.errors.InputError: hub nyu-mll/glue (cola): the hub cannot be reached"), done.stderr


@pytest.mark.parametrize("revision", ["main", "v1.0", "refs/pr/3", "0123456789abcdef0123456789abcdef01234567"])
def test_revisions(revision: str) -> None:
    assert open_source(f"hub:{revision}").name == f"hub:{revision}"


@pytest.mark.parametrize("revision", ["../x", "a/../../x", "/etc", ".x", "a b", "a\n", "x" * 300, "a//b"])
def test_a_revision_stays_in_the_cache(revision: str) -> None:
    with pytest.raises(InputError, match="source hub: not a revision"):
        open_source(f"hub:{revision}")
