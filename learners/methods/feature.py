"""Feature-based transfer: a head on the outputs of several layers of the frozen backbone."""

from __future__ import annotations

from learners.specification.family import Family
from learners.specification.learner import Learner, Training
from learners.specification.option import Option, integer

FAMILY = Family(
    name="feature",
    title="feature-based transfer",
    summary="Trains the head on the concatenated pooled outputs of the top k layers; the backbone is frozen. These are "
    "the best features of Devlin et al., who use a BiLSTM on them; here it is the same linear head as in all "
    "learners. k = 1 gives `head`.",
    citation="Devlin et al. 2019, section 5.3 and Table 7 (concat last four hidden)",
    # Our choice.
    # Of 3e-3, 1e-2, 3e-2 and 1e-1 none is better beyond chance on validation rows of the embedded
    # backbone (3e-3: +0.4 ±0.9 points): scripts/experiments/RATES.md
    training=Training(learning_rate=1e-2),
    unshared="each task has its own head and nothing else is trained, so all kinds of sharing are the same",
    options=(Option("layers", integer(1, 1000), 4, "number k of layers, counted from the top"),),
    positional=("layers",),
    examples=("feature:2",),
    build=lambda options, training: Learner(
        name="", family="feature", training=training, layers_read=options["layers"]
    ),
)
