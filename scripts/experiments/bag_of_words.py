"""Baselines that only count words: linear models on TF-IDF, and the most frequent class."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from stream.execution.evaluate_job import scorer
from tasks import Examples, Task

STRENGTHS = (1.0, 10.0, 100.0)  # inverse of the penalty; the best on validation rows is used
WORD = re.compile(r"\w+|[^\w\s]")
Row = tuple[str, str | None]
Splits = tuple[Examples, Examples, Examples]  # train, validation, test


def tokens(row: Row) -> list[str]:
    """Words of a row. In a pair, each word carries the mark of its side, `a:` or `b:`."""
    first, second = row
    if second is None:
        return WORD.findall(first.lower())
    return [f"{side}:{word}" for side, text in (("a", first), ("b", second)) for word in WORD.findall(text.lower())]


def tokens_and_shared(row: Row) -> list[str]:
    """The same, and the words that both sides of a pair share: each by name (`both:`), and their number."""
    marked = tokens(row)
    first, second = ({word[2:] for word in marked if word.startswith(side)} for side in ("a:", "b:"))
    shared = sorted(first & second)
    return marked + [f"both:{word}" for word in shared] + ["both"] * len(shared)


def words_answers(task: Task, splits: Splits, analyzer: Callable[[Row], list[str]] = tokens) -> Any:
    """Predictions [n] for the test rows by TF-IDF of unigrams and logistic regression (ridge for a regression)."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, Ridge

    train, validation, test = splits
    if len(np.unique(train.target)) < 2:
        return majority_answers(task, splits)
    vectors = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True)
    seen = vectors.fit_transform(_rows(train))
    validation_vectors, test_vectors = vectors.transform(_rows(validation)), vectors.transform(_rows(test))
    models = [
        Ridge(alpha=1 / strength)
        if task.kind == "regression"
        else LogisticRegression(C=strength, tol=1e-3, max_iter=1000)
        for strength in STRENGTHS
    ]
    best = max((model.fit(seen, train.target) for model in models),
               key=lambda model: answers_score(task, validation.target, model.predict(validation_vectors)))  # fmt: skip
    return best.predict(test_vectors)


def majority_answers(task: Task, splits: Splits) -> Any:
    """Predictions [n] for the test rows: the most frequent class of the training rows, or their mean score."""
    target, n = splits[0].target, len(splits[2])
    return np.full(n, target.mean() if task.kind == "regression" else np.bincount(target.astype(np.int64)).argmax())


def answers_score(task: Task, target: Any, answers: Any) -> float:
    """Score of predictions [n] (class indices, or real numbers for a regression) in the task's metric."""
    logits = answers[:, None] if task.kind == "regression" else np.eye(task.outputs)[answers.astype(np.int64)]
    return scorer(task)(target, logits)


def _rows(split: Examples) -> list[Row]:
    return list(zip(split.text, split.text_b or (None,) * len(split), strict=True))
