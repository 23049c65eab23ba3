"""Prefix tuning: learned keys and values before the keys and values of every layer's attention."""

from __future__ import annotations

from learners.forms import Prefix, UngatedPrefix
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, integer, switch


def modification(length: int, mlp: int, gate: bool = True) -> Modification:
    """Returns prefix tuning as a modification of the heads' outputs.

    Args:
        length: Number l of learned keys and values per layer.
        mlp: Width of the MLP that makes them in training; 0: no MLP.
        gate: Whether h and Δh are weighted as attention weights them, (1 − λ) h + λ Δh; else h + Δh.
    """
    form = Prefix(length, mlp=mlp) if gate else UngatedPrefix(length, mlp=mlp)
    return Modification("prefix", form, site="attention.heads", reads="attention.query")


FAMILY = Family(
    name="prefix",
    title="prefix tuning",
    summary="Adds l learned keys and values before those of every layer. In training an MLP computes them; after "
    "training the MLP is dropped. 2ld parameters per layer. Not the identity at first.",
    citation="Li and Liang 2021; as a gated adapter He et al. 2022, section 3.1",
    # Our choice.
    # Of 3e-4, 1e-3, 3e-3 and 1e-2 none is better beyond chance on validation rows of the embedded
    # backbone (3e-3: +2.6 ±8.2 points; the best rate depends on the budget): scripts/experiments/RATES.md
    training=Training(learning_rate=1e-3),
    options=(
        Option("length", integer(1, 1024), 30, "length l; in He et al. 30 as part of MAM, 200 alone"),
        SHARING,
        Option("mlp", integer(0, 8192), 800, "width of the MLP; 800 in He et al.'s code; 0: no MLP, direct training"),
        Option("gate", switch, True, "yes: (1 − λ) h + λ Δh; no: h + Δh"),
    ),
    positional=("length", "sharing"),
    examples=("prefix:30", "prefix:8:mlp=0", "prefix:8:gate=no"),
    build=lambda options, training: Learner(
        name="",
        family="prefix",
        training=training,
        modifications=(modification(options["length"], options["mlp"], options["gate"]),),
        sharing=options["sharing"],
    ),
)
