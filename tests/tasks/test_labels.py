"""Names of classes: equal numbers are one label, whatever writes them; labels that look alike are told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.labels import alike, label_name, label_names
from tasks.rows import Rows, read_rows
from tasks.sources import FolderSource


@given(st.decimals(-(10**9), 10**9, places=6), st.integers(0, 3), st.sampled_from(["", "+"]))
def test_a_number_has_one_name(number: Decimal, zeros: int, plus: str) -> None:
    """Of all its spellings; the name is the shortest one, and says the same number."""
    written = f"{number:f}" + "0" * zeros
    name = label_name(written)
    assert Decimal(name) == number
    assert label_name(name) == label_name(f" {written} ") == name
    assert number < 0 or label_name(plus + written) == name
    assert len(name) <= len(f"{number.normalize():f}")


@given(st.text(max_size=6) | st.text("0123456789+-.eE, ", max_size=6))
def test_other_labels_keep_their_text(text: str) -> None:
    name = label_name(text)
    try:
        same = name == text.strip() or Decimal(name) == Decimal(text.strip())
    except ArithmeticError:
        same = False
    assert same
    assert label_name(name) == name


@pytest.mark.parametrize("text", ["007", "00", "1,0", "1e0", "1.0.0", "-", ".", "٣", "1_0", "0x1", "inf", "a 1.0"])
def test_codes_and_words_are_no_numbers(text: str) -> None:
    assert label_name(text) == text


def test_equal_numbers_are_one_class_and_told(tmp_path: Path) -> None:
    """A table of pandas with integers in one part and floats in another."""
    rows = "".join(f"row {i},{i % 3 if i < 30 else float(i % 3)}\n" for i in range(60))
    (tmp_path / "mine.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    data = FolderSource(tmp_path).load("mine")
    assert data.task.labels == ("0", "1", "2")
    (told,) = (note for note in data.notes if "equal numbers" in note)
    assert told.startswith("equal numbers are one label: '0' and '0.0' are label '0', '1' and '1.0' are label '1', ")
    names, notes = label_names(["1.0", "2.0", " 1.0"])
    assert (names, notes) == (["1", "2", "1"], ())


def test_labels_that_look_alike_are_told_and_stay() -> None:
    labels = ["Positive", "positive", "café", "cafe\u0301", "new  age", "new age", "7", "007", "x", "\u200bx", "other"]
    rows = Rows([f"row {i}" for i in range(220)], label=labels * 20)
    data = read_rows("mine", rows, where="f", split_seed=0)
    assert data.task.outputs == len(labels)
    (told,) = (note for note in data.notes if "look alike" in note)
    assert "'007' (20 rows) and '7' (20 rows)" in told
    assert "'Positive' (20 rows) and 'positive' (20 rows)" in told
    assert told.endswith("and 2 more; if they are one, write them alike in the data")
    (told,) = alike({"café": 1, "cafe\u0301": 2})
    assert "'cafe\\u0301' (2 rows) and 'caf\\xe9' (1 row)" in told, "what looks the same is shown with escapes"
    assert alike(dict.fromkeys(["yes", "no", "1.5", "15", "10", "100", "a b", "ab"], 1)) == ()
