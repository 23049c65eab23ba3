"""Prefix tuning: learned keys and values before those of every layer's attention."""

from __future__ import annotations

from learners.forms import Prefix, UngatedPrefix
from learners.specification.family import SHARING, Family
from learners.specification.learner import Learner, Training
from learners.specification.modification import Modification
from learners.specification.option import Option, integer, switch


def modification(length: int, mlp: int, gate: bool = True) -> Modification:
    form = Prefix(length, mlp=mlp) if gate else UngatedPrefix(length, mlp=mlp)
    return Modification("prefix", form, site="attention.heads", reads="attention.query")


FAMILY = Family(
    name="prefix",
    title="prefix tuning",
    summary="l keys and values before those of every layer. While they are trained, an MLP makes them, which is then "
    "dropped. 2ld parameters a layer; not the identity at first.",
    citation="Li and Liang 2021; as a gated adapter He et al. 2022, section 3.1",
    training=Training(learning_rate=1e-3),
    options=(
        Option("length", integer(1, 1024), 30, "l; 30 in the paper's MAM, 200 alone"),
        SHARING,
        Option("mlp", integer(0, 8192), 800, "width of that MLP; 800 in He et al.'s code; 0: tables trained directly"),
        Option("gate", switch, True, "no: h + Δh, in place of (1 − λ) h + λ Δh"),
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
