"""Pfeiffer adapters: one bottleneck per layer, after the residual sum and the norm of the FFN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learners.forms import ACTIVATIONS, Bottleneck
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, choice, integer


def build(options: Mapping[str, Any], training: Training) -> Learner:
    form = Bottleneck(options["size"], options["activation"])
    return Learner(
        name="",
        family="pfeiffer",
        training=training,
        modifications=(
            Modification("pfeiffer", form, site="ffn.norm")
            if options["wiring"] == "paper"
            else Modification("pfeiffer", form, site="ffn.output", reads="ffn.normed"),
        ),
        sharing=options["sharing"],
    )


FAMILY = Family(
    name="pfeiffer",
    title="Pfeiffer adapters",
    summary="Adds one bottleneck of size m per layer, on the output of the norm after the FFN; norms are frozen. "
    "L(2md + d + m) parameters. The released code differs (wiring=code): the bottleneck A reads z = LN(h + y), where "
    "h is the output of the FFN and y its residual; A(z) is added to h, and the same norm is applied again: "
    "LN(h + A(z) + y).",
    citation="Pfeiffer et al. 2021; He et al. 2022, section 4.1; wiring=code: adapter-hub/adapters (seq_bn)",
    # The rate of `adapter`. On validation rows of the embedded backbone the best of 9e-4, 3e-3, 9e-3 and 3e-2:
    # scripts/experiments/RATES.md
    training=Training(learning_rate=3e-3),
    options=(
        Option("size", integer(1, 1024), 48, "bottleneck m; 48 is d/16 on BERT-base, AdapterHub's default"),
        SHARING,
        Option("activation", choice(*ACTIVATIONS), "relu", "non-linearity; ReLU in AdapterHub and in He et al."),
        Option("wiring", choice("paper", "code"), "paper", "input and output of the bottleneck; see the summary"),
    ),
    positional=("size", "sharing"),
    examples=("pfeiffer:48", "pfeiffer:16:wiring=code"),
    build=build,
)
