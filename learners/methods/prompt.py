"""Prompt tuning: learned vectors before the word vectors of every row."""

from __future__ import annotations

from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.option import Option, integer

FAMILY = Family(
    name="prompt",
    title="prompt tuning",
    summary="Adds l learned vectors before the word vectors; all layers treat them as tokens. ld parameters. "
    "Rows become l tokens longer. Not the identity at first.",
    citation="Lester et al. 2021; He et al. 2022, section 2.2 and Table 6",
    # Our choice, below the paper's 0.3 for T5.
    # Of 9e-3, 3e-2, 9e-2 and 3e-1 none is better beyond chance on validation rows of the embedded
    # backbone (9e-3: +1.7 ±3.1 points): scripts/experiments/RATES.md
    training=Training(learning_rate=3e-2),
    options=(Option("length", integer(1, 1024), 20, "number l of vectors; 20 to 100 in the paper"), SHARING),
    positional=("length", "sharing"),
    examples=("prompt:20", "prompt:4"),
    build=lambda options, training: Learner(
        name="", family="prompt", training=training, prompt=options["length"], sharing=options["sharing"]
    ),
)
