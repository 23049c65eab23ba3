"""Head only: the frozen backbone and a linear head per task, the first floor of every table."""

from __future__ import annotations

from learners.specification.family import Family
from learners.specification.learner import Learner, Training

FAMILY = Family(
    name="head",
    title="frozen backbone, head only",
    summary="Trains the head on the frozen, pooled output: what the backbone already knows.",
    citation="feature-based use of BERT, Devlin et al. 2019, section 5.3 (there with a BiLSTM head)",
    unshared="a head is each task's own, and nothing else is trained: all sharings are one",
    training=Training(learning_rate=3e-2),  # a convex problem: the rate only sets how far a few epochs get
    build=lambda options, training: Learner(name="", family="head", training=training),
    examples=("head",),
)
