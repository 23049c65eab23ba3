"""What a result rests on is in its key: the metric, its code and its positive class; the seed of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import tasks.encoded
import tasks.metrics
from stream import run
from tasks.metrics import SCORING_FORMAT, scoring
from tasks.suite import TASKS
from tests.runs import fitted, read_results, tiny_settings

Change = Callable[[pytest.MonkeyPatch], None]


def with_row(name: str, **changes: Any) -> Change:
    """A table of known tasks with another row."""

    def change(patch: pytest.MonkeyPatch) -> None:
        table = MappingProxyType({**TASKS, name: replace(TASKS[name], **changes)})
        for module in ("tasks.encoded", "tasks.sources.folder"):
            patch.setattr(f"{module}.TASKS", table)

    return change


CHANGES: dict[str, Change] = {
    "metric": with_row("rte", metric="f1", positive=("label1",)),
    "code": lambda patch: patch.setattr(tasks.metrics, "SCORING_FORMAT", SCORING_FORMAT + 1),
}


def test_what_computes_a_score_is_told_in_words() -> None:
    assert scoring(TASKS["sst2"]) == f"accuracy, format {SCORING_FORMAT}"
    mrpc = replace(TASKS["mrpc"], labels=("not_equivalent", "equivalent"))
    assert scoring(mrpc).startswith(f"f1 of equivalent, format {SCORING_FORMAT}, scikit-learn ")
    assert scoring(replace(mrpc, positive=("not_equivalent",))) != scoring(mrpc)
    assert scoring(TASKS["stsb"]).startswith(f"spearman, format {SCORING_FORMAT}, scipy ")


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_metric_reuses_no_fit_and_no_score(
    name: str, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learners = "head,layernorm:sequential"
    given = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", suite="sms_spam,rte", learners=learners)
    told: list[str] = []
    run(**given)
    before = fitted(tmp_path / "run")
    CHANGES[name](monkeypatch)
    run(handle=lambda event: told.append(str(event)), **given)
    again = fitted(tmp_path / "run")[len(before) :]
    assert any("scor" in text and "computed again" in text for text in told)
    # Only rte changed; the isolated learner need not learn the other task again, and the sequential one starts with it.
    expected = [("head", "rte"), ("layernorm:sequential", "rte")] if name == "metric" else before
    assert sorted(again) == sorted(expected)
    if name == "metric":
        assert read_results(tmp_path / "run")["tasks"]["rte"]["metric"] == "f1"


def test_seeds_train_on_the_same_examples_and_another_data_seed_draws_others(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    """So an interval over seeds is over training alone."""

    def majority(**given: int) -> list[Any]:
        out = tmp_path / "-".join(f"{name}{value}" for name, value in given.items())
        settings = tiny_settings(tiny_tasks, tiny_backbone, out, suite="stsb", learners="majority", train_examples=5)
        settings |= {"epochs": None, "batch_size": None, "learning_rate": None}
        run(**settings, **given)
        (delta,) = (out / "store" / "deltas").iterdir()
        return [delta.name, read_results(out)["settings"]["data_seed"]]

    assert majority(seed=1) == majority(seed=2) == majority(seed=3, data_seed=0)
    assert majority(seed=1)[0] != majority(seed=1, data_seed=7)[0]
