"""Names and shapes of the tensors of a Delta. They follow from the learner and the architecture, without weights."""

from __future__ import annotations

from learners.backbones.architecture import Architecture, parameter_shapes
from learners.delta.peft_modules import injected_shapes
from learners.forms import Shapes
from learners.specification.applicability import check_applicable
from learners.specification.learner import Learner
from tasks.errors import InputError

PROMPT = "added.prompt.embeddings"  # vectors before the words, [l, width of the embedding tables]


def common(learner: Learner, name: str) -> bool:
    """Whether all Deltas of a frozen-shared learner have the same value of this tensor. False for other learners.

    The form of a modification names its common tensors. A prompt is always common. If the learner has no modification,
    every tensor but the head is common: later tasks train only their heads.
    """
    if learner.sharing != "frozen-shared" or name.startswith("head."):
        return False
    if not learner.modifications or name == PROMPT:
        return True
    return any(
        name.startswith(f"added.{owner}.") and name.endswith(tuple(f".{tensor}" for tensor in modification.form.common))
        for modification in learner.modifications
        for owner in (modification.name, modification.group or modification.name)
    )


def has_layout(learner: Learner, architecture: Architecture) -> bool:
    """Whether a learner can apply to an architecture."""
    try:
        delta_shapes(learner, architecture, 2)
    except InputError:
        return False
    return True


def delta_shapes(learner: Learner, architecture: Architecture, outputs: int) -> Shapes:
    """Name and shape of each tensor of a Delta: `backbone.*`, `difference.*`, `added.*`, `head.*`.

    Args:
        outputs: Width of the head, C.

    Raises:
        InputError: The learner cannot apply to this architecture. The message gives the reason.
    """
    if not learner.trains:
        added = {} if learner.text_model is None else learner.text_model.shapes(outputs)
        return {**added, "head.bias": (outputs,)}
    check_applicable(learner, architecture)
    every = parameter_shapes(architecture)
    shapes: Shapes = {f"backbone.{name}": every[name] for name in learner.tuned.parameters(architecture)}
    if learner.difference:
        shapes |= {f"difference.{name}": shape for name, shape in every.items()}
    if learner.prompt:
        if learner.prompt >= architecture.maximum_length:
            expected = f"less than the {architecture.maximum_length} tokens of the backbone"
            where, found = f"learner {learner.name}", str(learner.prompt)
            raise InputError("the prompt leaves no space for the text", where=where, expected=expected, found=found)
        shapes[PROMPT] = (learner.prompt, architecture.embedding)
    if learner.peft:
        shapes |= injected_shapes(learner.peft, architecture)
    if learner.layers_read > architecture.layers:
        where, expected = f"learner {learner.name}", f"at most {architecture.layers}"
        raise InputError(
            "more layers to read than the backbone has", where=where, expected=expected, found=str(learner.layers_read)
        )
    for modification in learner.modifications:
        own = modification.shapes(architecture)
        for layer in range(architecture.layers):
            shapes |= {modification.key(layer, tensor): shape for tensor, shape in own.items()}
    return shapes | {"head.weight": (outputs, architecture.hidden * learner.layers_read), "head.bias": (outputs,)}
