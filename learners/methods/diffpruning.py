"""Diff pruning: a sparse difference to every weight of the backbone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learners.specification.family import Family
from learners.specification.gates import DIFF_PRUNING
from learners.specification.learner import Learner, Pruning, Training
from learners.specification.option import Option, number
from tasks.errors import InputError


def build(options: Mapping[str, Any], training: Training) -> Learner:
    pruning, epochs = Pruning(options["target"], options["after"]), training.epochs
    if epochs and pruning.epoch(epochs) >= epochs:  # epochs=0 is allowed: it trains nothing
        raise InputError(
            "no epoch is left to train after pruning",
            where="learner 'diffpruning'",
            expected="at least one epoch after pruning",
            found=f"pruning after epoch {pruning.epoch(epochs)} of {epochs}",
            fix="set epochs=2 or more, or a smaller after",
        )
    return Learner(
        name="",
        family="diffpruning",
        training=training,
        difference=True,
        gates=DIFF_PRUNING,
        penalty=options["l0"],
        gated="difference.",
        pruning=pruning,
    )


FAMILY = Family(
    name="diffpruning",
    title="diff pruning",
    summary="Trains a difference θ + z ⊙ w: w has the size of the backbone, and gates z have an L0 penalty. Then it "
    "keeps only the largest entries and trains them further. A Delta holds these values and their positions. The "
    "released code has a further gate per tensor, which is omitted here.",
    citation="Guo et al. 2021, sections 2 and 3; code dguo98/DiffPruning",
    # The rate of `full`, which trains the same weights.
    # Of 1e-4, 4e-4, 1e-3 and 4e-3 none is better beyond chance on validation rows of the embedded
    # backbone (1e-3: +1.2 ±2.0 points): scripts/experiments/RATES.md
    training=Training(learning_rate=1e-4, width_power=1.25),
    options=(
        Option("target", number(1e-6, 1.0), 0.005, "share of the backbone's scalars that is kept; 0.005 in the paper"),
        Option("l0", number(0.0, 1.0), 1.25e-7, "λ of the L0 penalty per scalar; the default of the released code"),
        Option(
            "after",
            number(0.0, 0.9),
            0.5,
            "share of the epochs before pruning, with gates; the paper trains in two separate runs",
        ),
    ),
    positional=("target",),
    examples=("diffpruning:0.005", "diffpruning:0.05:l0=1e-6"),
    unshared="each task selects its own few weights (section 2)",
    build=build,
)
