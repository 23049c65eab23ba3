"""Turn the raw columns of a source into the examples of a task: kind, labels, targets and splits."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.errors import InputError
from tasks.examples import Examples, TaskData, task_data
from tasks.keys import row_keys
from tasks.labels import NUMBER, alike, label_name, label_names
from tasks.splits import NAMES, TEST, TRAIN, assign_splits, read_splits
from tasks.suite import TASKS
from tasks.task import Kind, Task
from tasks.unseen import find_unseen

UNLABELLED = frozenset({"", "-1", "-1.0"})  # labels in published test sets whose labels are secret (GLUE: -1)
MANY = 100  # classes; more than these must have `EACH` rows each on average
EACH = 3
FEW = 20  # rows; in a smaller table it is no surprise that labels occur once
ONE_TARGET = "leave out one of them: label gives classes, score a regression"
INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class Rows:
    """Columns of strings, as a source read them. All have the same length n. A missing column is None.

    Attributes:
        text, text_b: Texts of the rows.
        label, score: Targets of the rows.
        split: Names of their splits.
        number: Number of each row in its file, from 1, for messages. Default: (), then `read_rows` sets 1 to n.
    """

    text: Sequence[str]
    text_b: Sequence[str] | None = None
    label: Sequence[str] | None = None
    score: Sequence[str] | None = None
    split: Sequence[str] | None = None
    number: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.text)

    def keep(self, rows: Sequence[int]) -> Rows:
        """Only the rows with these indices, in this order."""
        columns = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return Rows(**{name: values and [values[row] for row in rows] for name, values in columns.items()})


def describe(name: str, rows: Rows, where: str, choose: str) -> Task:
    """The task with this name from the table of known tasks, or a new task inferred from the columns.

    A new task with a `score` column is a regression, with the metric Spearman. Another one with a `text_b` column is a
    pair task, any other a task of single texts, both with the metric accuracy.

    Args:
        where: File or repository, for messages.
        choose: How to choose one of two targets, for messages.

    Raises:
        InputError: A known pair task has no second text, there is no target column, or a new task has two.
    """
    task = TASKS.get(name)
    if task is None:
        if rows.score is not None and rows.label is not None:
            raise InputError("both a label and a score: which one is the target?", where=where, fix=choose)
        kind: Kind = "regression" if rows.score is not None else "single" if rows.text_b is None else "pair"
        task = Task(name, name, kind, "spearman" if kind == "regression" else "accuracy")
    elif rows.text_b is None and (task.kind == "pair" or (task.hub is not None and task.hub.text_b is not None)):
        raise InputError(
            f"missing column text_b: {task.title} compares two texts",
            where=where,
            expected="columns text, text_b, label",
        )
    if rows.label is None and (rows.score is None or task.kind != "regression"):
        raise InputError(
            "missing column label",
            where=where,
            expected="columns text, [text_b,] label (or score, for a regression) [, split]",
            fix=f"name the column label, or map yours to it: {mapped('label')}",
        )
    return task


def mapped(column: str) -> str:
    """How a user names the column of their data that is ours of this name."""
    return f"--column {column}=YOURS, or for one task --column TASK.{column}=YOURS"


def read_rows(
    name: str, rows: Rows, *, where: str, split_seed: int, unique_labels: bool = False, choose: str = ONE_TARGET
) -> TaskData:
    """Turn raw rows into the examples of a task.

    Args:
        name: Name of the task. If it is a known task, its facts apply.
        rows: The raw columns.
        where: File or repository, for messages.
        split_seed: Seed of the content hash that derives missing splits.
        unique_labels: Whether most rows may have a label that no other row has, and many classes few rows each.
            Default: no, as such a column is usually an id.
        choose: How to choose one of two targets, for the message about a new task with both. Default: by leaving one
            out.

    Raises:
        InputError: The rows are not valid: no rows, a missing column, only blank texts, a bad label, score or split.
    """
    if not len(rows):
        raise InputError("no rows", where=where, expected="a header and rows of text and label")
    task = describe(name, rows, where, choose)
    rows = dataclasses.replace(rows, number=rows.number or range(1, len(rows) + 1))
    if task.kind == "single" and rows.text_b is not None:
        rows = dataclasses.replace(rows, text_b=None)
    notes: list[str] = []
    if task.kind == "regression" and rows.label is not None and rows.score is not None:
        notes.append("columns label and score: score is the target")
    before = rows
    rows = _drop_blank_texts(rows, where, notes)
    published = None if rows.split is None else read_splits(rows.split, rows.number, where)
    target_column = rows.score if task.kind == "regression" and rows.score is not None else rows.label
    assert target_column is not None  # describe() checks this
    raw = [value.strip() for value in target_column]
    if task.kind != "regression":
        raw, equal = label_names(raw)
        notes += equal
    if published is not None and _hides_test(raw, published):
        kept = np.flatnonzero(published != TEST).tolist()
        notes.append(f"{len(rows) - len(kept)} test rows without labels dropped")
        rows, raw, published = rows.keep(kept), [raw[row] for row in kept], published[kept]
    classes: npt.NDArray[np.int64] | None = None
    target: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    labels: tuple[str, ...] = ()
    if task.kind == "regression":
        target = _scores(raw, rows.number, where)
    else:
        lost = _lost_labels(before, rows)
        labels, target = _classes(raw, rows.number, where, lost)
        classes = target
        notes += [lost] if lost else []
        if not unique_labels:
            _check_repeated(name, labels, target, where)
        notes += alike(Counter(raw))
    keys = row_keys(rows.text, rows.text_b, split_seed)
    splits, derived = assign_splits(keys, published, classes, where=where)
    task = dataclasses.replace(task, labels=labels)
    unseen = () if classes is None else find_unseen(splits, classes, labels)
    if classes is not None:
        _check_trained(task, np.unique(classes[splits == TRAIN]), where)
    notes += [*derived, *(entry.note for entry in unseen), *_overlap(keys, splits)]
    if task.paper is not None and task.paper.classes not in (None, len(labels)):
        notes.append(f"{len(labels)} classes; the paper has {task.paper.classes}")
    train, validation, test = (_examples(rows, target, splits == split) for split in range(len(NAMES)))
    return task_data(task, train, validation, test, tuple(notes), unseen)


def _drop_blank_texts(rows: Rows, where: str, notes: list[str]) -> Rows:
    """Drop the rows without text. A pair with one blank text stays, because published data sets have such pairs: a
    title without a body, an empty question."""
    second = rows.text if rows.text_b is None else rows.text_b
    blank = [(not a.strip(), not b.strip()) for a, b in zip(rows.text, second, strict=True)]
    kept = [row for row, (a, b) in enumerate(blank) if not (a and b)]
    if not kept:
        raise InputError(
            "every text is blank", where=where, expected="text in column text", found=f"{len(rows)} blank rows"
        )
    if halves := sum(a != b for a, b in blank):
        notes.append(f"{halves} of {len(rows)} pairs have one blank text; they are kept")
    if len(kept) == len(rows):
        return rows
    notes.append(f"{len(rows) - len(kept)} of {len(rows)} rows dropped: blank text")
    return rows.keep(kept)


def _lost_labels(before: Rows, after: Rows) -> str:
    """The labels that only rows without text have, as a sentence; "" if there are none."""
    if before.label is None or after.label is None or len(before) == len(after):
        return ""
    lost = sorted(set(map(label_name, before.label)) - set(map(label_name, after.label)) - UNLABELLED)
    names = ", ".join(map(repr, lost[:8])) + (", ..." if len(lost) > 8 else "")
    return f"only dropped rows with a blank text have the label {names}" if lost else ""


def _hides_test(raw: Sequence[str], published: npt.NDArray[np.int8]) -> bool:
    """Whether the published test rows have no real labels, as in GLUE."""
    test = set(itertools.compress(raw, published == TEST))
    other = set(itertools.compress(raw, published != TEST))
    return len(test) == 1 and test <= UNLABELLED and not test & other


def _classes(
    raw: Sequence[str], number: Sequence[int], where: str, lost: str
) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Sorted label names (by value if all are integers), and the class index of each row [n].

    Args:
        lost: Why labels of the file are missing, for messages; "" if none are.
    """
    if "" in raw:
        raise InputError(f"blank label in row {number[raw.index('')]}", where=where, expected="a label in every row")
    names = set(raw)
    if all(INTEGER.fullmatch(name) for name in names):
        labels = tuple(sorted(names, key=lambda name: (int(name), name)))
    else:
        labels = tuple(sorted(names))
    if len(labels) < 2:
        raise InputError(
            "only one label",
            where=where,
            expected="two labels or more",
            found="; ".join(filter(None, (repr(labels[0]), lost))),
        )
    index = {label: position for position, label in enumerate(labels)}
    return labels, np.array([index[value] for value in raw], dtype=np.int64)


def _check_repeated(name: str, labels: Sequence[str], target: npt.NDArray[np.int64], where: str) -> None:
    """Check that labels are classes: that most rows share their label, and that many classes have several rows each.

    Raises:
        InputError: Most rows have a label of their own, or more than `MANY` labels have less than `EACH` rows each on
            average, so the column is probably an id, a number or free text.
    """
    alone = int((np.bincount(target) == 1).sum())
    if len(target) >= FEW and 2 * alone > len(target):
        found = f"{alone} of {len(target)} rows with a label of their own"
    elif len(labels) > MANY and len(target) < EACH * len(labels):
        found = f"{len(labels):,} labels in {len(target):,} rows"
    else:
        return
    ways = [f"map the column of labels (--column {name}.label=YOURS)"]
    if all(NUMBER.fullmatch(label) for label in labels):
        ways.append(f"predict the number (--column {name}.score=YOURS)")
    ways.append(f"confirm these classes (--column {name}.unique_label=YOURS)")
    raise InputError(
        "is this column of labels an id?",
        where=where,
        expected="labels that several rows have",
        found=f"{found}, such as {labels[0][:40]!r}",
        fix=", or ".join(ways),
    )


def _check_trained(task: Task, trained: npt.NDArray[np.int64], where: str) -> None:
    """Check that train has two classes, and the positive class of F1.

    Args:
        task: The task, with its labels.
        trained: Indices of the classes that train has, in order.
    """
    labels = [(task.labels or ())[index] for index in trained]
    if len(labels) < 2:
        raise InputError("only one label in train", where=where, expected="two labels or more", found=repr(labels[0]))
    if task.positive and task.positive_class not in trained:
        expected = f"one of the labels {', '.join(task.positive)} in train"
        raise InputError("no positive class for F1", where=where, expected=expected, found=", ".join(labels[:8]))


def _scores(raw: Sequence[str], number: Sequence[int], where: str) -> npt.NDArray[np.float32]:
    values = np.empty(len(raw), np.float32)
    for row, value in enumerate(raw):
        try:
            with np.errstate(over="ignore"):
                values[row] = float(value)
        except ValueError:
            values[row] = np.nan
        if not np.isfinite(values[row]):
            raise InputError(
                f"score in row {number[row]} is not a number",
                where=where,
                expected="a finite number",
                found=repr(value[:40]),
            )
    if values.min() == values.max():
        raise InputError("all scores are equal", where=where, expected="scores that differ", found=raw[0])
    return values


def _overlap(keys: npt.NDArray[np.uint64], splits: npt.NDArray[np.int8]) -> list[str]:
    shared = int(np.isin(keys[splits == TEST], keys[splits == TRAIN]).sum())
    return [f"{shared} published test rows occur in train as well"] if shared else []


def _examples(
    rows: Rows, target: npt.NDArray[np.int64] | npt.NDArray[np.float32], chosen: npt.NDArray[np.bool_]
) -> Examples:
    text = tuple(itertools.compress(rows.text, chosen))
    text_b = None if rows.text_b is None else tuple(itertools.compress(rows.text_b, chosen))
    return Examples(text, text_b, target[chosen])
