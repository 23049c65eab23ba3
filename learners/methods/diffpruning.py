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
    if epochs and pruning.epoch(epochs) >= epochs:  # of no epochs nothing is asked
        raise InputError(
            "what stays after pruning would not be trained on",
            where="learner 'diffpruning'",
            expected="an epoch after pruning",
            found=f"pruning after epoch {pruning.epoch(epochs)} of {epochs}",
            fix="epochs=2 or more, or a smaller after",
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
    summary="θ + z ⊙ w: w as large as the backbone, gates z with an L0 penalty; then all but the largest are dropped "
    "and these trained on. Kept: a share of the backbone's parameters, and their places. A tensor's own gate, in the "
    "released code, is left out.",
    citation="Guo et al. 2021, sections 2 and 3; code dguo98/DiffPruning",
    training=Training(learning_rate=1e-4, width_power=1.25),  # as of `full`: the same weights move
    options=(
        Option("target", number(1e-6, 1.0), 0.005, "share of the backbone that is kept; 0.005 in the paper"),
        Option("l0", number(0.0, 1.0), 1.25e-7, "λ of a scalar's penalty, that of the released code"),
        Option("after", number(0.0, 0.9), 0.5, "share of the epochs that train with gates; two runs in the paper"),
    ),
    positional=("target",),
    examples=("diffpruning:0.005", "diffpruning:0.05:l0=1e-6"),
    unshared="each task chooses its own few of all weights (section 2)",
    build=build,
)
