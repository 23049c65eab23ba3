from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasks.sources import generated, open_source, without_effect
from tests.tasks.test_folder import GOOD, put

STREAM = ("rte", "sms_spam", "mine", "splits", "stsb")
NO_FILES = "only files and tables have columns to map"
CASES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "all have effect": ({"text": "sentence", "mine.text_b": "b", "RTE.label": "gold", "rte.text_b": "b"}, ()),
    "of no task": ({"text": "a", "mines.text": "b"}, ("unknown task 'mines'; expected one of .*; did you mean mine?",)),
    "other capitals": ({"Mine.label": "a"}, ("unknown task 'Mine'; .*did you mean mine?",)),
    "each task has its own": (
        {"text": "a", **{f"{name}.text": "b" for name in STREAM}},
        ("--column text=a: text is read from this column for no task",),
    ),
    "single texts": ({"sms_spam.text_b": "a"}, ("--column sms_spam.text_b=a: .*found a task of single texts",)),
    "labels": ({"rte.score": "a"}, ("--column rte.score=a: .*found a task with labels",)),
    "score of one": ({"score": "a"}, ()),
    "label of a regression": ({"stsb.label": "a"}, ()),
    "score beside it": (
        {"stsb.label": "a", "stsb.score": "b"},
        ("--column stsb.label=a: .*found a task whose score is the target",),
    ),
    "both targets of one": ({"label": "a", **{f"{name}.score": "b" for name in ("mine", "splits", "stsb")}}, ()),
    "splits": ({"splits.split": "a"}, ("--column splits.split=a: .*each of its files is one split",)),
    "two": ({"x.text": "a", "y.text": "b"}, ("unknown task 'x'", "unknown task 'y'")),
    "confirmed": ({"label": "gold", "mine.unique_label": "id"}, ()),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("effect")
    for name in ("rte.csv", "sms_spam.csv", "mine.csv", "splits/train.csv", "splits/test.csv", "stsb.csv"):
        put(folder / name, GOOD.encode())
    return folder


@pytest.mark.parametrize("case", CASES)
def test_columns_without_effect(folder: Path, case: str) -> None:
    columns, messages = CASES[case]
    source = open_source(f"folder:{folder}", columns)
    told = [str(error) for error in without_effect(source, columns, STREAM)]
    assert len(told) == len(messages), told
    for message, pattern in zip(told, messages, strict=True):
        assert re.search(pattern, message), message


def test_only_what_is_read_has_columns(folder: Path) -> None:
    columns = {"text": "sentence"}
    for name in ("simulated", "hub"):
        (error,) = without_effect(open_source(name, columns), columns, ("rte",))
        assert NO_FILES in str(error)
        assert f"found source {name}" in str(error)
    both = open_source(f"simulated+frames:{folder}", columns)
    assert [*without_effect(both, columns, ("cola", "mine"))] == []
    (error,) = without_effect(both, columns, ("cola", "sst2"))
    assert NO_FILES in str(error)
    (error,) = without_effect(both, {"cola.text": "a"}, ("cola", "mine"))
    assert NO_FILES in str(error)
    assert [name for name in ("cola", "sst2", "mine", "rte") if generated(both, name)] == ["cola", "sst2"]


def test_revisions_without_effect() -> None:
    glue = "nyu-mll/glue"
    source = open_source(f"hub:main,{glue}@{'a' * 40}")
    assert [*without_effect(source, {}, ("rte", "sms_spam"))] == []
    (error,) = without_effect(source, {}, ("rte",))
    assert "source hub:main: every repository of the stream has a revision of its own" in str(error)
    (error,) = without_effect(source, {}, ("sms_spam",))
    assert f"{glue}@" in str(error)
