"""Merging: put the changes of a Delta into the weights of the encoder, if algebra allows it.

Let a matrix compute h = W x + b. A change Δh = M x + c can be merged into W and b, because
h + s Δh = (W + s M) x + (b + s c). A change that is affine in h can be merged in the same way. A factor per dimension
of the input of W₂ becomes a factor per column of W₂. Other changes (a non-linearity, a gate, more tokens) cannot be
merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import Backbone
from learners.backbones.sites import FED_BY, Role, hook_point, weight_parameters
from learners.delta.delta import Delta
from learners.forms import Bottleneck, Form, Gated, LowRank, Reading, Rescale, Scaled, TokenShift
from learners.specification.learner import Learner
from learners.specification.modification import Modification
from tasks.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

State: TypeAlias = "dict[str, Tensor]"
# The matrix whose output (before dropout) is the representation at a site. After an activation function there is none.
MATRICES: Mapping[Role, Role] = {
    **{role: role for role in FED_BY},
    "attention.output": "attention.wo",
    "ffn.output": "ffn.w2",
}
# The matrix that reads the representation at a site, if only one does.
READERS: Mapping[Role, Role] = {"attention.heads": "attention.wo", "ffn.intermediate": "ffn.w2"}


def merged(backbone: Backbone, learner: Learner, delta: Delta) -> State:
    """Weights of the whole encoder for one task, float32, by their names in the encoder.

    The encoder with these weights computes what the backbone with the Delta computes. The head is not included. Sums
    are computed in float64. The backbone does not change.

    Raises:
        InputError: The Delta cannot be merged; the message gives the reason of `unmergeable`.
    """
    if reason := unmergeable(learner, backbone.architecture):
        where = f"learner {learner.name}"
        raise InputError("cannot be merged into the weights", where=where, found=reason)
    state = tuned_weights(backbone, delta)
    # The order of the forward pass: changes of the output of a matrix, then changes after its dropout. Factors on the
    # input of a matrix come last, because modifications parallel to W₂ read the rescaled input.
    ordered = sorted(learner.modifications, key=lambda m: (m.site in READERS, m.site not in FED_BY))
    for layer in range(backbone.architecture.layers):
        for modification in ordered:
            _merge(backbone.architecture, modification, layer, delta, state)
    return {name: tensor.clone() for name, tensor in state.items()}


def tuned_weights(backbone: Backbone, delta: Delta) -> State:
    """Weights of the whole encoder with the new values and differences of a Delta, without its modifications."""
    state = dict(backbone.weights)
    for name, tensor in delta.tensors.items():
        part, _, key = name.partition(".")
        if part == "backbone":
            state[key] = tensor
        elif part == "difference":
            state[key] = state[key] + tensor
    return state


def unmergeable(learner: Learner, architecture: Architecture) -> str:
    """Why the changes of a learner cannot be merged, in one sentence; "" if they can."""
    if learner.no_encoder:
        return learner.no_encoder
    if learner.prompt:
        return "a prompt adds tokens, it does not change weights"
    if learner.peft:
        return "only peft knows how to merge the modules of peft"
    if learner.layers_read > 1:
        return "its head reads several layers, but an encoder gives only the output of the last layer"
    reasons = (_obstacle(modification, architecture) for modification in learner.modifications)
    return next((reason for reason in reasons if reason), "")


def _obstacle(modification: Modification, architecture: Architecture) -> str:
    form, site, reads = modification.form, modification.site, modification.reads
    if isinstance(form, Gated):
        return f"{modification.name} has a gate, whose value differs from token to token"
    if not _affine(form):
        return f"{modification.name} is not linear in what it reads: {form.formula}"
    if modification.multiplies:
        return f"{modification.name} multiplies what it changes by a value that differs from token to token"
    if isinstance(form, Rescale) and reads is None and site in READERS:
        return ""
    if site not in MATRICES:
        return f"{modification.name} changes {site}, which is not the output of a matrix"
    if reads not in (None, FED_BY[MATRICES[site]]):
        return f"{modification.name} reads {reads}, but the matrix at its site reads another input"
    if not isinstance(_plain(form), LowRank | Rescale) and not architecture.anatomy.biased:
        return f"{modification.name} adds a constant, but a {architecture.model_type} model has no bias to add it to"
    return ""


def _plain(form: Form) -> Form:
    return form.form if isinstance(form, Scaled) else form


def _affine(form: Form) -> bool:
    form = _plain(form)
    linear = isinstance(form, Bottleneck) and form.activation == "identity" and form.norm == "none"
    return linear or isinstance(form, LowRank | Rescale | TokenShift)


def _merge(architecture: Architecture, modification: Modification, layer: int, delta: Delta, state: State) -> None:
    """Replace, in `state`, the weight and bias of the matrix that one modification changes in one layer."""
    import torch

    form, site, scale = modification.form, modification.site, modification.scale
    shapes = modification.shapes(architecture)
    tensors = {name: delta.tensors[modification.key(layer, name)].double() for name in shapes}
    matrix = READERS.get(site) if isinstance(form, Rescale) and site in READERS else MATRICES[site]
    assert matrix is not None
    names = weight_parameters(architecture, matrix, layer)
    first, last = hook_point(architecture, matrix, layer).columns or (0, len(state[names[0]]))
    weight = state[names[0]][first:last].double()
    bias = state[names[1]][first:last].double() if len(names) > 1 else weight.new_zeros(len(weight))
    if isinstance(form, Rescale):
        factor = 1 + scale * (tensors["factor"] - 1)
        weight, bias = (weight * factor, bias) if site in READERS else (factor[:, None] * weight, factor * bias)
    else:
        reads = weight.shape[1] if modification.reads is not None else len(weight)
        constant = form.change(tensors, Reading(weight.new_zeros(1, 1, reads)))[0, 0]
        linear = (form.change(tensors, Reading(torch.eye(reads, dtype=weight.dtype)[None]))[0] - constant).T
        if modification.reads is None:
            weight, bias = weight + scale * (linear @ weight), bias + scale * (linear @ bias + constant)
        else:
            weight, bias = weight + scale * linear, bias + scale * constant
    _put(state, names[0], weight, first, last)
    if len(names) > 1:
        _put(state, names[1], bias, first, last)


def _put(state: State, name: str, rows: Tensor, first: int, last: int) -> None:
    whole = state[name].clone()
    whole[first:last] = rows.float()
    state[name] = whole
