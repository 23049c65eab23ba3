"""What a learner with alternatives chose: in the terminal report and on the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stream import run
from stream.report.html import Record, page
from stream.results.fit_history import Choice, FitHistory
from stream.results.results import Results
from tests.runs import tiny_settings

from .fake_results import make_results
from .reader import Reader
from .rendering import render, too_wide

LEARNER = "adapter:8/64:learning_rate=3e-4/3e-3"
SPECIFICATIONS = [f"adapter:{m}:learning_rate={rate}" for m in (8, 64) for rate in ("3e-4", "3e-3")]
SMALL, SMALL_FAST, LARGE, LARGE_FAST = SPECIFICATIONS


def searched(canonical: str = LEARNER, **entry: object) -> dict[str, Any]:
    """Results of a learner with alternatives and of one without; `entry` is part of its choice on the first task."""
    results = make_results(["cola", "rte"], ["adapter:64", "head"])
    learner = results["learners"].pop("adapter:64")
    choice = {"chosen": LARGE, "candidates": dict(zip(SPECIFICATIONS, (0.71, 0.70, 0.80, None), strict=True))}
    learner |= {
        "spec": LEARNER,
        "canonical": canonical,
        "training": {"learning_rate": 3e-4, "epochs": 7},
        "selection": {"cola": {**choice, **entry}, "rte": choice},
        "fits": {"cola": {"validation": [0.5, 0.85], "best": 1}, "rte": {"validation": [0.8, 0.6], "best": 0}},
    }
    learner["cost"] |= {"search_fits": 1234, "search_examples": 9, "search_flops": 4.3e12, "search_seconds": 61.0}
    results["learners"]["head"]["training"] = {"learning_rate": 0.03, "epochs": 7}
    results["learners"] = {LEARNER: learner, **results["learners"]}
    return results


def test_the_runner_up_is_chosen_as_the_winner_is() -> None:
    tied = Choice("c", {"a": 0.5, "b": 0.7, "c": 0.7, "d": 0.7}, {})
    assert (tied.runner_up, tied.margin, tied.stopped) == ("b", 0.0, None)  # the one that is named first
    halved = Choice("c", {"a": 0.9, "b": 0.6, "c": 0.7, "d": 0.5}, {"a": 1, "b": 3, "d": 3})
    assert (halved.runner_up, halved.stopped, halved.margin) == ("b", 3, None)  # 0.9 after one epoch is no rival
    assert Choice("", {"a": None}, {}).runner_up == ""


def test_the_score_is_that_of_the_kept_fit() -> None:
    choice = Choice("a", {"a": 0.5}, {}, seed=7)
    assert choice.kept_score(FitHistory((0.4, 0.6), (), 1)) == 0.6
    assert choice.kept_score(None) == choice.kept_score(FitHistory((), (), -1)) == 0.5


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_of_choices(width: int) -> None:
    text = render(searched(seed=3), width, sections=["selection"])
    assert too_wide(text, width) == []
    cola, rte = (next(line.split() for line in text.splitlines() if f" {task} " in line) for task in ("cola", "rte"))
    name = "64:learning_rate=3e-4" if width > 60 else "64:3e-4"
    assert cola[2:5] == [name, "85.0", "restart"]
    assert rte[2:4] == [name, "80.0"]
    assert "9.0" in cola
    assert "9.0" in rte
    assert ("64:3e-4 = 64:learning_rate=3e-4" in text) == (width == 60)
    assert "4 of 4" in text
    assert "restart: another seed won" in text
    assert "scope" not in text


def test_a_runner_up_that_was_stopped_has_no_margin() -> None:
    text = render(searched(epochs={SMALL: 3, SMALL_FAST: 1, LARGE_FAST: 1}), 120, sections=["selection"])
    cola = next(line for line in text.splitlines() if " cola " in line)
    assert "8:learning_rate=3e-4  stopped after 3 epochs  1 of 4" in cola
    assert "9.0" not in cola


def test_the_caption_names_the_scope() -> None:
    first = render(searched(f"{LEARNER}:scope=first:3"), sections=["selection"])
    assert "rest on the mean over the first 3 tasks" in first
    results = searched()
    results["settings"] = {"scope": "twin"}
    assert "rest on the simulated twin" in render(results, sections=["selection"])


def test_the_page_shows_choices_and_the_cost_of_the_search() -> None:
    reader = Reader(page(Results.from_dict(searched(seed=3)), Record()))
    text = "".join(reader.text)
    for word in ("Selection by validation", "85.0", "restart", "search fits", "1,234", "4.30T", "1m01s"):
        assert word in text
    assert {"selection"} <= {section["id"] for section in reader.named("section") if "id" in section}
    learners = text.rpartition("Learners")[2]
    assert "chosen per task" in learners
    assert "0.0003" not in learners
    assert "0.03" in learners
    plain = make_results(["cola"], ["head"])
    assert "Selection by validation" not in page(Results.from_dict(plain), Record())


def test_results_have_the_settings_of_the_search(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    """Also if the command gives them, and not the specification."""
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", learners="adapter:2/4", scope="first:2")
    results = run(**settings)
    assert results.settings["scope"] == "first:2"
    assert "select" not in results.settings
    assert "rest on the mean over the first 2 tasks" in render(results.as_dict(), sections=["selection"])
