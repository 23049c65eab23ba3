"""Notes on data: told once per task on the terminal, and kept in the results and the HTML report."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

import pytest

from stream.results.notes import MANY, data_notes
from tests.runs import Answer, as_arguments, call, read_results, tiny_settings
from tests.worlds import QUALITIES, TREES


def test_equal_notes_are_one_line_with_all_tasks() -> None:
    notes = {"a": ("x", "y"), "b": (), "c": ("y", "y", "z")}
    assert data_notes(notes) == ["a: x", "a, c: y", "c: z"]
    assert data_notes({}) == []
    many = {f"t{n}": ("x",) for n in range(MANY + 1)}
    assert data_notes(many) == [f"t0, t1, t2 and {MANY - 2} more tasks: x"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A task of single texts, some blank; and one of pairs, of which 96 of 120 have no second text."""
    folder = tmp_path_factory.mktemp("notes")
    words = [f"{tree} {quality}" for tree in TREES for quality in QUALITIES][:60]
    rows = [f"{'' if n % 20 == 0 else text},{'ab'[n % 2]}" for n, text in enumerate(words)]
    (folder / "MR.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    rows = [f"{text} {n},{'' if n % 5 else 'oak'},{'ab'[n % 5 > 0]}" for n, text in enumerate(words * 2)]
    (folder / "Title-Body.csv").write_text("\n".join(["text,text_b,label", *rows]), encoding="utf-8")
    return folder


SPLIT = "MR, Title-Body: no published split: train, validation and test are 80, 10 and 10 % by content hash"
LINES = [
    "MR: 3 of 60 rows dropped: blank text",
    SPLIT,
    "Title-Body: 96 of 120 pairs have one blank text; they are kept",
]


def told(answer: Answer) -> list[str]:
    """The notes on data that a command printed, from the lines of a page of 80 columns."""
    assert answer.code == 0, answer.err
    text = " ".join(answer.out.split())
    return [line for line in LINES for _ in range(text.count(f"note: {line}"))]


def test_notes_are_told_once_and_kept(
    folder: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = tmp_path / "run"
    options = as_arguments(tiny_settings(folder, tiny_backbone, out, suite="all"))
    assert told(call("plan", *options, "--display", "plain")) == LINES
    assert set(LINES) <= set(json.loads(call("plan", *options, "--display", "json").out)["notes"])
    for display in ("plain", "rich"):  # the first call and a call without work
        assert told(call("run", *options, "--display", display)) == LINES
    kept = {name: task["notes"] for name, task in read_results(out)["tasks"].items()}
    assert data_notes(kept) == LINES
    assert read_results(out)["tasks"]["Title-Body"]["classes"] == 2
    assert call("report", str(out), "--html", str(tmp_path / "a.html"), "--display", "none").code == 0
    page = unescape((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert [line for line in LINES if f"<li>{line}</li>" not in page] == []
