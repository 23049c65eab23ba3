"""The league table: order, marks and the words of the proof."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.report.leaders import Leaders, chance, leaders
from stream.report.learner_summary import summaries
from stream.report.terminal.league import uncertainty
from stream.results.results import Results

from .fake_results import HOULSBY26, LEARNERS, make_results
from .rendering import render


def lines(results: dict[str, Any], width: int = 120, **kind: bool) -> list[str]:
    return render(results, width, sections=["league"], **kind).splitlines()


def row(results: dict[str, Any], learner: str) -> list[str]:
    return next(line.split() for line in lines(results) if line.startswith(learner + " "))


def test_learners_are_sorted_by_score_and_those_ahead_are_marked_without_colour() -> None:
    shown = [line.split()[:2] for line in lines(make_results()) if re.match(rf"({'|'.join(LEARNERS)}) +[0-9]", line)]
    scores = [float(score.rstrip("★")) for _, score in shown]
    assert len(scores) == len(LEARNERS)
    assert scores == sorted(scores, reverse=True)
    stars = [score.endswith("★") for _, score in shown]
    assert stars[0]
    assert not all(stars)
    assert "*" in lines(make_results(), ascii_only=True)[4]


def test_the_figures_of_a_row_are_those_of_the_results() -> None:
    results = make_results(HOULSBY26[:2], ["adapter:64"])
    record = results["learners"]["adapter:64"]
    record["metrics"] |= {"average_accuracy": 0.81234, "forgetting_chaudhry": 0.0345, "bwt_gem": -0.0345}
    record["cost"] |= {"growth": [1.1, 1.574], "growth_without_heads": [1.05, 1.5], "train_seconds": 725.0}
    record["cost"]["bytes_per_task"] = {"cola": 9_000_000, "sst2": 10_320_000}
    record["cost"]["trained_parameters_per_task"] = {"cola": 227_000, "sst2": 681_000}
    expected = "81.2 3.5 -3.5 1.574× 1.500× 2.0% 9.66MB 12m05s exact"  # worked by hand
    assert row(results, "adapter:64")[1:] == expected.split()


def compared(scores: dict[str, list[float]]) -> Leaders:
    """Leaders among learners with these last scores on the first tasks of the paper."""
    order = HOULSBY26[: len(next(iter(scores.values())))]
    document = make_results(order, list(scores))
    for name, row in scores.items():
        record = document["learners"][name]
        record["R"][-1] = row
        record["metrics"]["average_accuracy"] = sum(row) / len(row)
    return leaders(summaries(Results.from_dict(document)), order)


def test_the_one_that_is_better_on_every_task_is_ahead() -> None:
    low = [0.5, 0.52, 0.49, 0.51, 0.5, 0.53, 0.48, 0.47, 0.5]
    found = compared({"head": low, "adapter:64": [x + 0.2 + x / 50 for x in low], "full:isolated": low[::-1]})
    assert found.names == ("adapter:64",)
    assert (
        found.sentence == "adapter:64 is ahead of all others beyond chance (sign flips over 9 tasks, Holm's p < 0.05)"
    )


def test_nobody_is_ahead_within_chance() -> None:
    """The mean of one is higher by 8 points, all of them from one task of six."""
    low = [0.5, 0.52, 0.49, 0.51, 0.5, 0.53]
    found = compared({"head": low, "adapter:64": [*low[:5], low[5] + 0.48]})
    assert found.names == ()
    assert found.sentence == "no learner is ahead beyond chance (sign flips over 6 tasks, Holm's p < 0.05)"


@pytest.mark.parametrize("tasks", [1, 9])
def test_equals_are_ahead_together_of_the_rest_and_one_task_shows_nothing(tasks: int) -> None:
    low = [0.5, 0.52, 0.49, 0.51, 0.5, 0.53, 0.48, 0.47, 0.5][:tasks]
    high = [x + 0.2 + x / 50 for x in low]
    found = compared({"head": low, "adapter:64": high, "layernorm": high})
    assert found.names == (() if tasks == 1 else ("adapter:64", "layernorm"))
    assert found.compared == 3


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8))
def test_the_chance_is_that_of_all_choices_of_signs(differences: list[float]) -> None:
    """9,999 random choices come as near to all 2^T as they should: within five standard errors."""
    values = np.array(differences)
    totals = [
        abs(sum(s * d for s, d in zip(signs, values, strict=True))) for signs in product((-1, 1), repeat=len(values))
    ]
    exact = np.mean([total >= abs(values.sum()) - 1e-12 for total in totals])
    assert chance(values, [[place] for place in range(len(values))]) == pytest.approx(exact, abs=0.026)


def test_one_learner_is_compared_with_nobody() -> None:
    assert compared({"head": [0.5, 0.6]}).sentence == ""


def test_an_exact_zero_differs_from_a_rounded_one() -> None:
    results = make_results(HOULSBY26[:2], ["head", "full:sequential"])
    results["learners"]["full:sequential"]["metrics"] |= {"forgetting_chaudhry": 0.0001, "bwt_gem": -0.0001}
    assert row(results, "head")[2:4] == ["0", "0"]
    assert row(results, "full:sequential")[2:4] == ["0.0", "0.0"]


def test_the_proof_counts_cells_and_names_who_has_it() -> None:
    text = " ".join(" ".join(lines(make_results())).split())
    assert "exact: 351 cells measured, bitwise equal (each: full:isolated, adapter:64" in text
    assert "forgets: 351 cells measured, scores fell (full:sequential)" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"violations": [{"task": "cola", "arrival": 3}]}, "changed: 3 cells measured, NOT equal: task cola arrival 3"),
        ({"verified": False}, "open: 3 cells measured, no difference found so far, not verified"),
        ({"cells_measured": 0}, "open: no difference found so far, not verified"),
        ({"cells_measured": 1}, "exact: 1 cell measured, bitwise equal"),
        ({"verified": None}, "open: 3 cells measured, no difference found so far, not verified"),
        ({"cells_partly_measured": 2}, "exact: 3 cells measured, 2 cells partly measured, bitwise equal"),
        (
            {"cells_certified": 5, "cells_audited": 2},
            "exact: 3 cells measured, 5 cells certified, 2 cells audited, bitwise equal",
        ),
    ],
)
def test_a_proof_says_what_it_rests_on(change: dict[str, Any], words: str) -> None:
    results = make_results(HOULSBY26[:2], ["layernorm"])
    results["learners"]["layernorm"]["retention"] |= change
    assert words in "\n".join(lines(results))


def test_a_sequential_learner_never_counts_as_proven() -> None:
    results = make_results(HOULSBY26[:2], ["full:sequential"])
    record = results["learners"]["full:sequential"]
    record["metrics"]["forgetting_chaudhry"] = -0.01
    record["retention"]["verified"] = True
    assert row(results, "full:sequential")[-1] == "kept"


def test_narrow_pages_drop_columns_but_keep_score_forgetting_growth_and_proof() -> None:
    heading = next(line for line in lines(make_results(), 50) if line.startswith("learner"))
    assert heading.split() == ["learner", "score", "forget", "growth", "/task", "proof"]


def test_the_interval_is_that_of_the_test_rows() -> None:
    results = make_results(HOULSBY26[:2], ["head", "adapter:64"])
    assert "95 % interval of score: up to 2.1 points on each side, for this number of test rows; this holds" in said(
        results
    )  # cola is a Matthews correlation
    results["tasks"]["cola"]["metric"] = "accuracy"
    assert "for this number of test rows." in said(results)
    results["learners"]["head"]["errors"] = {"cola": 0.03, "sst2": 0.04}  # 1.96 x 0.05 / 2
    assert "up to 2.1 points" in said(results), "not known of the other"
    results["learners"]["adapter:64"]["errors"] = {"cola": 0.0, "sst2": 0.02}
    assert "95 % interval of score: 2.0 to 4.9 points on each side (bootstrap over test rows)." in said(results)
    results["learners"]["adapter:64"]["errors"] = {"cola": 0.03}
    assert "up to 2.1 points" in said(results), "not known of one task"


def said(results: dict[str, Any]) -> str:
    return " ".join(" ".join(lines(results)).split())


def test_the_uncertainty_of_an_average_is_that_of_its_test_examples() -> None:
    # 1.96 standard errors of the mean of 26 shares near one half, each of 40: 196 sqrt(26 / 160) / 26
    assert uncertainty([40] * 26) == pytest.approx(3.0387, abs=1e-3)
    assert uncertainty([100]) == pytest.approx(9.8)
    assert uncertainty([100, None]) is None
    assert uncertainty([]) is None
