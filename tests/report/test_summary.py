"""The whole report: it fits any width, in any character set, for any stream."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.report import SECTIONS, print_report
from stream.results.results import Results
from tasks.errors import InputError

from .fake_results import HOULSBY26, LEARNERS, make_results
from .rendering import console, render, too_wide

KINDS = [{}, {"colour": True}, {"ascii_only": True}, {"colour": True, "ascii_only": True}]


@pytest.mark.parametrize("kind", KINDS, ids=["plain", "colour", "ascii", "ascii colour"])
@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_console(width: int, kind: dict[str, bool]) -> None:
    text = render(make_results(), width, **kind)
    assert too_wide(text, width) == []
    assert not kind.get("ascii_only") or text.isascii()


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("tasks", [1, 2, 26])
def test_every_section_renders_for_few_and_many_tasks_and_learners(section: str, tasks: int) -> None:
    for learners in range(1, len(LEARNERS) + 1):
        results = make_results(HOULSBY26[:tasks], list(LEARNERS)[:learners])
        for colour in (False, True):
            text = render(results, 80, sections=[section], colour=colour)
            assert text.strip()
            assert too_wide(text, 80) == []


NAMES = st.text(min_size=1, max_size=60).filter(str.strip)


@settings(max_examples=60, deadline=None)
@given(
    order=st.lists(NAMES, min_size=1, max_size=12, unique=True),
    done=st.integers(0, 12),
    width=st.integers(60, 130),
    kind=st.sampled_from(KINDS),
    learners=st.integers(1, 8),
)
def test_any_task_name_and_any_interruption_fits(
    order: list[str], done: int, width: int, kind: dict[str, bool], learners: int
) -> None:
    results = make_results(order, list(LEARNERS)[:learners], arrivals=min(done, len(order)))
    text = render(results, width, **kind)
    assert too_wide(text, width) == []
    assert ("unfinished" in text) or done >= len(order) or any("unfinished" in name for name in order)


def emptied(results: dict[str, Any]) -> dict[str, Any]:
    """The same streams with every figure None or absent."""
    results = copy.deepcopy(results)
    for record in results["learners"].values():
        record["R"] = [[None] * len(row) for row in record["R"]]
        record["metrics"] = dict.fromkeys(record["metrics"])
        record["cost"] = {"growth": [None] * len(record["R"])}
        record["retention"] = {}
    for facts in results["tasks"].values():
        facts["train"] = facts["test"] = None
    results["backbone"]["parameters"] = None
    return results


@pytest.mark.parametrize("section", ["league", "forgetting", "tasks"])
def test_nothing_known_is_never_shown_as_a_number(section: str) -> None:
    text = render(emptied(make_results(["alpha", "beta"])), 120, sections=[section])
    lines = [line for line in text.splitlines() if len(line.split()) > 1]
    rows = [line for line in lines if line.split()[0] in (*LEARNERS, "1", "2", "mean")]
    assert rows
    for row in rows:
        known = {*LEARNERS, "1", "2", "mean", "alpha", "beta"}
        cells = [cell for cell in row.split() if cell not in known]
        assert not any(character.isdigit() for cell in cells for character in cell), row
        assert "–" in cells


def test_a_stream_cut_short_says_so_and_a_whole_one_does_not() -> None:
    assert "unfinished: 9 of 26 arrivals" in render(make_results(arrivals=9))
    assert "unfinished" not in render(make_results())


def test_learners_ahead_of_the_others_are_named() -> None:
    results = make_results(HOULSBY26[:4], ["head", "layernorm"], arrivals=2)
    results["learners"]["layernorm"] = make_results(HOULSBY26[:4], arrivals=3)["learners"]["layernorm"]
    assert "2 of 4 arrivals are done (some learners have more: layernorm 3)" in render(results, sections=["header"])


def test_sections_are_selectable_in_any_order() -> None:
    text = render(make_results(HOULSBY26[:2]), sections=["tasks", "league"])
    assert text.index("Scores by task") < text.index("League table")
    assert "Growth" not in text
    assert "taskstream" not in text


def test_an_unknown_section_is_a_clear_error() -> None:
    with pytest.raises(InputError, match="did you mean league"):
        print_report(Results.from_dict(make_results(HOULSBY26[:1])), console(), ["leage"])


def test_names_are_never_read_as_markup() -> None:
    text = render(make_results(["[red]apple[/red]", "[/]"], ["head"]), 120)
    assert "[red]apple[/red]" in text
    assert "[/]" in text
