"""Majority: label frequencies (or the mean score) of the training examples, the lowest floor of every table."""

from __future__ import annotations

from learners.specification.family import Family
from learners.specification.learner import Learner, Training

FAMILY = Family(
    name="majority",
    title="majority class",
    summary="Answers the most frequent class of the training examples, the mean score for regression. Trains nothing.",
    citation="the usual floor of a classification table",
    training=Training(learning_rate=0.0, epochs=0),
    unshared="label frequencies are each task's own, and nothing is trained",
    build=lambda options, training: Learner(name="", family="majority", training=training, trains=False),
    examples=("majority",),
)
