"""What a learner needs that not every architecture has, and the reason where it lacks it."""

from __future__ import annotations

from learners.backbones.architecture import Architecture
from learners.forms import TokenShift
from learners.specification.learner import Learner
from learners.specification.modification import Modification
from tasks.errors import InputError


def check_applicable(learner: Learner, architecture: Architecture) -> None:
    """See that a learner means on this architecture what its paper means.

    Raises:
        InputError: It does not; says what is missing.
    """
    where, anatomy = f"learner {learner.name}", architecture.anatomy
    backbone = f"a {architecture.model_type} backbone"
    if learner.tuned.biases != "none" and not anatomy.biased:
        fix = "choose layernorm, which tunes the gains of its norms"
        raise InputError("no biases to tune", where=where, found=f"{backbone}, which has none", fix=fix)
    for modification in learner.modifications:
        if anatomy.scores and modification.reads in ("attention.query", "attention.key"):
            raise InputError(
                f"{modification.name} takes part in attention, and that by q·k/√d_h alone",
                where=where,
                found=f"{backbone}, whose attention {anatomy.scores}",
                fix="choose what stays out of attention weights, such as parallel or lora",
            )
        if anatomy.pre_norm and (reason := _needs_post_norm(modification)):
            raise InputError(f"{modification.name} {reason}", where=where, found=f"{backbone}, whose layers are pre-LN")


def _needs_post_norm(modification: Modification) -> str:
    """Why a modification has no meaning where the norm of a sub-layer comes before it; "": it has."""
    if modification.reads == "ffn.normed" or modification.site in ("ffn.norm", "attention.norm"):
        return "acts on what the norm after a residual sum puts out"
    form = modification.form
    if isinstance(form, TokenShift) and form.vector == "ones":
        return "begins with v = 1, which only a norm after the residual sum undoes"
    return ""
