"""The heat map shows the right cell at the right place, with and without colour."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from stream.report.console import Page
from stream.report.learner_summary import summaries
from stream.report.terminal.heatmap import SHADES, binned, decile, half_blocks
from stream.results.results import Results

from .fake_results import make_results
from .rendering import render

ORDER = ["a", "b", "c"]
# Vector B of the golden vectors of stream metrics, with the cells above its diagonal left out.
R = [[0.80, None, None], [0.70, 0.85, None], [0.75, 0.78, 0.90]]


def results_with(rows: list[list[float | None]], before: list[float | None] | None = None) -> dict[str, Any]:
    results = make_results(ORDER, ["head"])
    results["learners"]["head"]["R"] = [before or [None] * 3, *rows]
    return results


def test_digits_are_deciles_and_unevaluated_cells_are_dots() -> None:
    text = render(results_with(R), sections=["heatmap"])
    body = [line.split() for line in text.splitlines() if line[:1].isdigit()]
    assert body == [["1", "8", "·", "·"], ["2", "7", "8", "·"], ["3", "7", "7", "9"]]


def test_the_row_before_training_is_row_zero_where_it_was_measured() -> None:
    text = render(results_with(R, [0.25, 0.25, 0.25]), sections=["heatmap"])
    assert "0 2 2 2" in text
    assert "Row 0: before training" in text
    assert "Row 0" not in render(results_with(R), sections=["heatmap"])


def test_half_blocks_carry_two_rows_a_line() -> None:
    (learner,) = summaries(Results.from_dict(results_with(R)))
    lines = half_blocks(*binned(learner, 1), 1, Page(80, True, False))
    assert [(label, line.plain) for label, line in lines] == [(1, "▀▄ "), (3, "▀▀▀")]
    segments = list(lines[0][1].render(Console(width=80)))
    both, lower = segments[0].style, segments[1].style
    assert both is not None
    assert lower is not None
    assert both.color is not None
    assert both.color.name == SHADES[8]
    assert both.bgcolor is not None
    assert both.bgcolor.name == SHADES[7]
    assert lower.color is not None
    assert lower.color.name == SHADES[8]
    assert lower.bgcolor is None


def test_deciles_at_their_edges() -> None:
    scores = [-0.4, 0.0, 0.0999, 0.1, 0.3, 0.7, 0.8999, 0.9, 1.0]
    assert [decile(score) for score in scores] == [0, 0, 0, 1, 3, 7, 8, 9, 9]


def test_a_matrix_wider_than_the_page_is_averaged_in_blocks() -> None:
    text = render(make_results([f"t{index}" for index in range(200)], ["head"]), sections=["heatmap"])
    assert "Each cell is the mean of 3 x 3" in " ".join(text.split())
    assert max(len(line) for line in text.splitlines()) <= 80


def test_without_colour_no_block_is_drawn() -> None:
    text = render(results_with(R), sections=["heatmap"])
    assert not set("▀▄█") & set(text)
