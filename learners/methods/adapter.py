"""Houlsby adapters: a bottleneck after each of the two sub-layers, before the residual sum and the norm.

A(x) = x + g(x W₁ + b₁) W₂ + b₂
y = LN(x + A(Dropout(MHA(x) W_o)))
z = LN(y + A'(Dropout(FFN(y))))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learners.backbones.sites import Role
from learners.forms import ACTIVATIONS, Bottleneck
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, choice, integer, number, switch
from learners.specification.tuned import Tuned

PARTS = {"both": ("attention", "ffn"), "attention": ("attention",), "ffn": ("ffn",)}
SITES: Mapping[str, tuple[Role, Role]] = {  # output and input of each sub-layer
    "attention": ("attention.output", "attention.input"),
    "ffn": ("ffn.output", "ffn.input"),
}


def build(options: Mapping[str, Any], training: Training) -> Learner:
    form = Bottleneck(
        options["size"], options["activation"], options["std"], depth=options["depth"], norm=options["inner_norm"]
    )
    return Learner(
        name="",
        family="adapter",
        training=training,
        tuned=Tuned(norms="layers", embedding_norm=True) if options["norms"] else Tuned(),
        modifications=tuple(
            Modification(
                f"adapter.{part}",
                form,
                site=SITES[part][0],
                reads=SITES[part][1] if options["insertion"] == "parallel" else None,
                multiplies=options["composition"] == "multiply",
            )
            for part in PARTS[options["where"]]
        ),
        sharing=options["sharing"],
    )


FAMILY = Family(
    name="adapter",
    aliases=("houlsby",),
    title="Houlsby adapters",
    summary="Adds two bottlenecks of size m per layer, near the identity at first. Trains the norms; the pooler stays "
    "frozen. 2L(2md + d + m) parameters, and 4Ld + 2d for the norms. The options depth, inner_norm, where, insertion "
    "and composition are variants that the paper tried (section 3.6). It gives no formulas, so the definitions are "
    "ours.",
    citation="Houlsby et al. 2019, section 2.1 and Figure 2; code google-research/adapter-bert",
    # In both sweeps of Houlsby et al., sections 3.2 and 3.3. On the embedded backbone the best of 9e-4, 3e-3, 9e-3 and
    # 3e-2 on validation rows: scripts/experiments/RATES.md
    training=Training(learning_rate=3e-3),
    options=(
        Option("size", integer(1, 1024), 64, "bottleneck m; 1 to 512 in the paper's Figure 4"),
        SHARING,
        Option("activation", choice(*ACTIVATIONS), "gelu", "non-linearity g; the released code uses GELU"),
        Option(
            "std",
            number(1e-9, 1.0),
            1e-2,
            "standard deviation of the truncated normal for W₁ and W₂: 1e-2 in the paper, 1e-3 in the code",
        ),
        Option("norms", switch, True, "train every LayerNorm, as the released code does"),
        Option("where", choice(*PARTS), "both", "sub-layers that get a bottleneck"),
        Option("depth", integer(2, 8), 2, "number of linear layers per bottleneck; layers beyond two are m×m"),
        Option(
            "inner_norm",
            choice("none", "input", "bottleneck"),
            "none",
            "LayerNorm inside the bottleneck: of the input x, or of x W₁ + b₁",
        ),
        Option(
            "insertion",
            choice("sequential", "parallel"),
            "sequential",
            "sequential: reads the output of the sub-layer; parallel: reads the input of the sub-layer",
        ),
        Option("composition", choice("add", "multiply"), "add", "add: h + Δh; multiply: h ⊙ (1 + Δh)"),
    ),
    positional=("size", "sharing"),
    examples=(
        "adapter:64",
        "adapter:8",
        "adapter:64:std=1e-3",
        "adapter:64:sequential",
        "adapter:16:where=attention:activation=tanh",
        "adapter:16:depth=3:inner_norm=input",
        "adapter:16:insertion=parallel:composition=multiply",
    ),
    build=build,
)
