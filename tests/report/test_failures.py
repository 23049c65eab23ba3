"""What the report and the views say of fits that failed, and that no gap is shown as a number."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stream.report.live.plain import PlainView
from stream.report.live.rich import LiveView
from stream.report.terminal.failures import REMEDY, SHOWN, one_line
from stream.results.results import Results

from .fake_results import HOULSBY26, make_events, make_results
from .rendering import console, render, too_wide

KINDS = [{}, {"colour": True}, {"ascii_only": True}]
MESSAGE = "the loss is nan at step 3 of 24 (epoch 1)"


def failing(learner: str, places: tuple[int, ...], tasks: int = 4, learners: list[str] | None = None) -> dict[str, Any]:
    """Results in which fits of one learner failed: their rows and columns have gaps, as the engine leaves them."""
    results = make_results(HOULSBY26[:tasks], learners or ["head", "layernorm", "full:sequential"])
    record = results["learners"][learner]
    for place in places:
        for row, hows in zip(record["R"][1:], record["provenance"][1:], strict=True):
            row[place] = hows[place] = None
        del record["cost"]["trained_parameters_per_task"][HOULSBY26[place]]
    record["failures"] = [
        {"task": HOULSBY26[place], "arrival": place + 1, "step": 3, "type": "Diverged", "message": MESSAGE}
        for place in places
    ]
    record["metrics_over"] = {"tasks": tasks - len(places), "of": tasks}
    record["metrics"]["average_accuracy"] = 0.999  # the best, were it comparable
    if len(places) == tasks:
        record["metrics"] = dict.fromkeys(record["metrics"])
    return results


def events_of(results: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of that run: a failed fit tells why, its task has no cell."""
    failed = {
        (name, failure["task"]): failure
        for name, record in results["learners"].items()
        for failure in record.get("failures", ())
    }
    events = []
    for event in make_events(results):
        if event["event"] == "fit" and (event["learner"], event["task"]) in failed:
            failure = failed[event["learner"], event["task"]]
            event = {key: event[key] for key in ("event", "learner", "task", "arrival", "seconds")}
            event["failed"] = {key: failure[key] for key in ("type", "step", "message")}
        events.append(event)
    return events


def league(results: dict[str, Any], width: int = 120, **kind: bool) -> list[str]:
    return render(results, width, sections=["league"], **kind).splitlines()


def test_an_average_over_fewer_tasks_is_marked_and_never_the_best() -> None:
    lines = league(failing("layernorm", (1,)))
    rows = [line for line in lines if re.match(r"(head|layernorm|full:sequential) +[0-9]", line)]
    assert rows[-1].split()[:3] == ["layernorm", "99.9", "(3/4)"]
    assert "★" not in rows[-1]
    points = [line.index(".") for line in rows]
    assert len(set(points)) == 1  # the decimal points of the scores are below each other
    assert any(line.startswith("(n/m): only n of m tasks count") for line in lines)


def test_the_table_says_which_fits_failed_when_and_what_to_do() -> None:
    text = "\n".join(league(failing("layernorm", (1, 3))))
    for place in (1, 3):
        assert f"failed: layernorm on {HOULSBY26[place]}, arrival {place + 1}: {MESSAGE}" in text
    assert REMEDY.split(";")[0] in " ".join(text.split())


def test_nothing_is_said_where_nothing_failed() -> None:
    results = make_results(HOULSBY26[:4])
    text = "\n".join(league(results))
    assert "failed" not in text
    assert "(n/m)" not in text
    assert one_line(Results.from_dict(results)) is None


def test_many_failures_are_counted_not_listed() -> None:
    results = failing("layernorm", tuple(range(12)), tasks=26)
    text = "\n".join(league(results))
    assert text.count("failed: layernorm on") == SHOWN
    assert f"and {12 - SHOWN} more, in results.json" in text
    line = one_line(Results.from_dict(results))
    assert line is not None
    assert line.startswith(f"12 failed: layernorm on {HOULSBY26[0]}, arrival 1: {MESSAGE}; ")
    assert f"and {12 - SHOWN} more, in results.json" in line
    assert "\n" not in line


@pytest.mark.parametrize("kind", KINDS, ids=["plain", "colour", "ascii"])
@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("places", [(0,), (2,), (3,), (0, 1, 2, 3)])
def test_the_whole_report_fits_with_gaps_anywhere(width: int, kind: dict[str, bool], places: tuple[int, ...]) -> None:
    for learner in ("layernorm", "full:sequential"):
        text = render(failing(learner, places), width, **kind)
        assert too_wide(text, width) == []
        assert not kind.get("ascii_only") or text.isascii()


def test_a_learner_whose_every_fit_failed_has_no_score_and_comes_last() -> None:
    rows = [line.split() for line in league(failing("head", (0, 1, 2, 3))) if line.startswith("head ")]
    assert rows[0][:4] == ["head", "–", "(0/4)", "–"]


def test_the_task_table_shows_a_gap_and_a_mean_of_the_rest() -> None:
    results = failing("layernorm", (1,))
    lines = render(results, 120, sections=["tasks"]).splitlines()
    column = next(line for line in lines if line.startswith("task")).split().index("layernorm")
    gap = next(line for line in lines if line.split()[:2] == ["2", HOULSBY26[1]]).split()
    assert "–" in gap
    scores = [score for score in results["learners"]["layernorm"]["R"][-1] if score is not None]
    assert f"{100 * sum(scores) / 3:.1f}" in next(line for line in lines if line.startswith("mean"))
    assert column > 0


def test_a_running_stream_tells_of_it_at_once_and_at_the_end() -> None:
    screen = console(100)
    with PlainView(screen, lambda: 0.0) as view:
        for event in events_of(failing("layernorm", (1,))):
            view.handle(event)
    lines = screen.export_text().splitlines()
    words = " ".join(" ".join(lines).split())
    assert (
        f"failed: layernorm, {HOULSBY26[1]}, arrival 2: {MESSAGE}; its cells stay empty, and the stream continues"
        in words
    )
    arrival = next(line for line in lines if line.startswith("2/4"))
    assert arrival.split()[2:5].count("failed") == 1
    assert "done in 51m11s; 1 fit FAILED; results in runs/first" in words


def test_the_live_part_says_over_how_many_tasks_a_mean_is() -> None:
    view = LiveView(console(100, height=40, colour=True), lambda: 0.0)
    for event in events_of(failing("layernorm", (1,))):
        view.handle(event)
    screen = console(100)
    screen.print(view.render())
    text = screen.export_text()
    assert "(3/4)" in next(line for line in text.splitlines() if line.startswith("layernorm"))
    assert "(" not in next(line for line in text.splitlines() if line.startswith("head"))
    assert "1 failed" in text.splitlines()[0]
