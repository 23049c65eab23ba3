"""LayerNorm-only: gain and bias of every layer normalisation, and a new head."""

from __future__ import annotations

from learners.family import SHARING, Family, Option, switch
from learners.learner import Learner, Training, Tuned

FAMILY = Family(
    name="layernorm",
    title="LayerNorm-only tuning",
    summary="Trains γ and β of every LayerNorm: 2d for each of the 2L + 1 norms, 38,400 on BERT-base.",
    citation="Houlsby et al. 2019, section 3.4 (40k parameters on BERT-base)",
    training=Training(learning_rate=3e-3),  # upper end of Houlsby et al.'s sweep {3e-5, 3e-4, 3e-3}, section 3.2
    options=(
        SHARING,
        Option("embeddings", switch, True, "train the norm after the embeddings as well"),
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
