"""The shape of a post-LN encoder as plain data, and its parameters counted from a configuration alone."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.errors import InputError

ROBERTA_TYPES = ("roberta", "xlm-roberta", "camembert")
MODEL_TYPES = ("bert", *ROBERTA_TYPES, "distilbert", "electra")
POOLED_TYPES = ("bert", *ROBERTA_TYPES)
MAX_SIZE = 2**31 - 1  # of what a config states
MAX_LAYERS = 1000  # published encoders have up to 48; the names of a billion would fill the memory

# Encoders that people do try, and what in their layers the sites of this package cannot name.
_UNSUPPORTED = {
    "albert": "all its layers share one set of weights",
    "deberta-v2": "its attention reads relative positions through weights of its own",
    "modernbert": "its layers are pre-LN",
}

_BERT_SIZES = {
    "hidden": "hidden_size",
    "layers": "num_hidden_layers",
    "ffn": "intermediate_size",
    "heads": "num_attention_heads",
    "vocabulary": "vocab_size",
    "positions": "max_position_embeddings",
    "types": "type_vocab_size",
}
_DISTILBERT_SIZES = {
    "hidden": "dim",
    "layers": "n_layers",
    "ffn": "hidden_dim",
    "heads": "n_heads",
    "vocabulary": "vocab_size",
    "positions": "max_position_embeddings",
}
# Names of the activation function, the dropout of representations and that of attention weights.
_BERT_SETTINGS = ("hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob")
_DISTILBERT_SETTINGS = ("activation", "dropout", "attention_dropout")

# All that is read of a config.
CONFIG_KEYS = frozenset(
    {*_BERT_SIZES.values(), *_DISTILBERT_SIZES.values(), *_BERT_SETTINGS, *_DISTILBERT_SETTINGS}
    | {"embedding_size", "layer_norm_eps", "pad_token_id"}
)

# Role -> module that holds its weights, inside one layer, in module order.
_BERT_LAYER: Mapping[str, str] = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "attention.norm": "attention.output.LayerNorm",
    "ffn.intermediate": "intermediate.dense",
    "ffn.output": "output.dense",
    "ffn.norm": "output.LayerNorm",
}
_DISTILBERT_LAYER: Mapping[str, str] = {
    "attention.query": "attention.q_lin",
    "attention.key": "attention.k_lin",
    "attention.value": "attention.v_lin",
    "attention.output": "attention.out_lin",
    "attention.norm": "sa_layer_norm",
    "ffn.intermediate": "ffn.lin1",
    "ffn.output": "ffn.lin2",
    "ffn.norm": "output_layer_norm",
}


@dataclass(frozen=True)
class Architecture:
    """Everything about an encoder that its parameter count and its module names depend on.

    Attributes:
        model_type: One of `MODEL_TYPES`, as in `config.json`.
        hidden: Width d of the residual stream.
        layers: Number L of encoder layers.
        ffn: Width d_ff between the two feed-forward matrices.
        heads: Attention heads; divides `hidden`.
        vocabulary, positions, types: Rows of the word, position and token-type tables (types is 0 for DistilBERT).
        embedding: Width of the three tables; only ELECTRA may have one other than `hidden`, and then projects.
        pooler: Whether the tanh pooler of BERT and RoBERTa is part of the model.
        activation: Name of the function between the two feed-forward matrices.
        layer_norm_eps: Epsilon of every LayerNorm.
        hidden_dropout, attention_dropout: Probabilities, of representations and of attention weights.
        pad_id: Token id of padding.
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

    @property
    def maximum_length(self) -> int:
        """The longest row in tokens. RoBERTa numbers positions from `pad_id + 1`, so it loses the rows below."""
        return self.positions - (self.pad_id + 1 if self.model_type in ROBERTA_TYPES else 0)


def architecture_from_config(config: Mapping[str, Any], *, pooler: bool | None = None, where: str = "") -> Architecture:
    """The architecture that a Hugging Face `config.json` describes.

    Sizes must be stated: a default size would be the size of another model. What else is missing takes the value
    that the configuration classes of transformers give it (gelu, dropout 0.1, epsilon 1e-12, padding 0 or 1).

    Args:
        config: The parsed `config.json`.
        pooler: Whether the pooler is part of the model; None: where the model type has one (BERT, RoBERTa).
        where: File or name to blame in an error.

    Raises:
        InputError: The model type is not supported, a size is missing, or a value is impossible.
    """
    where = where or "config"
    model_type = _supported_type(config, where)
    distilbert = model_type == "distilbert"
    keys = dict(_DISTILBERT_SIZES if distilbert else _BERT_SIZES)
    if model_type == "electra":
        keys["embedding"] = "embedding_size"
    missing = [key for key in keys.values() if key not in config]
    if missing:
        raise InputError(
            f"missing {', '.join(missing)}",
            where=where,
            expected=f"the sizes of a {model_type} model: {', '.join(keys.values())}",
        )
    sizes = {field: _integer(config, key, where, at_least=1) for field, key in keys.items()}
    if sizes["hidden"] % sizes["heads"]:
        raise InputError(
            f"{keys['hidden']} {sizes['hidden']} cannot be split among the attention heads",
            where=where,
            expected=f"a multiple of {keys['heads']} ({sizes['heads']})",
        )
    if pooler and model_type not in POOLED_TYPES:
        raise InputError(f"a {model_type} model has no pooler", where=where, fix="ask for pooler=False")

    activation, dropout, attention_dropout = _DISTILBERT_SETTINGS if distilbert else _BERT_SETTINGS
    function = config.get(activation, "gelu")
    if not isinstance(function, str):
        raise InputError(
            f"impossible {activation}", where=where, expected="a function's name", found=reprlib.repr(function)
        )
    architecture = Architecture(
        model_type=model_type,
        **{"types": 0, "embedding": sizes["hidden"], **sizes},
        pooler=model_type in POOLED_TYPES if pooler is None else pooler,
        activation=function,
        # DistilBERT has no such key: its modules fix the epsilon at 1e-12.
        layer_norm_eps=1e-12 if distilbert else _real(config, "layer_norm_eps", 1e-12, where),
        hidden_dropout=_real(config, dropout, 0.1, where, zero=True),
        attention_dropout=_real(config, attention_dropout, 0.1, where, zero=True),
        pad_id=_integer(config, "pad_token_id", where, default=1 if model_type in ROBERTA_TYPES else 0),
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
    return f"{'transformer' if architecture.model_type == 'distilbert' else 'encoder'}.layer.{layer}"


def layer_weights(architecture: Architecture) -> Mapping[str, str]:
    """Role -> name, inside a layer, of the module that holds the role's weights; in module order."""
    return _DISTILBERT_LAYER if architecture.model_type == "distilbert" else _BERT_LAYER


def parameter_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Name -> shape of every parameter of the Hugging Face base model (`AutoModel`: no head), in module order.

    Matrices are `[out, in]`. RoBERTa's embeddings come in BERT's order, whichever transformers gives them.
    """
    d, ffn, embedding = architecture.hidden, architecture.ffn, architecture.embedding
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (architecture.vocabulary, embedding),
        "embeddings.position_embeddings.weight": (architecture.positions, embedding),
    }
    if architecture.types:
        shapes["embeddings.token_type_embeddings.weight"] = (architecture.types, embedding)

    def add(module: str, *weight: int) -> None:
        shapes[f"{module}.weight"] = weight
        shapes[f"{module}.bias"] = weight[:1]

    add("embeddings.LayerNorm", embedding)
    if embedding != d:
        add("embeddings_project", d, embedding)
    others = {"attention.norm": (d,), "ffn.norm": (d,), "ffn.intermediate": (ffn, d), "ffn.output": (d, ffn)}
    for layer in range(architecture.layers):
        for role, module in layer_weights(architecture).items():
            add(f"{layer_module(architecture, layer)}.{module}", *others.get(role, (d, d)))
    if architecture.pooler:
        add("pooler.dense", d, d)
    return shapes


def parameters(architecture: Architecture) -> int:
    """Scalars of the whole base model: embeddings, encoder, and the pooler where there is one."""
    return sum(math.prod(shape) for shape in parameter_shapes(architecture).values())


def encoder_parameters(architecture: Architecture) -> int:
    """Scalars of the L layers only, the denominator of Houlsby et al. (2019), Table 1 (2.1 % for m = 64)."""
    layer = layer_module(architecture, 0) + "."
    shapes = parameter_shapes(architecture)
    return architecture.layers * sum(math.prod(shape) for name, shape in shapes.items() if name.startswith(layer))


def _supported_type(config: Mapping[str, Any], where: str) -> str:
    expected = f"an encoder whose layers are post-LN and each have weights of their own: {', '.join(MODEL_TYPES)}"
    model_type = config.get("model_type")
    if model_type is None:
        raise InputError("missing model_type", where=where, expected=expected)
    if model_type not in MODEL_TYPES:
        reason = _UNSUPPORTED.get(str(model_type))
        what = f"model_type {reprlib.repr(model_type)} is not supported" + (f" ({reason})" if reason else "")
        raise InputError(what, where=where, expected=expected)
    # Keys that change the layers themselves: silently ignoring one would count and train another model.
    for key, plain in (("is_decoder", False), ("add_cross_attention", False), ("position_embedding_type", "absolute")):
        if config.get(key, plain) != plain:
            raise InputError(f"unsupported {key}", where=where, expected=repr(plain), found=reprlib.repr(config[key]))
    return str(model_type)


def _integer(config: Mapping[str, Any], key: str, where: str, *, default: int = 0, at_least: int = 0) -> int:
    value = config.get(key, default)
    most = MAX_LAYERS if key in ("num_hidden_layers", "n_layers") else MAX_SIZE
    if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= most:
        expected = f"an integer from {at_least} to {most:,}"
        raise InputError(f"impossible {key}", where=where, expected=expected, found=reprlib.repr(value))
    return value


def _real(config: Mapping[str, Any], key: str, default: float, where: str, *, zero: bool = False) -> float:
    value = config.get(key, default)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not (0 < value < 1 or (zero and value == 0)):
        expected = f"a number {'from' if zero else 'above'} 0 and below 1"
        raise InputError(f"impossible {key}", where=where, expected=expected, found=reprlib.repr(value))
    return float(value)
