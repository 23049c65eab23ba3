"""The task table: ceilings stand beside the scores, and only where there are any."""

from __future__ import annotations

from typing import Any

import pytest

from .fake_results import HOULSBY26, LEARNERS, make_results
from .rendering import render, too_wide


def with_ceilings(results: dict[str, Any], missing: tuple[str, ...] = ()) -> dict[str, Any]:
    for number, name in enumerate(results["order"]):
        if name not in missing:
            results["tasks"][name]["ceiling"] = 0.9 + number / 1000
    return results


def test_no_ceiling_no_column() -> None:
    assert "ceiling" not in render(make_results(), 120, sections=["tasks"])


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("learners", [1, 7, 8])
def test_ceilings_fit_beside_all_learners(width: int, learners: int) -> None:
    text = render(with_ceilings(make_results(learners=list(LEARNERS)[:learners])), width, sections=["tasks"])
    assert too_wide(text, width) == []
    lines = text.splitlines()
    headings = [line.split() for line in lines if line.startswith("task")]
    assert all("ceiling" in heading for heading in headings)
    cola = [line.split() for line in lines if " cola " in line]
    assert len(cola) == len(headings)
    assert all(row[2:4] == ["MCC", "90.0"] for row in cola)
    assert "best expected score" in " ".join(text.split())


def test_seven_learners_and_the_ceiling_are_one_table_of_80_columns() -> None:
    text = render(with_ceilings(make_results(learners=list(LEARNERS)[:7])), 80, sections=["tasks"])
    assert sum(line.startswith("task") for line in text.splitlines()) == 1


def test_the_mean_is_over_the_arrived_tasks_whose_ceiling_is_known() -> None:
    results = with_ceilings(make_results(HOULSBY26[:4], ["head"], arrivals=3), missing=("sst2",))
    lines = [line.split() for line in render(results, 100, sections=["tasks"]).splitlines()]
    mean = next(line for line in lines if line and line[0] == "mean")
    assert mean[1] == "90.1"  # of 90.0 and 90.2
    assert next(line for line in lines if "sst2" in line)[3] == "–"
