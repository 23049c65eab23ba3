from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.examples import TaskData
from tasks.rows import Rows, read_rows


def read(rows: Rows, name: str = "mine", unique_labels: bool = False) -> TaskData:
    return read_rows(name, rows, where="mine.csv", split_seed=0, unique_labels=unique_labels)


def texts(data: TaskData) -> list[tuple[str, str]]:
    splits = (data.train, data.validation, data.test)
    return [(a, b) for split in splits for a, b in zip(split.text, split.text_b or (), strict=True)]


SIDES = st.sampled_from(("", " ", "\t\n", "\u3000", "word", " x "))


@given(st.lists(st.tuples(SIDES, SIDES), max_size=30))
def test_a_pair_with_one_text_stays(pairs: list[tuple[str, str]]) -> None:
    """Only rows without any text go, and the notes count both kinds."""
    whole = [(f"a{n}", f"b{n}") for n in range(20)]
    both = [*whole, *pairs]
    data = read(Rows([a for a, _ in both], [b for _, b in both], [f"{n % 2}" for n in range(len(both))]))
    kept = [(a, b) for a, b in both if a.strip() or b.strip()]
    assert sorted(texts(data)) == sorted(kept)
    dropped, halves = len(both) - len(kept), sum((not a.strip()) != (not b.strip()) for a, b in both)
    assert (f"{dropped} of {len(both)} rows dropped: blank text" in data.notes) == bool(dropped)
    assert (f"{halves} of {len(both)} pairs have one blank text; they are kept" in data.notes) == bool(halves)


def test_a_class_that_goes_with_blank_rows_is_told() -> None:
    words = [f"word{n}" for n in range(40)]
    blank = ["", " "]
    data = read(Rows([*words, *blank], label=[*("ab" * 20), "c", "c"]))
    assert data.task.labels == ("a", "b")
    assert "only dropped rows with a blank text have the label 'c'" in data.notes
    message = "only one label; .*found 'a'; only dropped rows with a blank text have the label 'c'"
    with pytest.raises(InputError, match=message):
        read(Rows([*words, *blank], label=[*("aa" * 20), "c", "c"]))
    with pytest.raises(InputError, match=r"only one label; .*found 'a'$"):
        read(Rows([*words, *blank], label=["a"] * 42))


def column(alone: int, shared: int, form: str = "id{}") -> Rows:
    """`alone` rows with a label of their own, and `shared` rows of two classes; the rows are test and train in turn."""
    labels = [form.format(100 + n) for n in range(alone)] + [form.format(n % 2) for n in range(shared)]
    split = ["train" if n < alone or n % 3 else "test" for n in range(len(labels))]
    return Rows([f"word{n}" for n in range(len(labels))], label=labels, split=split)


@given(st.integers(0, 60), st.integers(12, 60))
def test_labels_that_occur_once_are_asked_about(alone: int, shared: int) -> None:
    asked = alone + shared >= 20 and alone > shared
    rows = column(alone, shared)
    assert len(read(rows, unique_labels=True).task.labels or ()) == alone + 2
    if not asked:
        assert read(rows).id == read(rows, unique_labels=True).id
        return
    with pytest.raises(InputError, match=r"is this column of labels an id\?") as caught:
        read(rows)
    assert f"{alone} of {alone + shared} rows" in str(caught.value)
    ways = ("--column mine.label=YOURS", "--column mine.unique_label=YOURS")
    assert all(way in str(caught.value) for way in ways)
    assert "mine.score" not in str(caught.value)


@pytest.mark.parametrize(("classes", "rows", "asked"), [(2000, 4000, True), (101, 302, True), (101, 303, False)])
def test_many_labels_of_few_rows_are_asked_about(classes: int, rows: int, asked: bool) -> None:
    data = Rows([f"word{n}" for n in range(rows)], label=[f"id{n % classes}" for n in range(rows)])
    assert read(data, unique_labels=True).task.outputs == classes
    if not asked:
        assert read(data).task.outputs == classes
        return
    with pytest.raises(InputError, match=rf"an id\?.*found {classes:,} labels in {rows:,} rows, such as 'id0'; "):
        read(data)


def test_a_hundred_classes_may_have_two_rows_each() -> None:
    assert read(Rows([f"word{n}" for n in range(200)], label=[f"id{n % 100}" for n in range(200)])).task.outputs == 100


def test_numbers_for_labels_may_be_scores() -> None:
    with pytest.raises(InputError, match=r"predict the number \(--column mine\.score=YOURS\)"):
        read(column(40, 20, "{}.5"))
    regression = Rows([f"word{n}" for n in range(40)], [f"b{n}" for n in range(40)], score=[str(n) for n in range(40)])
    assert read(regression).task.kind == "regression"
