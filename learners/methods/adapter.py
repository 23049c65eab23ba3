"""Houlsby adapters: a bottleneck after each of the two sub-layers, before the residual sum and its norm.

A(x) = x + g(x W₁ + b₁) W₂ + b₂
y = LN(x + A(Dropout(MHA(x) W_o)))
z = LN(y + A'(Dropout(FFN(y))))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learners.family import SHARING, Family, Option, choice, integer, number, switch
from learners.forms import ACTIVATIONS, Bottleneck
from learners.learner import Learner, Modification, Training, Tuned


def build(options: Mapping[str, Any], training: Training) -> Learner:
    form = Bottleneck(options["size"], options["activation"], options["std"])
    return Learner(
        name="",
        family="adapter",
        training=training,
        tuned=Tuned(norms="layers", embedding_norm=True) if options["norms"] else Tuned(),
        modifications=(
            Modification("adapter.attention", form, site="attention.output"),
            Modification("adapter.ffn", form, site="ffn.output"),
        ),
        sharing=options["sharing"],
    )


FAMILY = Family(
    name="adapter",
    title="Houlsby adapters",
    summary="Two bottlenecks of size m per layer, near the identity at first; norms trained, pooler frozen. "
    "2L(2md + d + m) parameters, and 4Ld + 2d of the norms.",
    citation="Houlsby et al. 2019, section 2.1 and Figure 2; code google-research/adapter-bert",
    # Of both of Houlsby et al.'s sweeps, sections 3.2 and 3.3; on the embedded backbone 1e-2 is best of 1e-3 to 1e-2.
    training=Training(learning_rate=3e-3, width_power=1.0),
    options=(
        Option("size", integer(2, 256), 64, "bottleneck m; the paper's range is 2 to 256"),
        SHARING,
        Option("activation", choice(*ACTIVATIONS), "gelu", "non-linearity g; the released code uses GELU"),
        Option(
            "std", number(1e-9, 1.0), 1e-2, "of the truncated normal of W₁, W₂: 1e-2 in the paper, 1e-3 in the code"
        ),
        Option("norms", switch, True, "train every LayerNorm, as the released code does"),
    ),
    positional=("size", "sharing"),
    examples=("adapter:64", "adapter:8", "adapter:64:std=1e-3", "adapter:64:sequential"),
    build=build,
)
