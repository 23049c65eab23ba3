"""LayerNorm-only tuning: gain and bias of every LayerNorm, and a new head."""

from __future__ import annotations

from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.option import Option, switch
from learners.specification.tuned import Tuned

FAMILY = Family(
    name="layernorm",
    title="LayerNorm-only tuning",
    summary="Trains γ and β of every LayerNorm: 2d per norm and 2L + 1 norms, so 38,400 parameters on BERT-base.",
    citation="Houlsby et al. 2019, section 3.4 (40k parameters on BERT-base)",
    # Our choice: above 3e-3, the highest rate of Houlsby et al.'s sweep. On validation rows of the embedded backbone
    # the best of 3e-3, 1e-2, 3e-2 and 1e-1: scripts/experiments/RATES.md
    training=Training(learning_rate=1e-2),
    options=(
        SHARING,
        Option("embeddings", switch, True, "train the norm after the embeddings too"),
    ),
    positional=("sharing",),
    examples=("layernorm", "layernorm:embeddings=no"),
    build=lambda options, training: Learner(
        name="",
        family="layernorm",
        training=training,
        tuned=Tuned(norms="layers", embedding_norm=options["embeddings"]),
        sharing=options["sharing"],
    ),
)
