"""Multi-head parallel adapters: a bottleneck in each attention head."""

from __future__ import annotations

from learners.forms import Headwise
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, integer

FAMILY = Family(
    name="mhpa",
    title="multi-head parallel adapters",
    summary="Adds ReLU(q P_kᵀ/√d_h) P_v to the output of each head: prefix tuning without softmax and gate. 2ld "
    "parameters per layer.",
    citation="He et al. 2022, section 4.4 and Table 4; code: attn_option cross_attn_relu",
    # Our choice. On validation rows of the embedded backbone the best of 3e-3, 1e-2, 3e-2 and 1e-1:
    # scripts/experiments/RATES.md
    training=Training(learning_rate=1e-2),
    options=(Option("size", integer(1, 1024), 30, "bottleneck l of each head; 30 in the paper's Table 4"), SHARING),
    positional=("size", "sharing"),
    examples=("mhpa:30", "mhpa:8"),
    build=lambda options, training: Learner(
        name="",
        family="mhpa",
        training=training,
        modifications=(Modification("mhpa", Headwise(options["size"]), "attention.heads", "attention.query"),),
        sharing=options["sharing"],
    ),
)
