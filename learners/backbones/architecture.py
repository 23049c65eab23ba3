"""The architecture of an encoder as plain data, read from its config, and the shapes of its parameters."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from learners.backbones.architectures import ANATOMIES, Anatomy
from learners.backbones.architectures.values import ACTIVATIONS, integer, real
from tasks.errors import InputError

MODEL_TYPES = tuple(ANATOMIES)
POOLED_TYPES = tuple(name for name, anatomy in ANATOMIES.items() if anatomy.pooler)
# Model types whose layers and tables are those of BERT, perhaps under other names.
BERT_TYPES = (*POOLED_TYPES, "distilbert", "electra")

# Unsupported encoders that users are likely to try -> why the sites of this package do not fit their layers.
_UNSUPPORTED = {
    "albert": "all its layers share one set of weights",
    "taskstream": "it is an exported classifier; load it with transformers, then model.backbone.save_pretrained(...)",
}


@dataclass(frozen=True)
class Architecture:
    """The sizes and settings of an encoder that determine its parameters and its module names.

    Attributes:
        model_type: One of `MODEL_TYPES`, as in `config.json`.
        hidden: Width d of the residual stream.
        layers: Number L of encoder layers.
        ffn: Width d_ff of the input of the second feed-forward matrix.
        heads: Number of attention heads; it divides `hidden`.
        vocabulary: Rows of the word table.
        positions: Rows of the position table; without such a table, the length in tokens of the longest trained row.
        types: Rows of the token-type table; 0 without such a table.
        embedding: Width of the three tables. It equals `hidden`, except in ELECTRA, which may project the embeddings.
        pooler: Whether the tanh pooler of BERT and RoBERTa is part of the model.
        activation: Name of the function between the two feed-forward matrices.
        layer_norm_eps: Epsilon of every LayerNorm.
        hidden_dropout, attention_dropout: Dropout probabilities of representations and of attention weights.
        pad_id: Token id of padding.
        relative: Rows of DeBERTa's table of relative positions; 0 in other architectures.
        buckets: Number of buckets of relative positions in one direction (DeBERTa); 0: one row per distance.
        furthest: Distance from which all relative positions are equal (DeBERTa).
        windows: Of each layer, how far a token attends to each side (ModernBERT); 0: to the whole row.
        thetas: Of each layer, the base θ of its rotary positions (ModernBERT).
        embedding_dropout: Dropout probability after the embeddings in ModernBERT; others use `hidden_dropout`.
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
    buckets: int = 0
    furthest: int = 0
    windows: tuple[int, ...] = ()
    thetas: tuple[float, ...] = ()
    embedding_dropout: float = 0.0

    @property
    def anatomy(self) -> Anatomy:
        """The table of its model type: where its modules and config keys are."""
        return ANATOMIES[self.model_type]

    @property
    def maximum_length(self) -> int:
        """Length in tokens of the longest row. RoBERTa numbers positions from `pad_id + 1`: lower rows are unused."""
        return self.positions - (self.pad_id + 1 if self.anatomy.pads_first else 0)


def architecture_from_config(config: Mapping[str, Any], *, pooler: bool | None = None, where: str = "") -> Architecture:
    """Returns the architecture that a Hugging Face `config.json` describes.

    The config must state all sizes, because a default size would be that of another model. Other missing keys take the
    defaults of the configuration classes of transformers.

    Args:
        config: The parsed `config.json`.
        pooler: Whether the pooler is part of the model. None: yes, if the model type has one (BERT, RoBERTa).
        where: File or name for error messages. Default: "config".

    Raises:
        InputError: The model type is not supported, a size is missing, or a value is invalid.
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
            expected=f"all sizes of a {model_type} model: {', '.join(keys.values())}",
        )
    sizes = {field: integer(config, key, where, at_least=1) for field, key in keys.items()}
    if sizes["hidden"] % sizes["heads"]:
        raise InputError(
            f"{keys['hidden']} {sizes['hidden']} cannot be split among the attention heads",
            where=where,
            expected=f"a multiple of {keys['heads']} ({sizes['heads']})",
        )
    if pooler and not anatomy.pooler:
        raise InputError(f"a {model_type} model has no pooler", where=where, fix="set pooler=False")

    activation, usual = settings["activation"]
    function = config.get(activation, usual)
    if function not in ACTIVATIONS:
        expected = f"one of {', '.join(ACTIVATIONS)}"
        raise InputError(f"unsupported {activation}", where=where, expected=expected, found=reprlib.repr(function))
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
        expected = f"an id below vocab_size ({architecture.vocabulary}) that leaves at least one position"
        raise InputError("invalid pad_token_id", where=where, expected=expected, found=str(architecture.pad_id))
    return architecture


def layer_module(architecture: Architecture, layer: int) -> str:
    """Returns the module name of encoder layer `layer` (from 0).

    Raises:
        InputError: The encoder has no such layer.
    """
    if not 0 <= layer < architecture.layers:
        raise InputError("no such encoder layer", expected=f"0 to {architecture.layers - 1}", found=str(layer))
    return architecture.anatomy.layer.format(layer)


def parameter_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Returns name -> shape of every parameter of the Hugging Face base model (`AutoModel`: no head), in module order.

    Matrices are `[out, in]`. The embeddings of RoBERTa are in the order of BERT; in transformers the order may differ.
    """
    return architecture.anatomy.shapes(architecture)


def parameters(architecture: Architecture) -> int:
    """Returns the number of scalars of the base model: embeddings, encoder, and the pooler if there is one."""
    return sum(math.prod(shape) for shape in parameter_shapes(architecture).values())


def encoder_parameters(architecture: Architecture) -> int:
    """Returns the number of scalars of the L layers, the denominator of Houlsby et al. (2019), Table 1.

    With it, adapters of size m = 64 have 2.1 % of the parameters.
    """
    layers, _ = architecture.anatomy.layer.split("{}")
    shapes = parameter_shapes(architecture)
    return sum(math.prod(shape) for name, shape in shapes.items() if name.startswith(layers))


def _supported_type(config: Mapping[str, Any], where: str) -> str:
    expected = f"an encoder with separate weights per layer: {', '.join(MODEL_TYPES)}"
    model_type = config.get("model_type")
    if model_type is None:
        raise InputError("missing model_type", where=where, expected=expected)
    if model_type not in MODEL_TYPES:
        reason = _UNSUPPORTED.get(str(model_type))
        what = f"model_type {reprlib.repr(model_type)} is not supported" + (f" ({reason})" if reason else "")
        raise InputError(what, where=where, expected=expected)
    anatomy = ANATOMIES[model_type]
    for key, values in anatomy.accepted.items():
        value = config.get(key)
        empty = (
            value is None and key in config and key in anatomy.usual
        )  # transformers takes null for no value of these
        if empty or not any(type(value) is type(other) and value == other for other in values):
            found = reprlib.repr(config[key]) if key in config else "no such key"
            expected = " or ".join(repr(value) for value in values if value is not None) or "no such key"
            raise InputError(f"unsupported {key}", where=where, expected=expected, found=found)
    return str(model_type)
