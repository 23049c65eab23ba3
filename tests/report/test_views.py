"""The views of a run: permanent lines, progress, and a live part that stays small."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from stream.report.live.plain import INTERVAL, PlainView
from stream.report.live.rich import LiveView, job_line
from stream.report.live.state import RunState

from .fake_results import HOULSBY26, LEARNERS, make_events, make_results
from .rendering import console, too_wide


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def plain_lines(events: list[dict[str, Any]], width: int = 80, pace: float = 0.0, **kind: bool) -> list[str]:
    clock, screen = Clock(), console(width, **kind)
    with PlainView(screen, clock) as view:
        for event in events:
            clock.now += pace
            view.handle(event)
    return screen.export_text().splitlines()


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("learners", [1, 5, 8])
def test_an_arrival_is_one_line_that_does_not_wrap(width: int, learners: int) -> None:
    results = make_results(learners=list(LEARNERS)[:learners])
    lines = plain_lines(make_events(results), width)
    arrivals = [line for line in lines if "/26 " in line]
    assert len(arrivals) == 26
    assert too_wide("\n".join(lines), width) == []
    assert len([line for line in lines if line.split()[:2] == ["#", "task"]]) == 1


def test_an_arrival_shows_the_score_of_each_learner_on_the_day() -> None:
    results = make_results(HOULSBY26[:3], ["full:isolated", "full:sequential"])
    arrival = next(line for line in plain_lines(make_events(results)) if line.startswith("2/3"))
    expected = [f"{100 * record['R'][2][1]:.1f}" for record in results["learners"].values()]
    assert arrival.split()[:4] == ["2/3", "sst2", *expected]


def test_a_learner_without_the_row_shows_a_dash_not_zero() -> None:
    results = make_results(HOULSBY26[:2], ["head", "layernorm"])
    events = [event for event in make_events(results) if event.get("learner") != "layernorm"]
    arrival = next(line for line in plain_lines(events) if line.startswith("1/2"))
    assert arrival.split()[3] == "–"


def test_more_learners_than_fit_are_counted() -> None:
    lines = plain_lines(make_events(make_results()), 60)
    heading = next(line for line in lines if line.split()[:2] == ["#", "task"])
    assert heading.rstrip().endswith("(+3)")
    assert max(map(cell_len, lines)) <= 60


def test_plain_output_has_no_control_codes_and_little_progress() -> None:
    events = make_events(make_results(HOULSBY26[:4]))
    lines = plain_lines(events, pace=1.0)
    progress = [line for line in lines if line.startswith("...")]
    assert "\x1b" not in "".join(lines)
    assert 0 < len(progress) <= len(events) / INTERVAL


def test_violations_and_notices_are_kept_as_they_were_said() -> None:
    lines = plain_lines(
        [
            {"event": "violation", "learner": "x", "task": "cola", "arrival": 3, "message": "tensor [bold]w[/bold]"},
            {"event": "notice", "message": "store is shared"},
        ]
    )
    assert lines == ["violation: x, cola, arrival 3: tensor [bold]w[/bold]", "note: store is shared"]


def test_a_fit_that_is_done_again_is_told_as_such() -> None:
    event = {"event": "progress", "job": "fit/x/3", "learner": "x", "task": "sst2", "epoch": 1, "epochs": 3}
    view = LiveView(console(100, height=40), Clock())
    for each in make_events(make_results(HOULSBY26[:4]))[:1]:
        view.handle(each)
    view.handle({"event": "start", "kind": "fit", "arrival": 3, **{k: event[k] for k in ("job", "learner", "task")}})
    for again, expected in (({"again": "cola"}, ["refit", "x", "cola"]), ({}, ["fit", "x", "sst2"])):
        view.handle({**event, **again})
        (job,) = view.state.running.values()
        assert job_line(job, ["x"], view.page).plain.split()[1:4] == expected


@pytest.mark.parametrize(
    ("width", "height", "kind"),
    [(80, 24, {}), (120, 40, {"colour": True}), (80, 10, {"ascii_only": True}), (80, 10, {"colour": True})],
)
def test_the_live_part_is_at_most_half_the_screen(width: int, height: int, kind: dict[str, bool]) -> None:
    clock = Clock()
    view = LiveView(console(width, height=height, **kind), clock)
    for event in make_events(make_results(arrivals=5), ends=False)[:-1]:
        clock.now += 1.0
        view.handle(event)
        screen = console(width, height=height, **kind)
        screen.print(view.render())
        lines = screen.export_text().splitlines()
        assert len(lines) <= max(height // 2, 3)
        assert too_wide("\n".join(lines), width) == []


def test_the_live_part_shows_what_runs() -> None:
    events = make_events(make_results(HOULSBY26[:3]))
    view = LiveView(console(120, colour=True), Clock())
    for event in events[:3]:
        view.handle(event)
    screen = console(120)
    screen.print(view.render())
    text = screen.export_text()
    for words in ("full:isolated", "cola", "epoch 2/3", "21%", "loss 0.313", "812 ex/s", "0/48 jobs"):
        assert words in text


def test_the_live_view_runs_and_leaves_only_permanent_lines() -> None:
    file = io.StringIO()
    screen = Console(file=file, width=80, height=24, force_terminal=True, color_system=None, _environ={})
    with LiveView(screen) as view:
        for event in make_events(make_results(HOULSBY26[:2])):
            view.handle(event)
    assert "1/2 cola" in file.getvalue()
    assert "done in" in file.getvalue()


def test_the_board_counts_jobs_once_whether_run_or_taken_from_the_store() -> None:
    results = make_results(HOULSBY26[:3], ["head", "layernorm"])
    run, cached, early = RunState(Clock()), RunState(Clock()), RunState(Clock())
    events = make_events(results)
    for event in events:
        run.handle(event)
        if event["event"] not in ("start", "progress"):
            cached.handle(event)
    # A worker may start its next job before the result of its last one is told.
    starts = [event for event in events if event.get("learner") == "head" and event["event"] == "start"]
    others = [event for event in events if event.get("learner") == "head" and event["event"] in ("fit", "row")]
    for event in (events[0], *starts, *others):
        early.handle(event)
    assert (run.done, run.computed) == (12, 12)
    assert (cached.done, cached.computed) == (12, 0)
    assert early.done == 6
    assert cached.remaining is None


def test_results_are_matched_by_job_id_before_anything_else() -> None:
    state = RunState(Clock())
    facts = {"learner": "x", "task": "a", "arrival": 1}
    state.handle({"event": "run", "order": ["a"], "learners": {"x": {}}, "jobs": 3})
    for job, kind, result in (("b", "before", "before"), ("e", "evaluate", "row"), ("t", "audit", "row")):
        state.handle({"event": "start", "job": job, "kind": kind, "worker": 0, **facts})
        assert list(state.running) == [job]
        state.handle({"event": result, "job": job, **facts, "cells": [{"task": "a", "score": 0.5}]})
        assert not state.running
    assert (state.done, state.computed) == (3, 3)


def test_the_mean_so_far_leaves_out_tasks_still_to_come() -> None:
    state = RunState(Clock())
    state.handle({"event": "run", "order": ["a", "b"], "learners": {"x": {}}, "jobs": 4})
    cells = [{"task": "a", "score": 0.8}, {"task": "b", "score": 0.1}]
    state.handle({"event": "row", "learner": "x", "task": "a", "arrival": 1, "cells": cells})
    assert state.learners["x"].average == 0.8


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_subset_of_events_in_any_order_is_shown_without_failing(data: st.DataObject) -> None:
    events = make_events(make_results(HOULSBY26[:2], ["head", "full:sequential"]), ends=data.draw(st.booleans()))
    chosen = data.draw(st.lists(st.sampled_from(events), max_size=25))
    lines = plain_lines(chosen, pace=7.0)
    assert too_wide("\n".join(lines), 80) == []
    view = LiveView(console(80, colour=True), Clock())
    for event in chosen:
        view.handle(event)
        view.render()
