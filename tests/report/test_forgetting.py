"""Per-task forgetting: the numbers, the history, and the learners that appear."""

from __future__ import annotations

from stream.report.console import Page
from stream.report.terminal.forgetting import sparkline

from .fake_results import HOULSBY26, make_results
from .rendering import render

PAGE = Page(80, False, False)


def test_learned_now_and_change_are_read_from_the_matrix() -> None:
    results = make_results(["a", "b", "c"], ["full:sequential"])
    results["learners"]["full:sequential"]["R"] = [
        [None] * 3,
        [0.80, None, None],
        [0.70, 0.85, None],
        [0.75, 0.88, 0.90],
    ]
    text = render(results, sections=["forgetting"])
    rows = [line.split()[1:5] for line in text.splitlines() if line[:1].isdigit()]
    assert rows == [["a", "80.0", "75.0", "-5.0"], ["b", "85.0", "88.0", "+3.0"], ["c", "90.0", "90.0", "0"]]


def test_only_learners_that_share_weights_or_lost_score_appear() -> None:
    text = render(make_results(HOULSBY26[:3]), sections=["forgetting"])
    assert "full:sequential" in text
    assert "full:isolated" not in text
    assert "head" not in text


def test_a_stream_of_isolated_learners_says_that_there_is_nothing_to_show() -> None:
    text = render(make_results(HOULSBY26[:3], ["layernorm", "head"]), sections=["forgetting"])
    assert "No learner here changes weights that earlier tasks use" in text


def test_a_history_starts_where_the_task_arrived_and_falls_with_the_score() -> None:
    assert sparkline([1.0, 0.5, 0.0], 5, 40, 0.0, 1.0, PAGE) == "  █▅▁"
    assert sparkline([1.0, None, 1.0], 3, 40, 0.0, 1.0, PAGE) == "█·█"
    assert sparkline([1.0, 0.0], 2, 40, 0.0, 1.0, Page(80, False, True)) == "90"


def test_a_long_history_keeps_its_first_and_last_arrival() -> None:
    history = [1.0] + [0.5] * 98 + [0.0]
    line = sparkline(history, 100, 40, 0.0, 1.0, PAGE)
    assert len(line) == 40
    assert line[0] == "█"
    assert line[-1] == "▁"
