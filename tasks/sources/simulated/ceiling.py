"""Label noise, and the best score that it leaves: what a predictor that knows the generator could reach.

A label is read off the meaning with probability `clarity`; otherwise it is drawn anew from the class shares, as if the
annotator had not looked. So the shares stay what they are, and the best prediction from a text whose class is c is the
most probable label given c,

    P(y | c) = clarity · [y = c] + (1 - clarity) · share(y).

Ceilings are those of the population (an endless test set), in percent like the papers' scores, and are bounds: they
suppose that a text always gives its meaning away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

NOISE = 0.03  # few labels are wrong, as where annotators agree: what makes a task hard is its mechanism

Matrix = list[list[float]]


def label_distribution(shares: Sequence[float], clarity: float) -> Matrix:
    """Joint probabilities [C, C] of the class that follows from the meaning (row) and the label given (column)."""
    return [
        [share * (clarity * (c == y) + (1 - clarity) * other) for y, other in enumerate(shares)]
        for c, share in enumerate(shares)
    ]


def ceiling(metric: str, shares: Sequence[float], clarity: float) -> float:
    """Best expected score of any rule that predicts from the text, in percent.

    Args:
        metric: `accuracy`; `f1` or `matthews` (two classes, the second is positive); or `spearman`, where the label is
            a score drawn anew from its own distribution, so that the rank correlation with the truth is the clarity.
        shares: Class shares [C], summing to 1; ignored for `spearman`.
        clarity: Probability that the label follows from the meaning.
    """
    if metric == "spearman":
        return 100 * clarity
    joint = label_distribution(shares, clarity)
    if metric == "accuracy":
        return 100 * sum(max(row) for row in joint)
    score = {"f1": _f1, "matthews": _matthews}[metric]
    return 100 * max(score(_confusion(joint, rule)) for rule in product(range(2), repeat=2))


def clarity_for(best: float, metric: str, shares: Sequence[float]) -> float:
    """The clarity at which the ceiling is `best` percent; 0 if the most frequent class alone already reaches it."""
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if ceiling(metric, shares, middle) < best else (low, middle)
    return round(high, 4)


def long_tail(classes: int, majority: float, exponent: float = 1.0) -> tuple[float, ...]:
    """Class shares [C]: the first is `majority`, the others fall as a power law (Zipf 1949) and sum to the rest."""
    weights = [(rank + 1) ** -exponent for rank in range(classes - 1)]
    rest = [(1 - majority) * weight / sum(weights) for weight in weights]
    if rest and rest[0] > majority:  # a flat tail: no other class may be more frequent than the majority
        return long_tail(classes, majority, exponent / 2) if exponent > 0.01 else (1 / classes,) * classes
    return (majority, *rest)


def _confusion(joint: Matrix, rule: Sequence[int]) -> Matrix:
    """Probabilities [2, 2] of (prediction, label) under a rule from class to prediction."""
    out = [[0.0, 0.0], [0.0, 0.0]]
    for c, prediction in enumerate(rule):
        for y in range(2):
            out[prediction][y] += joint[c][y]
    return out


def _f1(m: Matrix) -> float:
    return 2 * m[1][1] / (2 * m[1][1] + m[1][0] + m[0][1]) if m[1][1] else 0.0


def _matthews(m: Matrix) -> float:
    true, false, miss, right = m[1][1], m[1][0], m[0][1], m[0][0]
    below = math.sqrt((true + false) * (true + miss) * (right + false) * (right + miss))
    return (true * right - false * miss) / below if below else 0.0
