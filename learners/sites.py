"""Where a modification may act: roles of the literature, mapped to module and parameter names of each architecture.

A site is the *output* of a module, so that a forward hook can read and change it without surgery. The concatenated
attention heads (prefix tuning, multi-head parallel adapters) are therefore no site: DistilBERT makes them and
projects them inside one module.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

from learners.architecture import Architecture, layer_module, layer_weights, parameter_shapes
from tasks.errors import InputError, unknown_name

__all__ = [
    "ROLES",
    "Role",
    "embedding_parameters",
    "layer_module",
    "layer_parameters",
    "module_name",
    "norm_parameters",
    "pooler_parameters",
    "weight_parameters",
    "width",
]

Role = Literal[
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.output",
    "attention.norm",
    "ffn.intermediate",
    "ffn.output",
    "ffn.norm",
    "embeddings.norm",
    "pooler",
]
ROLES: tuple[Role, ...] = get_args(Role)

_OUTSIDE_LAYERS: Mapping[str, str] = MappingProxyType(
    {"embeddings.norm": "embeddings.LayerNorm", "pooler": "pooler.dense"}
)

# Roles whose representation leaves another module than the one that holds the weights: after the dropout, before the
# residual sum (outputs), and after the activation function (intermediate). DistilBERT has no dropout after attention.
_BERT_OUTPUTS = MappingProxyType(
    {
        "attention.output": "attention.output.dropout",
        "ffn.intermediate": "intermediate",
        "ffn.output": "output.dropout",
    }
)
_DISTILBERT_OUTPUTS = MappingProxyType({"ffn.intermediate": "ffn.activation", "ffn.output": "ffn.dropout"})


def module_name(architecture: Architecture, role: Role, layer: int | None = None) -> str:
    """Name of the module whose output `[B, S, width]` is the representation of that role.

    * `attention.query`, `.key`, `.value`: the projections, heads not yet split.
    * `attention.output`, `ffn.output`: back at width d, after their dropout, before the residual sum and its
      LayerNorm: where Houlsby et al. (2019, section 2.1, Figure 2) insert adapters and AdapterBias adds its shift.
    * `ffn.intermediate`: after the activation function, between the two feed-forward matrices.
    * `attention.norm`, `ffn.norm`, `embeddings.norm`: after gain and bias.
    * `pooler`: `[B, d]`, before the tanh. BERT and RoBERTa only.

    Args:
        layer: Encoder layer from 0; None for the roles outside the layers (`embeddings.norm`, `pooler`).

    Raises:
        InputError: Unknown role, a pooler that the model does not have, or a layer that it does not have.
        ValueError: A layer is missing, or given for a role outside the layers.
    """
    inside = _module(architecture, role, layer)
    outputs = _DISTILBERT_OUTPUTS if architecture.model_type == "distilbert" else _BERT_OUTPUTS
    if layer is None or role not in outputs:
        return inside
    return f"{layer_module(architecture, layer)}.{outputs[role]}"


def width(architecture: Architecture, role: Role) -> int:
    """Last dimension of the role's representation.

    d_ff for `ffn.intermediate`, the width of the embedding tables for `embeddings.norm`, d for all others.
    """
    if role not in ROLES:
        raise unknown_name("site", role, ROLES)
    return {"ffn.intermediate": architecture.ffn, "embeddings.norm": architecture.embedding}.get(
        role, architecture.hidden
    )


def weight_parameters(architecture: Architecture, role: Role, layer: int | None = None) -> tuple[str, str]:
    """Names of the weight and the bias that make the role's representation (gain and bias for a norm).

    Raises:
        InputError, ValueError: As `module_name`.
    """
    module = _module(architecture, role, layer)
    return f"{module}.weight", f"{module}.bias"


def layer_parameters(architecture: Architecture, layer: int) -> tuple[str, ...]:
    """Names of all parameters of one encoder layer, in module order.

    Raises:
        InputError: The encoder has no such layer.
    """
    return _under(architecture, f"{layer_module(architecture, layer)}.")


def embedding_parameters(architecture: Architecture) -> tuple[str, ...]:
    """Names of all parameters below the first layer: tables, their LayerNorm, and ELECTRA's projection."""
    return _under(architecture, "embeddings.", "embeddings_project.")


def pooler_parameters(architecture: Architecture) -> tuple[str, ...]:
    """Names of the pooler's weight and bias; empty where the model has no pooler."""
    return _under(architecture, "pooler.")


def norm_parameters(architecture: Architecture, embeddings: bool = True) -> tuple[str, ...]:
    """Names of the gain and bias (gamma, beta) of every LayerNorm, in module order: 4 L d scalars.

    Args:
        embeddings: Also the LayerNorm of the embeddings, as in Houlsby et al. (2019): d more gains and d more biases.
    """
    names: tuple[str, ...] = weight_parameters(architecture, "embeddings.norm") if embeddings else ()
    for layer in range(architecture.layers):
        names += weight_parameters(architecture, "attention.norm", layer)
        names += weight_parameters(architecture, "ffn.norm", layer)
    return names


def _module(architecture: Architecture, role: Role, layer: int | None) -> str:
    """Name of the module that holds the role's weights."""
    if role not in ROLES:
        raise unknown_name("site", role, ROLES)
    if role in _OUTSIDE_LAYERS:
        if layer is not None:
            raise ValueError(f"site {role!r} lies outside the layers, yet layer {layer} was asked for")
        if role == "pooler" and not architecture.pooler:
            raise InputError(f"this {architecture.model_type} model has no pooler", fix="choose another site")
        return _OUTSIDE_LAYERS[role]
    if layer is None:
        raise ValueError(f"site {role!r} needs a layer")
    return f"{layer_module(architecture, layer)}.{layer_weights(architecture)[role]}"


def _under(architecture: Architecture, *prefixes: str) -> tuple[str, ...]:
    return tuple(name for name in parameter_shapes(architecture) if name.startswith(prefixes))
