"""Feature-based transfer: a head on the outputs of several layers of the frozen backbone."""

from __future__ import annotations

from learners.specification.family import Family
from learners.specification.learner import Learner, Training
from learners.specification.option import Option, integer

FAMILY = Family(
    name="feature",
    title="feature-based transfer",
    summary="Trains the head on the pooled outputs of the top k layers side by side, the backbone frozen: Devlin et "
    "al.'s best features (there tagged by a BiLSTM, here by the linear head of all learners). With k = 1 it is "
    "`head`.",
    citation="Devlin et al. 2019, section 5.3 and Table 7 (concat last four hidden)",
    training=Training(learning_rate=1e-2),
    unshared="a head is each task's own, and nothing else is trained: all sharings are one",
    options=(Option("layers", integer(1, 1000), 4, "k, from the top"),),
    positional=("layers",),
    examples=("feature:2",),
    build=lambda options, training: Learner(
        name="", family="feature", training=training, layers_read=options["layers"]
    ),
)
