"""AdapterBias: a token-dependent shift of the FFN output, h_i + α_i v with α_i = w·u_i + c.

u is the activation between the two FFN matrices, of width d_ff. The norm after the FFN is trained; the norm after
attention is frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learners.forms import TokenShift
from learners.specification.family import SHARING, Family
from learners.specification.gates import SETTINGS
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, choice, number, switch
from learners.specification.tuned import Tuned
from tasks.errors import InputError

DEFAULT_GATES = "diff-pruning"  # the author of AdapterBias refers to it
VECTOR, ALPHA = ("vector",), ("alpha.weight", "alpha.bias")
SHARED = {"none": (), "v": VECTOR, "alpha": ALPHA, "both": VECTOR + ALPHA}


def build(options: Mapping[str, Any], training: Training) -> Learner:
    if options["std"] == 0:
        raise InputError(
            "dead initialisation: if L_α is 0 and v is a multiple of ones, both get no gradient",
            where="learner 'adapterbias'",
            expected="std above 0",
            found="std=0",
        )
    if options["gates"] != DEFAULT_GATES and not options["l0"]:
        raise InputError(
            "gates without a penalty have no effect",
            where=f"learner 'adapterbias:gates={options['gates']}'",
            fix=f"add a penalty: adapterbias:l0=1e-4:gates={options['gates']}",
        )
    shift = Modification(
        "adapterbias",
        TokenShift(options["vector"], options["std"]),
        site="ffn.output",
        reads="ffn.intermediate",
        shared=SHARED[options["share"]],
    )
    return Learner(
        name="",
        family="adapterbias",
        training=training,
        tuned=Tuned(norms="ffn", embedding_norm=options["embedding_norm"]),
        modifications=(shift,),
        sharing=options["sharing"],
        gates=SETTINGS[options["gates"]] if options["l0"] else None,
        penalty=options["l0"],
    )


FAMILY = Family(
    name="adapterbias",
    title="AdapterBias",
    summary="Adds a vector v and a linear layer L_α of width d_ff to each layer. L(3d + d_ff + 1) parameters with the "
    "norm, 64,524 on BERT-base. Fewer if layers share v or L_α, and still fewer with L0 gates on L_α.",
    citation="Fu et al. 2022 (Findings of NAACL), AdapterBias; code Allen0307/AdapterBias; "
    "gates of Guo et al. 2021 or Louizos et al. 2018",
    # Our choice: few scalars need large steps, and the code's 1e-4 comes with 20 to 120 epochs. On validation rows of
    # the embedded backbone the best of 3e-3, 1e-2, 3e-2 and 1e-1: scripts/experiments/RATES.md
    training=Training(learning_rate=1e-2),
    options=(
        Option(
            "share",
            choice(*SHARED),
            "none",
            "tensors that all layers share: none, v, L_α (alpha, the paper's best), or both",
        ),
        SHARING,
        Option(
            "l0",
            number(0.0, 1.0),
            0.0,
            "λ of the L0 penalty on L_α; 0: no gates; the word l0 alone means 1e-4",
            bare=1e-4,
        ),
        Option("gates", choice(*SETTINGS), DEFAULT_GATES, "published setting of the hard-concrete gates"),
        Option(
            "vector",
            choice("zeros", "ones"),
            "zeros",
            "initial v: zeros in the released code, ones in the author's sample",
        ),
        Option(
            "std",
            number(0.0, 1.0),
            0.02,
            "standard deviation of the initial weights of L_α; 0.02 is BERT's initializer_range",
        ),
        Option("embedding_norm", switch, False, "train the embedding norm too, as the released code does"),
    ),
    positional=("sharing",),
    examples=(
        "adapterbias",
        "adapterbias:share=alpha",
        "adapterbias:share=alpha:l0=1e-4",
        "adapterbias:l0:gates=louizos",
    ),
    build=build,
)
