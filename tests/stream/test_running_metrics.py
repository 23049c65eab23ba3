"""Running figures equal those derived anew from all events, whatever the order in which jobs end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.specification.family import parse_learners
from stream.engine.running_metrics import RunningMetrics, add_cells, advance
from stream.results.account import account
from stream.results.document import matrix_of
from stream.results.metrics import compute_all
from stream.storage.events import JobEvent
from stream.storage.job import JobId
from tests.typed_events import cell, failed_fit, fit, row

LEARNERS = parse_learners("full:isolated,adapter:4,full:sequential,adapter:4:sequential")
NAMES = tuple(f"task{i}" for i in range(7))
PLACE = {task: arrival for arrival, task in enumerate(NAMES, start=1)}
BACKBONE = 997

sizes = st.integers(0, 10**6)
scores = st.floats(-1, 1, allow_nan=False)


def metrics_of(name: str) -> RunningMetrics:
    return RunningMetrics(name, LEARNERS[name], PLACE, BACKBONE)


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[JobId, JobEvent]]:
    """Fits and rows of a stream in the order in which they end, which need not be that of the arrivals."""
    name, square = draw(st.sampled_from(list(LEARNERS))), draw(st.booleans())
    events: dict[JobId, JobEvent] = {}
    failed = draw(st.sets(st.sampled_from(NAMES)))
    mute = draw(st.sets(st.sampled_from(NAMES), max_size=2))  # answered with no number, whenever they are
    for arrival, task in enumerate(NAMES, start=1):
        added, heads = draw(sizes), draw(sizes)
        good = fit(
            name, arrival, task, added_parameters=added, head_parameters=heads, kept_parameters=added + draw(sizes)
        )
        events[JobId.of("fit", name, arrival)] = failed_fit(name, arrival, task) if task in failed else good
        cells = [
            cell(other, None if other in mute else draw(scores))
            for place, other in enumerate(NAMES, start=1)
            if (place <= arrival and other not in failed) or (square and place > arrival)
        ]
        events[JobId.of("evaluate", name, arrival)] = row("evaluate", name, arrival, cells)
    return draw(st.permutations(list(events.items())))


@given(streams())
def test_the_figures_of_every_moment(ended: list[tuple[JobId, JobEvent]]) -> None:
    _, name, _ = ended[0][0].parts
    metrics, events = metrics_of(name), dict[JobId, JobEvent]()
    for job, event in ended:
        events[job] = event
        advance(metrics, events)
        entries = account(NAMES, name, LEARNERS[name], BACKBONE, events)
        assert metrics.growth == [entry["growth"] for entry in entries]
        matrix = matrix_of(NAMES, name, events)
        assert metrics.rows == matrix.arrivals
        assert metrics.forgetting == compute_all(matrix)["forgetting_chaudhry"]


@pytest.mark.parametrize("arrivals", [(1, 3), (3, 1)])
def test_another_answer_is_found_whichever_row_ends_first(arrivals: tuple[int, int]) -> None:
    first, second = arrivals
    said = {1: "then", 3: "later"}
    for name in ("adapter:4", "full:sequential"):
        metrics = metrics_of(name)
        assert add_cells(metrics, first, [cell("task0", logits=said[first])]) == []
        found = add_cells(metrics, second, [cell("task0", logits=said[second])])
        if name == "adapter:4":
            assert found == [{"task": "task0", "arrival": 3, "expected": "then", "found": "later"}]
        else:
            assert found == []


def test_a_task_to_come_may_change_its_answers() -> None:
    metrics = metrics_of("adapter:4")
    assert add_cells(metrics, 1, [cell("task0"), cell("task1", logits="unlearned")]) == []
    assert add_cells(metrics, 2, [cell("task0"), cell("task1", logits="learned")]) == []
    assert [found["task"] for found in add_cells(metrics, 3, [cell("task0"), cell("task1", logits="unlearned")])] == [
        "task1"
    ]
