"""Reports of long streams: every section stays within a screen or two, whatever the number of tasks."""

from __future__ import annotations

import pytest

from stream.report.terminal.spread import quantile

from .fake_results import make_results
from .rendering import render, too_wide

LONG = make_results([f"sim0_50_{index:04}" for index in range(400)], ["head", "full:sequential"])


@pytest.mark.parametrize("width", [80, 120])
def test_a_long_stream_has_a_short_report(width: int) -> None:
    text = render(LONG, width)
    assert too_wide(text, width) == []
    assert len(text.splitlines()) < 160
    assert "... 394 more ..." in text
    assert "The 30 of 400 tasks that changed most." in text


def test_the_spread_of_scores() -> None:
    text = render(LONG, 80, sections=["tasks"])
    scores = sorted(LONG["learners"]["head"]["R"][-1])
    line = next(line for line in text.splitlines() if line.startswith("head"))
    shown = [scores[0], scores[39], scores[199], scores[359], scores[-1], sum(scores) / 400]
    assert line.split() == ["head", "400", *(f"{100 * score:.1f}" for score in shown)]
    lowest = LONG["order"][LONG["learners"]["head"]["R"][-1].index(scores[0])]
    assert f"lowest of head: {lowest} {100 * scores[0]:.1f}" in text


def test_nearest_ranks() -> None:
    assert [quantile([1.0, 2.0, 3.0, 4.0], share) for share in (0.0, 0.25, 0.5, 0.9, 1.0)] == [1.0, 1.0, 2.0, 4.0, 4.0]
    assert quantile([], 0.5) is None


def test_up_to_a_hundred_tasks_each_has_a_line() -> None:
    text = render(make_results([f"t{index:02}" for index in range(100)], ["head"]), 80, sections=["tasks"])
    assert all(f"t{index:02}" in text for index in range(100))
