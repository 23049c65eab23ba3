"""BitFit: the biases of the backbone, and a new head."""

from __future__ import annotations

from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.option import Option, choice, switch
from learners.specification.tuned import Tuned

FAMILY = Family(
    name="bitfit",
    title="BitFit",
    summary="Trains every bias: 11d per layer if d_ff = 4d, and the biases of the embedding norm and the pooler. Key "
    "biases are included but never change, because softmax cancels them.",
    citation="Ben Zaken et al. 2022, sections 3 and 4 (q-m2: Table 2); code benzakenelad/BitFit",
    # Our choice, above the paper's 1e-4 to 1e-3 for BERT.
    # Of 9e-4, 3e-3, 9e-3 and 3e-2 none is better beyond chance on validation rows of the embedded
    # backbone (9e-3: +1.1 ±1.6 points): scripts/experiments/RATES.md
    training=Training(learning_rate=3e-3),
    options=(
        SHARING,
        Option(
            "biases",
            choice("all", "layers", "q-m2"),
            "all",
            "all: every bias; layers: every bias in the layers; q-m2: b_q and b_m2 of each layer",
        ),
        Option(
            "pooler", switch, False, "with layers or q-m2, train the bias of the pooler too, as the released code does"
        ),
    ),
    positional=("sharing",),
    examples=("bitfit", "bitfit:biases=q-m2", "bitfit:biases=layers:pooler=yes"),
    build=lambda options, training: Learner(
        name="",
        family="bitfit",
        training=training,
        tuned=Tuned(biases=options["biases"], pooler_bias=options["pooler"]),
        sharing=options["sharing"],
    ),
)
