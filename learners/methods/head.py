"""Head only: the frozen backbone and a linear head per task, a baseline for every table."""

from __future__ import annotations

from learners.specification.family import Family
from learners.specification.learner import Learner, Training

FAMILY = Family(
    name="head",
    title="frozen backbone, head only",
    summary="Trains only the head, on the pooled output of the frozen backbone. It measures what the backbone already "
    "encodes.",
    citation="feature-based use of BERT, Devlin et al. 2019, section 5.3 (there with a BiLSTM head)",
    unshared="each task has its own head and nothing else is trained, so all kinds of sharing are the same",
    # Our choice: the problem is convex, so the rate only decides how far a few epochs get.
    # Of 9e-3, 3e-2, 9e-2 and 3e-1 none is better beyond chance on validation rows of the embedded
    # backbone (9e-3: +0.4 ±0.7 points): scripts/experiments/RATES.md
    training=Training(learning_rate=3e-2),
    build=lambda options, training: Learner(name="", family="head", training=training),
    examples=("head",),
)
