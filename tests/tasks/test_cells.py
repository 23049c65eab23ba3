"""Cells as texts, from functions of a plug-in too, which may give any Python or NumPy value."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

import numpy as np
import pytest

from tasks.errors import InputError
from tasks.sources import Tables
from tasks.sources.cells import cell_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (float("nan"), ""), (Decimal("nan"), ""), (np.float64("nan"), ""), (3.0, "3"), (-0.5, "-0.5"),
        (np.int64(3), "3"), (np.float32(2), "2"), (np.bool_(True), "True"), (np.str_("a"), "a"), (True, "True"),
        (Decimal("1E+3"), "1000"), (Decimal("0.10"), "0.10"), (10**30, "1" + "0" * 30), (b"caf\xc3\xa9", "caf\xe9"),
        (date(2024, 2, 29), "2024-02-29"), (time(9, 30), "09:30:00"), ("\ud800", None), (b"\xe9", None), ([], None),
    ],
)  # fmt: skip
def test_text_of_a_value(value: object, text: str | None) -> None:
    assert cell_text(value) == text


def test_a_plug_in_gives_one_target() -> None:
    columns = {"text": ["a", "b"], "label": [0, 1], "score": [0.5, 1.5]}
    with pytest.raises(InputError, match=r"both a label and a score.*leave out one of them"):
        Tables("mine", {"both": lambda: columns}).load("both")
