"""The shape of an encoder as plain data, and its parameters counted from a configuration alone."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from learners.backbones.architectures import ANATOMIES, MADE_BY, Anatomy
from learners.backbones.architectures.values import integer, real
from tasks.errors import InputError

MODEL_TYPES = tuple(ANATOMIES)
POOLED_TYPES = tuple(name for name, anatomy in ANATOMIES.items() if anatomy.pooler)
ROBERTA_TYPES = tuple(name for name, anatomy in ANATOMIES.items() if anatomy.pads_first)
# Those whose layers and tables are BERT's under other names.
BERT_TYPES = (*POOLED_TYPES, "distilbert", "electra")

# Encoders that people do try, and what in their layers the sites of this package cannot name.
_UNSUPPORTED = {"albert": "all its layers share one set of weights"}


@dataclass(frozen=True)
class Architecture:
    """Everything about an encoder that its parameter count and its module names depend on.

    Attributes:
        model_type: One of `MODEL_TYPES`, as in `config.json`.
        hidden: Width d of the residual stream.
        layers: Number L of encoder layers.
        ffn: Width d_ff of what enters the second feed-forward matrix.
        heads: Attention heads; divides `hidden`.
        vocabulary, positions, types: Rows of the word, position and token-type tables (types is 0 where there is no
            such table); `positions` is the longest row that was trained where there is none of positions.
        embedding: Width of the three tables; only ELECTRA may have one other than `hidden`, and then projects.
        pooler: Whether the tanh pooler of BERT and RoBERTa is part of the model.
        activation: Name of the function between the two feed-forward matrices.
        layer_norm_eps: Epsilon of every LayerNorm.
        hidden_dropout, attention_dropout: Probabilities, of representations and of attention weights.
        pad_id: Token id of padding.
        relative: Rows of DeBERTa's table of relative positions; 0 elsewhere.
    """

    model_type: str
    hidden: int
    layers: int
    ffn: int
    heads: int
    vocabulary: int
    positions: int
    types: int
    embedding: int
    pooler: bool
    activation: str
    layer_norm_eps: float
    hidden_dropout: float
    attention_dropout: float
    pad_id: int
    relative: int = 0

    @property
    def anatomy(self) -> Anatomy:
        """Where its parts are."""
        return ANATOMIES[self.model_type]

    @property
    def maximum_length(self) -> int:
        """The longest row in tokens. RoBERTa numbers positions from `pad_id + 1`, so it loses the rows below."""
        return self.positions - (self.pad_id + 1 if self.anatomy.pads_first else 0)


def architecture_from_config(config: Mapping[str, Any], *, pooler: bool | None = None, where: str = "") -> Architecture:
    """The architecture that a Hugging Face `config.json` describes.

    Sizes must be stated: a default size would be the size of another model. What else is missing takes the value
    that the configuration classes of transformers give it.

    Args:
        config: The parsed `config.json`.
        pooler: Whether the pooler is part of the model; None: where the model type has one (BERT, RoBERTa).
        where: File or name to blame in an error.

    Raises:
        InputError: The model type is not supported, a size is missing, or a value is impossible.
    """
    where = where or "config"
    model_type = _supported_type(config, where)
    anatomy = ANATOMIES[model_type]
    keys, settings = anatomy.sizes, anatomy.settings
    missing = [key for key in keys.values() if key not in config]
    if missing:
        raise InputError(
            f"missing {', '.join(missing)}",
            where=where,
            expected=f"the sizes of a {model_type} model: {', '.join(keys.values())}",
        )
    sizes = {field: integer(config, key, where, at_least=1) for field, key in keys.items()}
    if sizes["hidden"] % sizes["heads"]:
        raise InputError(
            f"{keys['hidden']} {sizes['hidden']} cannot be split among the attention heads",
            where=where,
            expected=f"a multiple of {keys['heads']} ({sizes['heads']})",
        )
    if pooler and not anatomy.pooler:
        raise InputError(f"a {model_type} model has no pooler", where=where, fix="ask for pooler=False")

    activation, usual = settings["activation"]
    function = config.get(activation, usual)
    if not isinstance(function, str):
        raise InputError(
            f"impossible {activation}", where=where, expected="a function's name", found=reprlib.repr(function)
        )
    pad, usual_pad = settings["pad_id"]
    epsilon, usual_epsilon = settings.get("layer_norm_eps", ("", 1e-12))
    architecture = Architecture(
        model_type=model_type,
        **{"types": 0, "embedding": sizes["hidden"], **sizes, **anatomy.further(config, where)},
        pooler=anatomy.pooler if pooler is None else pooler,
        activation=function,
        layer_norm_eps=real(config, epsilon, usual_epsilon, where) if epsilon else usual_epsilon,
        hidden_dropout=real(config, *settings["hidden_dropout"], where, zero=True),
        attention_dropout=real(config, *settings["attention_dropout"], where, zero=True),
        pad_id=integer(config, pad, where, default=usual_pad),
    )
    if architecture.pad_id >= architecture.vocabulary or architecture.maximum_length < 1:
        raise InputError("pad_token_id leaves no token or position", where=where, found=str(architecture.pad_id))
    return architecture


def layer_module(architecture: Architecture, layer: int) -> str:
    """Name of encoder layer number `layer` (from 0).

    Raises:
        InputError: The encoder has no such layer.
    """
    if not 0 <= layer < architecture.layers:
        raise InputError("no such encoder layer", expected=f"0 to {architecture.layers - 1}", found=str(layer))
    return architecture.anatomy.layer.format(layer)


def layer_weights(architecture: Architecture) -> Mapping[str, str]:
    """Role -> name, inside a layer, of the module that holds the role's weights; of several roles where it is fused."""
    places = architecture.anatomy.places
    made = {role: places[MADE_BY.get(role, role)] for role in places if role not in MADE_BY.values()}
    return {role: place.module for role, place in made.items() if not place.enters}


def parameter_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every parameter of the Hugging Face base model (`AutoModel`: no head), in module order.

    Matrices are `[out, in]`. RoBERTa's embeddings come in BERT's order, whichever transformers gives them.
    """
    return architecture.anatomy.shapes(architecture)


def parameters(architecture: Architecture) -> int:
    """Scalars of the whole base model: embeddings, encoder, and the pooler where there is one."""
    return sum(math.prod(shape) for shape in parameter_shapes(architecture).values())


def encoder_parameters(architecture: Architecture) -> int:
    """Scalars of the L layers only, the denominator of Houlsby et al. (2019), Table 1 (2.1 % for m = 64)."""
    layers, _ = architecture.anatomy.layer.split("{}")
    shapes = parameter_shapes(architecture)
    return sum(math.prod(shape) for name, shape in shapes.items() if name.startswith(layers))


def _supported_type(config: Mapping[str, Any], where: str) -> str:
    expected = f"an encoder whose layers each have weights of their own: {', '.join(MODEL_TYPES)}"
    model_type = config.get("model_type")
    if model_type is None:
        raise InputError("missing model_type", where=where, expected=expected)
    if model_type not in MODEL_TYPES:
        reason = _UNSUPPORTED.get(str(model_type))
        what = f"model_type {reprlib.repr(model_type)} is not supported" + (f" ({reason})" if reason else "")
        raise InputError(what, where=where, expected=expected)
    for key, values in ANATOMIES[model_type].accepted.items():
        if config.get(key) not in values:
            found = reprlib.repr(config[key]) if key in config else "nothing"
            expected = " or ".join(repr(value) for value in values if value is not None) or "nothing"
            raise InputError(f"unsupported {key}", where=where, expected=expected, found=found)
    return str(model_type)
