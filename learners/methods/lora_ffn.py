"""LoRA on the two feed-forward matrices, as He et al. compare it with parallel adapters."""

from __future__ import annotations

from learners.methods.lora import ALPHA, RANK, modifications
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training

FAMILY = Family(
    name="lora-ffn",
    title="LoRA on the FFN",
    summary="Adds a low-rank product x A B to the outputs of W_1 and W_2, zero at first. It can be merged into these "
    "matrices. 2r(d + d_ff) parameters per layer, 10rd if d_ff = 4d.",
    citation="He et al. 2022, sections 4.1 and 4.5, Table 5",
    # On validation rows of the embedded backbone (then of four layers) the best of 6e-4, 2e-3, 6e-3 and 2e-2;
    # better than 2e-3 by 1.8 ±1.7 points: scripts/experiments/RATES.md
    training=Training(learning_rate=6e-3),
    options=(RANK, SHARING, ALPHA),
    positional=("rank", "sharing"),
    examples=("lora-ffn:8", "lora-ffn:2:alpha=4"),
    build=lambda options, training: Learner(
        name="",
        family="lora-ffn",
        training=training,
        modifications=modifications("lora", "12", options),
        sharing=options["sharing"],
    ),
)
