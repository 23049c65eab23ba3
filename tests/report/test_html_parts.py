"""The parts of the page: text in markup, colours, axes, and places that must not meet."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from stream.report.axis import counting, linear, logarithmic, spread
from stream.report.console import LEARNER_COLOURS
from stream.report.html.render import environment
from stream.report.html.trade_off import HEIGHT, NARROW, apart
from stream.report.palette import DARK, LIGHT, contrast, shade

from .reader import Reader


@given(st.text(), st.text())
def test_text_and_attributes_read_back(words: str, value: str) -> None:
    template = environment().from_string('<p title="{{ value }}">{{ words }}</p>')
    found = Reader(template.render(words=words, value=value))
    clean = [
        re.sub(r"[^\n]", lambda c: c[0] if c[0].isprintable() or c[0] == "\u00a0" else "?", x) for x in (words, value)
    ]
    assert "".join(found.text) == clean[0]
    assert found.elements == [("p", {"title": clean[1]})]


def test_markup_is_not_escaped_twice() -> None:
    macro = "{% macro italic(words) %}<i>{{ words }}</i>{% endmacro %}"
    template = environment().from_string(macro + "<b>{{ italic(words) }}{{ 'c' }}<br></b>")
    assert template.render(words="a<b") == "<b><i>a&lt;b</i>c<br></b>"


def test_colours_stand_out_from_their_ground_and_from_each_other() -> None:
    assert len(LIGHT) == len(DARK) == len(LEARNER_COLOURS)
    for colours, ground in ((LIGHT, "#ffffff"), (DARK, "#14171b")):
        assert len(set(colours)) == len(colours)
        assert min(contrast(colour, ground) for colour in colours) >= 3  # WCAG 2.2, 1.4.11: graphics


def test_shades_are_viridis_at_tenths_and_between() -> None:
    assert [shade(score) for score in (-0.3, 0.0, 1.0)] == ["#440154", "#440154", "#fde725"]
    assert shade(1 / 18) == "#461466"  # half way from #440154 to #482878


@given(st.lists(st.floats(0, 300), min_size=1, max_size=15))
def test_places_that_are_spread_keep_order_gap_and_range(places: list[float]) -> None:
    moved = spread(places, 17.0, 300.0)
    order = sorted(range(len(places)), key=places.__getitem__)
    assert all(moved[b] - moved[a] >= 17.0 - 1e-6 for a, b in itertools.pairwise(order))
    assert min(moved) >= -1e-6
    assert max(moved) <= 300.0 + 1e-6
    if len(places) == 1:
        assert moved == places


@given(st.lists(st.tuples(st.floats(0, NARROW), st.floats(20, HEIGHT - 20)), min_size=1, max_size=8))
def test_badges_of_few_dots_never_touch(centres: list[tuple[float, float]]) -> None:
    ends = [(a + dx, b + dy) for (a, b), (dx, dy) in zip(centres, apart(centres), strict=True)]
    assert all((a - p) ** 2 + (b - q) ** 2 >= 16.0**2 - 1e-6 for (a, b), (p, q) in itertools.combinations(ends, 2))


@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e6))
def test_ticks_are_on_the_axis_in_order(low: float, ratio: float) -> None:
    for axis in (linear(low, low * ratio, str), logarithmic(low, low * ratio, str), counting(int(low) + 1)):
        values = [value for value, _ in axis.ticks]
        assert values == sorted(set(values))
        assert 1 <= len(values) <= 13
        places = [axis.at(value) for value in values]
        assert all(-1e-9 <= place <= 1 + 1e-9 for place in places)


def test_jinja2_is_imported_only_when_a_page_is_written() -> None:
    code = "import sys, stream.cli.report, stream.report.html, stream.report.plots; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
