"""Top-k fine-tuning: the last k layers and a new head ("variable fine-tuning")."""

from __future__ import annotations

from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.option import Option, integer, switch
from learners.specification.tuned import Tuned

FAMILY = Family(
    name="topk",
    title="top-k fine-tuning",
    summary="Trains the top k encoder layers. Embeddings and lower layers stay frozen, run once per row and have no "
    "dropout. k times the parameters of a layer per task.",
    citation="Houlsby et al. 2019, section 3.3 (k from {1, 2, 3, 5, 7, 9, 11, 12} on BERT-base)",
    # From {3e-5, 3e-4, 3e-3} of Houlsby et al., section 3.2. The width power gives 3e-3 on the embedded backbone. Of
    # 9e-4, 3e-3, 9e-3 and 3e-2 none is better beyond chance on validation rows there (9e-4: +0.9 ±2.7 points):
    # scripts/experiments/RATES.md
    training=Training(learning_rate=3e-4, width_power=2.0),
    options=(
        Option("k", integer(1, 1000), 2, "number of trained layers, counted from the top"),
        SHARING,
        Option("pooler", switch, False, "train the pooler too, if the backbone has one"),
    ),
    positional=("k", "sharing"),
    examples=("topk:2", "topk:1:sequential", "topk:3:pooler=yes"),
    build=lambda options, training: Learner(
        name="",
        family="topk",
        training=training,
        tuned=Tuned(top_layers=options["k"], pooler=options["pooler"]),
        sharing=options["sharing"],
    ),
)
