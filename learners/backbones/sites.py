"""Where a modification may act: roles of the literature, mapped to module and parameter names of each architecture.

A site is what leaves or enters a module, so that a hook can read and change it without surgery.
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
# What a form may read beside what passes: LN(h + y), the FFN's norm taken of what it modifies, before that is modified.
Source = Role | Literal["ffn.normed"]

# What a matrix puts out -> what it reads.
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
    """Where a representation can be read and changed: what enters or leaves a module.

    Attributes:
        columns: First and last + 1 in the last dimension, where the module puts out others beside it; None: all. They
            are the rows of the module's weight that make it.
    """

    module: str
    enters: bool
    columns: tuple[int, int] | None = None


def hook_point(architecture: Architecture, role: Role, layer: int | None = None) -> HookPoint:
    """The module that the representation `[B, S, width]` of that role enters or leaves.

    * `attention.input`, `ffn.input`: what the sub-layer reads, as its first projections do.
    * `attention.query`, `.key`, `.value`: the projections, heads not yet split, positions not yet added or turned to.
    * `attention.heads`: outputs of all heads side by side, before W_o: He et al.'s (2022) "head attention output".
    * `attention.wo`, `ffn.w1`, `ffn.w2`: outputs of those matrices, before activation function and dropout.
    * `attention.output`, `ffn.output`: back at width d, after their dropout, before the residual sum (and in post-LN
      its LayerNorm): where Houlsby et al. (2019, section 2.1, Figure 2) insert adapters and AdapterBias adds its shift.
    * `ffn.intermediate`: after the activation function, and the gate where there is one: what the second feed-forward
      matrix reads.
    * `attention.norm`, `ffn.norm`: what the norm of that sub-layer puts out. In post-LN it follows the residual sum; in
      pre-LN the sub-layer reads it, and in layer 0 of ModernBERT what passes there has been normed before.
    * `embeddings.norm`: after gain and bias.
    * `pooler`: `[B, d]`, before the tanh. BERT and RoBERTa only.

    Args:
        layer: Encoder layer from 0; None for the roles outside the layers (`embeddings.norm`, `pooler`).

    Raises:
        InputError: Unknown role, a pooler that the model does not have, or a layer that it does not have.
        ValueError: A layer is missing, or given for a role outside the layers.
    """
    module, enters, part = _place(architecture, role, layer)
    size = width(architecture, role)
    return HookPoint(module, enters, None if part is None else (part * size, (part + 1) * size))


def width(architecture: Architecture, role: Role) -> int:
    """Last dimension of the role's representation.

    d_ff for `ffn.intermediate` and for `ffn.w1`, there twice that in a gated FFN; the width of the embedding tables for
    `embeddings.norm`; d for all others.
    """
    if role not in ROLES:
        raise unknown_name("site", role, ROLES)
    wide = {"ffn.w1": architecture.ffn * (2 if architecture.anatomy.glu else 1), "ffn.intermediate": architecture.ffn}
    return {**wide, "embeddings.norm": architecture.embedding}.get(role, architecture.hidden)


def word_table(architecture: Architecture) -> str:
    """Name of the table of word vectors, [vocabulary, embedding]."""
    return architecture.anatomy.words


def weight_parameters(architecture: Architecture, role: Role, layer: int | None = None) -> tuple[str, ...]:
    """Names of the weight and, where there is one, the bias that make the role's representation (of a norm: gain and
    bias). Query, key and value of ModernBERT are rows of one weight, `hook_point(...).columns`; its first norm of
    attention has none.

    Raises:
        InputError, ValueError: As `hook_point`; ValueError too for what enters a sub-layer, which no weight makes.
    """
    module, enters, _ = _place(architecture, MADE_BY.get(role, role), layer)
    if enters:
        raise ValueError(f"no weights of one module make {role!r}")
    return _of(architecture, module)


def layer_parameters(architecture: Architecture, layer: int) -> tuple[str, ...]:
    """Names of all parameters of one encoder layer, in module order.

    Raises:
        InputError: The encoder has no such layer.
    """
    return _under(architecture, f"{layer_module(architecture, layer)}.")


def embedding_parameters(architecture: Architecture) -> tuple[str, ...]:
    """Names of all parameters below the first layer: tables, their LayerNorms, and ELECTRA's projection."""
    return _under(architecture, *architecture.anatomy.below)


def pooler_parameters(architecture: Architecture) -> tuple[str, ...]:
    """Names of the pooler's weight and bias; empty where the model has no pooler."""
    return _under(architecture, "pooler.")


def norm_parameters(architecture: Architecture, embeddings: bool = True) -> tuple[str, ...]:
    """Names of the gain and bias (gamma, beta) of every LayerNorm: 4 L d scalars in BERT. Those outside the layers are
    among them, of relative positions in DeBERTa, after the last layer in ModernBERT, which has gains alone.

    Args:
        embeddings: Also the LayerNorm of the embeddings, as in Houlsby et al. (2019): d more gains and d more biases.
    """
    names = weight_parameters(architecture, "embeddings.norm") if embeddings else ()
    for layer in range(architecture.layers):
        names += weight_parameters(architecture, "attention.norm", layer)
        names += weight_parameters(architecture, "ffn.norm", layer)
    for norm in architecture.anatomy.norms:
        names += _of(architecture, norm)
    return names


def _place(architecture: Architecture, role: str, layer: int | None) -> Place:
    """The role's place, the module named in full."""
    if role not in ROLES:
        raise unknown_name("site", role, ROLES)
    anatomy = architecture.anatomy
    if role not in anatomy.places:
        if layer is not None:
            raise ValueError(f"site {role!r} lies outside the layers, yet layer {layer} was asked for")
        if role == "pooler" and not architecture.pooler:
            raise InputError(f"this {architecture.model_type} model has no pooler", fix="choose another site")
        return anatomy.outside[role]
    if layer is None:
        raise ValueError(f"site {role!r} needs a layer")
    place = anatomy.places[role]
    return place._replace(module=f"{layer_module(architecture, layer)}.{place.module}")


def _of(architecture: Architecture, module: str) -> tuple[str, ...]:
    """Names of those that a module has of weight and bias."""
    names = _names(architecture)
    return tuple(name for name in (f"{module}.weight", f"{module}.bias") if name in names)


def _under(architecture: Architecture, *prefixes: str) -> tuple[str, ...]:
    return tuple(name for name in _names(architecture) if name.startswith(prefixes))


@lru_cache(maxsize=8)
def _names(architecture: Architecture) -> Mapping[str, None]:
    """Names of all parameters, in module order."""
    return dict.fromkeys(parameter_shapes(architecture))
