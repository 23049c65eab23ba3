"""Majority class (or the mean score) of the training examples: the weakest baseline of every table."""

from __future__ import annotations

from learners.specification.family import Family
from learners.specification.learner import Learner, Training

FAMILY = Family(
    name="majority",
    title="majority class",
    summary="Predicts the most frequent class of the training examples; for regression, their mean score. It trains "
    "nothing.",
    citation="the usual baseline of classification tables",
    training=Training(learning_rate=0.0, epochs=0),
    unshared="each task has its own label frequencies and nothing is trained",
    build=lambda options, training: Learner(name="", family="majority", training=training, trains=False),
    examples=("majority",),
)
