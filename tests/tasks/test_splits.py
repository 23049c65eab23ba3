from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.examples import TaskData
from tasks.keys import row_keys
from tasks.rows import Rows, read_rows
from tasks.unseen import Unseen, refuse_unseen

TEXTS = st.text(alphabet="abcdé ", min_size=1, max_size=4).filter(str.strip)
ROWS = st.lists(st.tuples(TEXTS, st.sampled_from("xyzw")), min_size=3, max_size=60)


def load(rows: list[tuple[str, str]], splits: list[str] | None = None, seed: int = 0, name: str = "mine") -> TaskData:
    return read_rows(
        name, Rows([a for a, _ in rows], label=[b for _, b in rows], split=splits), where="f", split_seed=seed
    )


def split_of(data: TaskData) -> dict[str, set[str]]:
    """Text -> the splits it is in."""
    found: dict[str, set[str]] = {}
    for split in ("train", "validation", "test"):
        for text in getattr(data, split).text:
            found.setdefault(text, set()).add(split)
    return found


@settings(deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.integers(0, 3))
def test_splits_depend_on_content_alone(rows: list[tuple[str, str]], order: random.Random, seed: int) -> None:
    try:
        data = load(rows, seed=seed)
    except InputError:  # too few different texts or labels
        return
    where = split_of(data)
    assert all(len(splits) == 1 for splits in where.values()), "equal texts straddle"
    shuffled = order.sample(rows, len(rows))
    assert split_of(load(shuffled, seed=seed)) == where
    assert sum(map(len, (data.train, data.validation, data.test))) == len(rows)
    assert set(data.train.target) == set(range(data.task.outputs)), "a label of validation or test is not in train"


@settings(deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.sampled_from(["dev", "test"]))
def test_carved_validation_keeps_the_published_part(
    rows: list[tuple[str, str]], order: random.Random, other: str
) -> None:
    published = [("p" + text, label) for text, label in rows[: len(rows) // 3]]
    splits = ["train"] * len(rows) + [other] * len(published)
    try:
        data = load(rows + published, splits)
    except InputError:
        return
    assert data.test.text == tuple(text for text, _ in published)
    assert sorted(data.train.text + data.validation.text) == sorted(text for text, _ in rows)
    assert not set(data.train.text) & set(data.validation.text)
    assert set(data.validation.target) | set(data.test.target) <= set(data.train.target)
    numbers = order.sample(range(len(splits)), len(splits))
    again = load([(rows + published)[i] for i in numbers], [splits[i] for i in numbers])
    assert split_of(again) == split_of(data)


def test_proportions_and_seed() -> None:
    rows = [(f"text {i}", "ab"[i % 2]) for i in range(4000)]
    data = load(rows)
    # Binomial bounds: 5 standard deviations of 4000 draws are 126 rows of train, 95 of the others.
    assert abs(len(data.train) - 3200) < 126
    assert abs(len(data.validation) - 400) < 95
    assert abs(len(data.test) - 400) < 95
    assert split_of(load(rows, seed=1)) != split_of(data)


def test_tasks_that_share_texts_agree() -> None:
    texts = [f"tweet {i}" for i in range(300)]
    stance = split_of(load([(text, "ab"[i % 2]) for i, text in enumerate(texts)], name="stance"))
    opinion = split_of(load([(text, "xyz"[i % 3]) for i, text in enumerate(texts[:250])], name="opinion"))
    assert all(stance[text] == splits for text, splits in opinion.items())


def test_rare_labels_go_to_train() -> None:
    rows = [(f"text {i}", "common") for i in range(200)] + [(f"one {i}", f"rare {i}") for i in range(40)]
    data = load(rows)
    assert set(data.train.target) == set(range(41))
    assert any("rare labels moved to train" in note for note in data.notes)


@pytest.mark.parametrize("split", ["validation", "dev", "VALID", "val", "eval", "test", "Testing"])
def test_rows_with_a_label_that_train_lacks_stay(split: str) -> None:
    """Without a test split, the published validation split is the test set; the derived one has no such label."""
    rows = [(f"text {i}", "ab"[i % 2]) for i in range(60)]
    rows += [("new", "never"), ("newer", "never"), ("newest", "nor"), ("old", "a")]
    data = load(rows, ["train"] * 60 + [split] * 4)
    assert (data.task.labels, data.task.outputs) == (("a", "b", "never", "nor"), 4)
    assert (data.test.text, data.test.target.tolist()) == (("new", "newer", "newest", "old"), [2, 2, 3, 0])
    assert set(data.validation.target) <= set(data.train.target) == {0, 1}
    assert data.unseen == (Unseen("test", ("never", "nor"), rows=3, of=4),)
    assert (
        "3 of 4 test rows (before limits) stay and count as wrong: no training row has their labels 'never', 'nor'"
        in data.notes
    )


def test_published_validation_rows_stay_alike() -> None:
    rows = [(f"text {i}", "ab"[i % 2]) for i in range(60)] + [("v", "x"), ("w", "a"), ("t", "y"), ("u", "b")]
    data = load(rows, ["train"] * 60 + ["dev"] * 2 + ["test"] * 2)
    assert (data.validation.text, data.test.text) == (("v", "w"), ("t", "u"))
    assert data.unseen == (Unseen("validation", ("x",), 1, 2), Unseen("test", ("y",), 1, 2))
    with pytest.raises(
        InputError, match=r"task mine: labels occur.*found 'x' in 1 of 2 validation rows; 'y' in 1 of 2 test rows"
    ):
        refuse_unseen("mine", data.unseen)
    refuse_unseen("mine", load(rows[:60]).unseen)


def test_train_alone_must_be_learnable() -> None:
    rows = [(f"text {i}", "yes") for i in range(60)] + [("new", "no")]
    with pytest.raises(InputError, match="only one label in train; expected two labels or more; found 'yes'"):
        load(rows, ["train"] * 60 + ["test"])
    pairs, splits = ["ab", "cd", "ef", "gh"], ["train", "train", "dev", "test"]
    paraphrases = Rows(pairs, pairs, ["no", "maybe", "no", "Yes"], split=splits)
    with pytest.raises(InputError, match=r"no positive class for F1.*found maybe, no"):
        read_rows("mrpc", paraphrases, where="f", split_seed=0)


def test_three_published_splits_stay() -> None:
    rows = [(f"text {i % 7}", "ab"[i % 2]) for i in range(30)]
    splits = ["train", "val", "test"] * 10
    data = load(rows, splits)
    assert data.train.text == tuple(text for text, _ in rows[::3])
    assert data.test.text == tuple(text for text, _ in rows[2::3])
    assert data.notes == ("10 published test rows occur in train as well",)


def test_unlabelled_test_split_is_none() -> None:
    rows = [(f"text {i}", "01"[i % 2]) for i in range(60)] + [("q", "-1"), ("r", "-1")]
    data = load(rows, ["train"] * 50 + ["dev"] * 10 + ["test"] * 2)
    assert len(data.test) == 10
    assert data.notes[:2] == (
        "2 test rows without labels dropped",
        "no labelled test split: the validation split is the test set",
    )


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (["train", "holdout"], "unknown split in row 2"),
        (["train", ""], "unknown split in row 2"),
        (["dev", "test"], "no train split"),
    ],
)
def test_bad_split_columns(splits: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load([("a", "x"), ("b", "y")], splits)


def test_a_tiny_task_has_three_splits_or_says_why_not() -> None:
    for count in range(6, 30):
        data = load([(f"row {i}", "ab"[i % 2]) for i in range(count)])
        assert min(map(len, (data.train, data.validation, data.test))) > 0
    with pytest.raises(InputError, match="the validation split is empty"):
        load([("one", "a"), ("two", "b")])


@settings(deadline=None)
@given(st.lists(st.text(max_size=5), min_size=1, max_size=20), st.integers(0, 5))
def test_keys_tell_texts_apart(texts: list[str], seed: int) -> None:
    assert len(np.unique(row_keys(texts, None, seed))) == len(set(texts))
    pairs = [(a, b) for a in texts for b in texts]
    keys = row_keys([a for a, _ in pairs], [b for _, b in pairs], seed)
    assert len(np.unique(keys)) == len(set(pairs))
    assert row_keys(texts, None, seed)[0] != row_keys(texts, None, seed + 1)[0]
