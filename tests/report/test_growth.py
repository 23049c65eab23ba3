"""The growth chart: points where the figures are, on a log axis."""

from __future__ import annotations

from stream.report.terminal.growth import HEIGHT, interpolated, plot

from .fake_results import HOULSBY26, make_results
from .rendering import render


def test_the_ends_of_a_curve_are_at_the_corners() -> None:
    cells = plot([(1.0, 10.0, 100.0)], 3, 21, 1.0, 100.0)
    assert (HEIGHT - 1, 0) in cells
    assert (0, 20) in cells
    assert len({column for _, column in cells}) == 21


def test_an_interrupted_curve_stops_at_its_last_arrival() -> None:
    assert max(column for _, column in plot([(1.0, 2.0)], 3, 21, 1.0, 4.0)) == 10


def test_curves_that_meet_take_turns() -> None:
    assert set(plot([(1.0, 1.0), (1.0, 1.0)], 2, 8, 1.0, 2.0).values()) == {0, 1}


def test_nothing_is_drawn_next_to_a_gap() -> None:
    assert interpolated((1.0, None, 3.0), 1.5) is None
    assert interpolated((1.0, 2.0), 1.5) == 1.5
    assert interpolated((1.0, 2.0), 2.5) is None


def test_the_key_gives_the_growth_after_the_last_arrival() -> None:
    text = render(make_results(HOULSBY26, ["full:isolated", "adapter:64"]), sections=["growth"])
    assert "a full:isolated 26.0×" in text
    assert "b adapter:64 1.694×" in text


def test_without_figures_the_chart_says_so() -> None:
    results = make_results(HOULSBY26[:2], ["head"])
    results["learners"]["head"]["cost"]["growth"] = [None, None]
    assert "No growth was recorded" in render(results, sections=["growth"])
