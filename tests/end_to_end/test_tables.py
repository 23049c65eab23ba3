"""Tasks in memory through a whole run: mixed with a suite, continued, in workers, by the command, verified."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from stream import InputError, plan, run, verify
from tests.runs import call, deltas_of, events_of, tiny_settings


def rows(first: str, second: str) -> dict[str, list[str]]:
    texts = [f"{(first, second)[n % 2]} word{n % 7} word{n % 5}" for n in range(60)]
    return {"text": texts, "label": [("no", "yes")[n % 2] for n in range(60)]}


ONE, TWO = pd.DataFrame(rows("good", "bad")), pl.DataFrame(rows("red", "blue"))


@pytest.fixture
def alone(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> dict[str, Any]:
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", learners="head,full:sequential")
    return {name: value for name, value in settings.items() if name not in ("suite", "source")}


@pytest.mark.usefixtures("warm_workers")
def test_alone_continued_and_verified(alone: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first task, then two: the stream goes on; the same from the command, from a copy, and by another path."""
    out = Path(alone["out"])
    assert plan(**alone, tasks={"second": TWO}).order == ("second",)
    run(**alone, tasks={"second": TWO})
    first = deltas_of(out)
    run(**{**alone, "workers": 2}, tasks={"second": TWO, "first": ONE})
    assert first.items() < deltas_of(out).items()
    assert list(events_of(out, "run")[-1]["inputs"]["data"]) == ["second", "first"]
    assert verify(out, rerun="all").passed
    done = deltas_of(out), len(events_of(out, "fit")), len(events_of(out, "evaluate"))
    assert call("run", "--config", str(out / "config.toml"), "--display", "none").code == 0
    monkeypatch.chdir(out.parent)
    run(**{**alone, "out": "run"}, tasks={"second": TWO, "first": ONE})
    assert (deltas_of(out), len(events_of(out, "fit")), len(events_of(out, "evaluate"))) == done, "nothing to do"
    with pytest.raises(InputError, match="differs from the one that the run in this folder began with"):
        run(**alone, tasks={"second": ONE})
    with pytest.raises(InputError, match="source differs"):
        run(**alone)
    moved = out.parent / "moved"
    shutil.move(out, moved)
    monkeypatch.setenv("TASKSTREAM_CACHE", str(out.parent / "cache"))  # as on another machine
    assert verify(moved, rerun="all").passed
    run(**{**alone, "out": moved}, tasks={"second": TWO, "first": ONE, "third": TWO})
    assert len(deltas_of(moved)) == 3 * 2
    again = ["--source", f"frames:{moved / 'tasks'}", "--out", str(moved), "--display", "none"]
    assert call("run", "--config", str(moved / "config.toml"), *again).code == 0


def test_beside_a_suite(alone: dict[str, Any], tiny_tasks: Path) -> None:
    given = {**alone, "learners": "head", "suite": "rte,mine", "source": tiny_tasks}
    assert plan(**given, tasks={"mine": ONE, "other": TWO}).order == ("rte", "mine", "other")
    assert plan(**{**given, "suite": "all"}, tasks={"mine": ONE}).order[-2:] == ("mine", "other")
    found = run(**given, tasks={"mine": ONE, "other": TWO})
    assert found.source == f"folder:{tiny_tasks}+frames:{Path(alone['out']) / 'tasks'}"
    assert verify(alone["out"], rerun="all").passed


def test_wrong_tables_are_refused_before_anything_is_written(alone: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="not a table"):
        run(**alone, tasks={"mine": ONE, "other": 3})
    assert not list(Path(alone["out"]).glob("tasks/*"))
    with pytest.raises(InputError, match="missing column label"):
        run(**alone, tasks={"mine": ONE[["text"]]})
    run(**{**alone, "learners": "head"}, tasks={"mine": ONE})  # corrected: nothing of the run had begun


def test_a_table_of_an_earlier_call_is_not_taken_for_a_task(alone: dict[str, Any], tiny_tasks: Path) -> None:
    """`plan` and a call that fails leave their tables in OUT/tasks: they must not replace tasks of the source."""
    both = {**alone, "suite": "colours", "source": tiny_tasks}
    left = Path(alone["out"]) / "tasks" / "colours.parquet"
    plan(**both, tasks={"colours": ONE})
    assert left.exists()
    with pytest.raises(InputError, match=r"colours\.parquet: this table of an earlier call is not among `tasks`"):
        plan(**both, tasks={"mine": TWO})
    assert plan(**alone, tasks={"mine": TWO}).order == ("mine",), "it is in nobody's way"
    left.unlink()
    assert plan(**both, tasks={"mine": TWO}).order == ("colours", "mine")
