"""Each format of a number, and the dash where there is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.report.console import Page
from stream.report.numbers import duration, growth, mean, points, scaled, share
from stream.results.reading import number

PAGE, ASCII = Page(80, False, False), Page(80, False, True)


def test_absent_is_a_dash_in_every_format() -> None:
    for write in (points, growth, share, scaled, duration):
        assert (write(None, PAGE), write(None, ASCII)) == ("–", "-")


@pytest.mark.parametrize("value", [None, "0.5", True, math.nan, math.inf, [1]])
def test_only_finite_numbers_are_numbers(value: object) -> None:
    assert number(value) is None


def test_the_mean_of_nothing_is_nothing() -> None:
    assert mean([None, None]) is None
    assert mean([]) is None
    assert mean([None, 0.5, 1.0]) == 0.75


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (points(0.8125, PAGE), "81.2"),
        (points(-0.00001, PAGE), "0.0"),
        (points(0.0, PAGE, exact_zero=True), "0"),
        (points(1e-9, PAGE, exact_zero=True), "0.0"),
        (points(0.03, PAGE, sign=True), "+3.0"),
        (growth(1.0087, PAGE), "1.009×"),
        (growth(4.367, ASCII), "4.37x"),
        (growth(26.0, PAGE), "26.0×"),
        (share(0.00035, PAGE), "0.035%"),
        (share(0.0362, PAGE), "3.6%"),
        (share(1.0, PAGE), "100%"),
        (share(0.0, PAGE), "0%"),
        (scaled(38_400, PAGE), "38.4k"),
        (scaled(109_482_240, PAGE), "109M"),
        (scaled(9_660_000, PAGE, "B"), "9.66MB"),
        (scaled(999_999, PAGE), "1.00M"),
        (scaled(770, PAGE), "770"),
        (duration(59.97, PAGE), "1m00s"),
        (duration(4.25, PAGE), "4.2s"),
        (duration(725, PAGE), "12m05s"),
        (duration(11_220, PAGE), "3h07m"),
    ],
)
def test_formats(written: str, expected: str) -> None:
    assert written == expected


@given(st.floats(0, 1e14))
def test_scaled_keeps_three_digits_in_six_cells(value: float) -> None:
    assert len(scaled(value, PAGE)) <= 5
