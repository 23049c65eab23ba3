"""Which learners' Deltas can share one pass through the encoder, each on its own rows: a pack."""

from __future__ import annotations

from learners.backbones.architecture import Architecture, parameter_shapes
from learners.forms import Form, covers
from learners.specification.learner import LOOP, Learner


def why_unpacked(learner: Learner, architecture: Architecture) -> str:
    """Returns why each Delta of a learner needs a pass of its own, in one sentence; "" if they can share one.

    A form of a plug-in says with an attribute `packs = True` that its `change` works on stacked tensors
    (`learners.forms.packed`).
    """
    if learner.no_encoder:
        return learner.no_encoder
    if learner.trainer != LOOP:
        return f"it is trained by {learner.trainer}"
    if learner.peft:
        return "peft computes its forward pass, for one Delta at a time"
    if architecture.relative:
        return "attention projects relative positions, which all rows of a batch share"
    shapes = parameter_shapes(architecture)
    if learner.difference or any(len(shapes[name]) > 1 for name in learner.tuned.parameters(architecture)):
        return "it has own matrices of the encoder, so two Deltas share no product"
    alone = next((m.name for m in learner.modifications if not packs(m.form)), None)
    return "" if alone is None else f"the form of {alone} does not say that it works on stacked tensors"


def packs(form: Form) -> bool:
    """Whether the `change` of a form works on stacked tensors.

    A class that inherits `packs` but has another `change` or `gate` must say it again.
    """
    methods = [name for name in ("change", "gate") if hasattr(form, name)]
    return bool(getattr(form, "packs", False)) and all(covers(type(form), "packs", name) for name in methods)
