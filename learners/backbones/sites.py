"""Sites of modifications: representations with names from the literature, in every layer of every architecture.

The forward pass (`learners.forward`) names them where it computes them, and calls `change` there. This file maps them
to parameters, and to the modules of transformers that an export changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple, get_args

from learners.backbones.architecture import Architecture, layer_module, parameter_shapes
from learners.backbones.architectures import MADE_BY, Place
from tasks.errors import InputError, unknown_name

__all__ = [
    "FED_BY",
    "PROJECTIONS",
    "ROLES",
    "HookPoint",
    "Role",
    "Source",
    "embedding_parameters",
    "hook_point",
    "layer_module",
    "layer_parameters",
    "norm_parameters",
    "pooler_parameters",
    "weight_parameters",
    "width",
    "word_table",
]

# Sites: the representations of a layer, [B, S, width], where the forward pass calls `change`.
#
# * `attention.input`, `ffn.input`: input of the sub-layer's first projections.
# * `attention.query`, `.key`, `.value`: outputs of the projections, before the split into heads and before positions
#   are added or rotated in.
# * `attention.heads`: concatenated outputs of all heads, before W_o: "head attention output" in He et al. (2022).
# * `attention.wo`, `ffn.w1`, `ffn.w2`: outputs of these matrices, before activation function and dropout.
# * `attention.output`, `ffn.output`: outputs of the sub-layers, of width d, after dropout and before the residual sum
#   (and, in post-LN, before its LayerNorm). Houlsby et al. (2019, section 2.1, Figure 2) insert adapters here, and
#   AdapterBias adds its shift here.
# * `ffn.intermediate`: input of the second feed-forward matrix, after the activation function and the gate, if any.
# * `attention.norm`, `ffn.norm`: output of the sub-layer's LayerNorm. In post-LN the norm follows the residual sum;
#   in pre-LN it comes before the sub-layer. Layer 0 of ModernBERT has no norm of attention: the site is an identity,
#   and its input is normed already.
#
# Two lie outside the layers, and no learner changes them:
#
# * `embeddings.norm`: output of the LayerNorm of the embeddings, after gain and bias.
# * `pooler`: [B, d], before the tanh. Only in BERT and RoBERTa.
Role = Literal[
    "attention.input",
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.heads",
    "attention.wo",
    "attention.output",
    "attention.norm",
    "ffn.input",
    "ffn.w1",
    "ffn.intermediate",
    "ffn.w2",
    "ffn.output",
    "ffn.norm",
    "embeddings.norm",
    "pooler",
]
ROLES: tuple[Role, ...] = get_args(Role)
# Representations that a form may read. "ffn.normed" is LN(h + y), the norm after the FFN, of the unmodified h.
Source = Role | Literal["ffn.normed"]

# The projections that read one input; `learners.backbones.fused` has their weights as one.
PROJECTIONS: tuple[Role, ...] = ("attention.query", "attention.key", "attention.value")
# Role of a matrix's output -> role of its input.
FED_BY: Mapping[Role, Role] = MappingProxyType(
    {
        "attention.query": "attention.input",
        "attention.key": "attention.input",
        "attention.value": "attention.input",
        "attention.wo": "attention.heads",
        "ffn.w1": "ffn.input",
        "ffn.w2": "ffn.intermediate",
    }
)


class HookPoint(NamedTuple):
    """The input or output of a module of transformers that is a representation: where an export puts a hook.

    Attributes:
        module: Name of the module.
        enters: Whether the representation is the input of the module; else it is the output.
        columns: First and last + 1 index in the last dimension, if the representation is a part of a fused output;
            None: the whole output. These are also the rows of the module's weight that compute it.
    """

    module: str
    enters: bool
    columns: tuple[int, int] | None = None


def hook_point(architecture: Architecture, role: Role, layer: int | None = None) -> HookPoint:
    """Returns the module of transformers whose input or output is the representation of a role, `[B, S, width]`.

    Args:
        architecture: Architecture of the encoder.
        role: Role of the representation.
        layer: Encoder layer (from 0); None for the roles outside the layers (`embeddings.norm`, `pooler`).

    Raises:
        InputError: The role is unknown, or the model has no pooler or no such layer.
        ValueError: A layer is missing, or it is given for a role outside the layers.
    """
    module, enters, part = _place(architecture, role, layer)
    size = width(architecture, role)
    return HookPoint(module, enters, None if part is None else (part * size, (part + 1) * size))


def width(architecture: Architecture, role: Role) -> int:
    """Returns the last dimension of the role's representation.

    It is d_ff for `ffn.intermediate`; d_ff for `ffn.w1`, or 2 d_ff in a gated FFN; the width of the embedding tables
    for `embeddings.norm`; and d for all other roles.

    Raises:
        InputError: The role is unknown.
    """
    if role not in ROLES:
        raise unknown_name("site", role, ROLES)
    wide = {"ffn.w1": architecture.ffn * (2 if architecture.anatomy.glu else 1), "ffn.intermediate": architecture.ffn}
    return {**wide, "embeddings.norm": architecture.embedding}.get(role, architecture.hidden)


def word_table(architecture: Architecture) -> str:
    """Returns the name of the table of word vectors, [vocabulary, embedding]."""
    return architecture.anatomy.words


def weight_parameters(architecture: Architecture, role: Role, layer: int | None = None) -> tuple[str, ...]:
    """Returns the names of the weight and the bias, if any, that compute the role's representation (norms: gain, bias).

    In ModernBERT, query, key and value are rows of one weight; `hook_point(...).columns` gives the rows. Its first norm
    of attention has no weights.

    Raises:
        InputError: As in `hook_point`.
        ValueError: As in `hook_point`, or the role is an input of a sub-layer, which no weight of one module computes.
    """
    module, enters, _ = _place(architecture, MADE_BY.get(role, role), layer)
    if enters:
        raise ValueError(f"no weights of one module compute {role!r}")
    return _of(architecture, module)


def layer_parameters(architecture: Architecture, layer: int) -> tuple[str, ...]:
    """Returns the names of all parameters of encoder layer `layer` (from 0), in module order.

    Raises:
        InputError: The encoder has no such layer.
    """
    return _under(architecture, f"{layer_module(architecture, layer)}.")


def embedding_parameters(architecture: Architecture) -> tuple[str, ...]:
    """Returns the names of all parameters before the first layer: tables, their LayerNorms, ELECTRA's projection."""
    return _under(architecture, *architecture.anatomy.before_layers)


def pooler_parameters(architecture: Architecture) -> tuple[str, ...]:
    """Returns the names of the pooler's weight and bias; empty if the model has no pooler."""
    return _under(architecture, "pooler.")


def norm_parameters(architecture: Architecture, embeddings: bool = True) -> tuple[str, ...]:
    """Returns the names of the gain and bias (gamma, beta) of every LayerNorm: 4 L d scalars in the layers of BERT.

    LayerNorms outside the layers are included: that of relative positions in DeBERTa, and the last norm in ModernBERT.
    ModernBERT has gains only.

    Args:
        architecture: Architecture of the encoder.
        embeddings: Include the LayerNorm of the embeddings, as Houlsby et al. (2019) do: d more gains and d biases.
    """
    names = weight_parameters(architecture, "embeddings.norm") if embeddings else ()
    for layer in range(architecture.layers):
        names += weight_parameters(architecture, "attention.norm", layer)
        names += weight_parameters(architecture, "ffn.norm", layer)
    for norm in architecture.anatomy.norms:
        names += _of(architecture, norm)
    return names


def _place(architecture: Architecture, role: str, layer: int | None) -> Place:
    """Returns the place of a role, with the full name of the module."""
    if role not in ROLES:
        raise unknown_name("site", role, ROLES)
    anatomy = architecture.anatomy
    if role not in anatomy.places:
        if layer is not None:
            raise ValueError(f"site {role!r} is outside the layers, but layer {layer} is given")
        if role == "pooler" and not architecture.pooler:
            raise InputError(f"this {architecture.model_type} model has no pooler", fix="choose another site")
        return anatomy.outside[role]
    if layer is None:
        raise ValueError(f"site {role!r} needs a layer")
    place = anatomy.places[role]
    return place._replace(module=f"{layer_module(architecture, layer)}.{place.module}")


def _of(architecture: Architecture, module: str) -> tuple[str, ...]:
    """Returns the names of the module's weight and bias, as far as it has them."""
    names = _names(architecture)
    return tuple(name for name in (f"{module}.weight", f"{module}.bias") if name in names)


def _under(architecture: Architecture, *prefixes: str) -> tuple[str, ...]:
    """Returns the names of all parameters that start with one of the prefixes, in module order."""
    return tuple(name for name in _names(architecture) if name.startswith(prefixes))


@lru_cache(maxsize=8)
def _names(architecture: Architecture) -> Mapping[str, None]:
    """Returns the names of all parameters, in module order, as the keys of a dictionary."""
    return dict.fromkeys(parameter_shapes(architecture))
