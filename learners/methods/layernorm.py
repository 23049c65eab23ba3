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
    # On MiniLM, 320 examples, 4 epochs: STS-B 66.8 at 1e-2, 44.6 at 3e-3, the highest rate in Houlsby et al.'s sweep.
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
