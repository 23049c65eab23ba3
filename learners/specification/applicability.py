"""Checks that an architecture has everything that a learner needs."""

from __future__ import annotations

from learners.backbones.architecture import Architecture
from learners.forms import TokenShift
from learners.specification.learner import Learner
from learners.specification.modification import Modification
from tasks.errors import InputError


def check_applicable(learner: Learner, architecture: Architecture) -> None:
    """Check that the learner does on this architecture what its paper describes.

    Raises:
        InputError: The architecture lacks something that the learner needs. The message names it.
    """
    where, anatomy = f"learner {learner.name}", architecture.anatomy
    backbone = f"a {architecture.model_type} backbone"
    if learner.tuned.biases != "none" and not anatomy.biased:
        fix = "choose layernorm, which tunes the gains of the norms"
        raise InputError("no biases to tune", where=where, found=f"{backbone}, which has none", fix=fix)
    for modification in learner.modifications:
        if modification.site not in anatomy.places:
            what, sites = f"{modification.name} is outside the layers", ", ".join(anatomy.places)
            raise InputError(what, where=where, expected=sites, found=modification.site)
        if anatomy.scores and modification.reads in ("attention.query", "attention.key"):
            raise InputError(
                f"{modification.name} assumes attention scores of q·k/√d_h alone",
                where=where,
                found=f"{backbone}, whose attention {anatomy.scores}",
                fix="choose a learner that computes no attention scores, such as parallel or lora",
            )
        if anatomy.pre_norm and (reason := _needs_post_norm(modification)):
            raise InputError(f"{modification.name} {reason}", where=where, found=f"{backbone}, whose layers are pre-LN")


def _needs_post_norm(modification: Modification) -> str:
    """Returns why a modification needs the norm after the sub-layer (post-LN); "" if it does not need it."""
    if modification.reads == "ffn.normed" or modification.site in ("ffn.norm", "attention.norm"):
        return "needs the output of a norm after the residual sum"
    form = modification.form
    if isinstance(form, TokenShift) and form.vector == "ones":
        return "starts with v = 1, a shift that only a norm after the residual sum removes"
    return ""
