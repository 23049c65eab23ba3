"""The accuracy matrix: shapes, reading and writing."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.results.matrix import (
    AccuracyMatrix,
    as_array,
    from_csv,
    to_csv,
)
from stream.storage.cell import Provenance
from tasks.errors import InputError

cells = st.none() | st.floats(-1, 1)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1) | st.sampled_from(
    ["before", "after", "a,b", 'a"b', "none"]
)


@st.composite
def matrices(draw: st.DrawFn) -> AccuracyMatrix:
    tasks = tuple(draw(st.lists(names, min_size=1, max_size=5, unique=True)))
    row = st.tuples(*[cells] * len(tasks))
    rows = draw(st.lists(row, max_size=len(tasks)))
    provenance = tuple(tuple(None if cell is None else draw(HOW) for cell in row) for row in rows)
    return AccuracyMatrix(tasks=tasks, before=draw(row), rows=tuple(rows), provenance=provenance)


HOW = st.sampled_from([None, *get_args(Provenance)])


def bits(matrix: AccuracyMatrix) -> list[list[str | None]]:
    rows = (matrix.before, *matrix.rows)
    return [[None if cell is None else float(cell).hex() for cell in row] for row in rows]


@given(matrices())
def test_csv_round_trip_keeps_every_bit(matrix: AccuracyMatrix) -> None:
    again = from_csv(to_csv(matrix))
    assert again.tasks == matrix.tasks
    assert bits(again) == bits(matrix)


def test_csv_is_the_documented_table() -> None:
    matrix = AccuracyMatrix(tasks=("cola", "rte"), before=(0.0, 0.5), rows=((0.1 + 0.2, None),))
    assert to_csv(matrix) == "after,cola,rte\nbefore,0.0,0.5\ncola,0.30000000000000004,\n"


def test_array_has_a_row_before_and_a_row_per_task() -> None:
    matrix = AccuracyMatrix(tasks=("a", "b"), before=(0.25, None), rows=((0.5, None),))
    np.testing.assert_array_equal(as_array(matrix), [[0.25, np.nan], [0.5, np.nan], [np.nan, np.nan]])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tasks": ("a", "a")}, "distinct"),
        ({"tasks": ("a", "")}, "not empty"),
        ({"before": (0.5,)}, "before must hold 2"),
        ({"rows": ((0.5,),)}, r"rows must be \[1, 2\]"),
        ({"rows": ((0.5, 0.5),) * 3}, "3 arrivals, but only 2 tasks"),
        ({"rows": ((91.5, 0.5),)}, "fractions"),
        ({"before": (float("nan"), None)}, "fractions"),
        ({"rows": ((0.5, None),), "provenance": ((None,),)}, "provenance must be"),
        ({"rows": ((0.5, None),), "provenance": (("measured", "measured"),)}, "for the score None"),
        ({"rows": ((0.5, None),), "provenance": (("guessed", None),)}, "guessed"),
    ],
)
def test_a_matrix_that_cannot_be_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AccuracyMatrix(**{"tasks": ("a", "b"), "before": (None, None), **fields})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "run/R.csv: not an accuracy matrix"),
        ("task,a\nbefore,0.5\n", "not an accuracy matrix"),
        ("after,a,b\n", "not an accuracy matrix"),
        ("after,a,b\nbefore,0.5\n", "bad row in line 2"),
        ("after,a,b\nbefore,0.5,0.5\nb,0.5,0.5\n", "bad row in line 3; expected 'a'"),
        ("after,a\nbefore,\na,0.5\na,0.5\n", "2 arrivals, but only 1 tasks"),
        ("after,a\nbefore,high\n", "high"),
        ("after,a\nbefore,91.5\n", "fractions"),
    ],
)
def test_a_text_that_is_no_matrix_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_csv(text, where="run/R.csv")
