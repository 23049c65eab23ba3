"""ModernBERT (Warner et al. 2024): pre-LN, no biases, a gated FFN, rotary positions, local attention in most layers.

The norm of a sub-layer computes its input. Layer 0 reads the embeddings, which are normed already, so it has no norm of
attention. One more norm follows the last layer. Query, key and value are parts of the output of one module.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from typing import Any

from learners.backbones.architectures.anatomy import PLAIN, Anatomy, Place, Shapes, Sizes, entering
from learners.backbones.architectures.values import MAX_SIZE, integer, real
from tasks.errors import InputError

KINDS = ("full_attention", "sliding_attention")


def shapes(a: Sizes) -> Shapes:
    d, found = a.hidden, Shapes()
    found["embeddings.tok_embeddings.weight"] = (a.vocabulary, d)
    found["embeddings.norm.weight"] = (d,)
    for layer in range(a.layers):
        norm: Shapes = {"attn_norm": (d,)} if layer else {}
        modules = norm | {"attn.Wqkv": (3 * d, d), "attn.Wo": (d, d)}
        modules |= {"mlp_norm": (d,), "mlp.Wi": (2 * a.ffn, d), "mlp.Wo": (d, a.ffn)}
        found |= {f"layers.{layer}.{module}.weight": shape for module, shape in modules.items()}
    return found | {"final_norm.weight": (d,)}


def further(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Returns the fields about local attention, rotary positions and dropout of the embeddings.

    Raises:
        InputError: A value is out of range or not supported.
    """
    hidden, heads = (integer(config, key, where, at_least=1) for key in ("hidden_size", "num_attention_heads"))
    if hidden // heads % 2:
        expected, found = "an even width per head, because rotary positions rotate halves", str(hidden // heads)
        raise InputError("invalid num_attention_heads", where=where, expected=expected, found=found)
    local = integer(config, "local_attention", where, default=128, at_least=2)
    every = integer(config, "global_attn_every_n_layers", where, default=3, at_least=1)
    dropout = real(config, "embedding_dropout", 0.0, where, zero=True)
    kinds, layers = config.get("layer_types"), config.get("num_hidden_layers")
    if kinds is not None and not (isinstance(kinds, list) and len(kinds) == layers and all(k in KINDS for k in kinds)):
        expected = f"{' or '.join(KINDS)} for each of {layers} layers"
        raise InputError("invalid layer_types", where=where, expected=expected, found=reprlib.repr(kinds))
    angles = {} if config.get("rope_parameters") is None else config["rope_parameters"]
    thetas = [config.get(key, 1) for key in ("global_rope_theta", "local_rope_theta")]
    plain = isinstance(angles, dict) and all(kind in KINDS and _plain(angle) for kind, angle in angles.items())
    if not plain or config.get("rope_scaling") is not None or not all(map(_theta, thetas)):
        expected = "only rope_theta, a number above 0, for full and for sliding attention"
        raise InputError("unsupported rotary positions", where=where, expected=expected, found=reprlib.repr(angles))
    if kinds is None:
        kinds = [KINDS[bool(layer % every)] for layer in range(integer(config, "num_hidden_layers", where, at_least=1))]
    usual = dict(zip(KINDS, (("global_rope_theta", 160_000.0), ("local_rope_theta", 10_000.0)), strict=True))
    return {
        "windows": tuple(local // 2 if kind == KINDS[1] else 0 for kind in kinds),
        "thetas": tuple(float((angles.get(kind) or {}).get("rope_theta", config.get(*usual[kind]))) for kind in kinds),
        "embedding_dropout": dropout,
    }


def frequencies(a: Any, theta: float) -> Any:
    """Returns the angle per position of each pair of dimensions of a head, 1 / θ^(2i/d_h), float32 [d_h / 2]."""
    import torch

    width = a.hidden // a.heads
    return 1.0 / (theta ** (torch.arange(0, width, 2, dtype=torch.float) / width))


def rotary_buffers(a: Any) -> dict[str, Any]:
    """Returns the angles of each kind of attention that the layers use. transformers holds each twice."""
    kinds = {KINDS[bool(window)]: theta for window, theta in zip(a.windows, a.thetas, strict=True)}
    names = [(f"rotary_emb.{kind}{copy}_inv_freq", kinds[kind]) for kind in sorted(kinds) for copy in ("", "_original")]
    return {name: frequencies(a, theta) for name, theta in names}


def _plain(angle: Any) -> bool:
    """Whether the rotation angles have the default form and only state a theta."""
    known = isinstance(angle, dict) and angle.keys() <= {"rope_type", "rope_theta"}
    return known and angle.get("rope_type", "default") == "default" and _theta(angle.get("rope_theta", 1))


def _theta(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MAX_SIZE


MODERNBERT = Anatomy(
    sizes={
        "hidden": "hidden_size",
        "layers": "num_hidden_layers",
        "ffn": "intermediate_size",
        "heads": "num_attention_heads",
        "vocabulary": "vocab_size",
        "positions": "max_position_embeddings",
    },
    settings={
        "activation": ("hidden_activation", "gelu"),
        "layer_norm_eps": ("norm_eps", 1e-5),
        "hidden_dropout": ("mlp_dropout", 0.0),
        "attention_dropout": ("attention_dropout", 0.0),
        "pad_id": ("pad_token_id", 50283),
    },
    usual={
        "hidden_size": 768,
        "num_hidden_layers": 22,
        "intermediate_size": 1152,
        "num_attention_heads": 12,
        "vocab_size": 50368,
        "max_position_embeddings": 8192,
        "attention_bias": False,
        "mlp_bias": False,
        "norm_bias": False,
    },
    layer="layers.{}",
    places={
        "attention.input": entering("attn.Wqkv"),
        "attention.query": Place("attn.Wqkv", part=0),
        "attention.key": Place("attn.Wqkv", part=1),
        "attention.value": Place("attn.Wqkv", part=2),
        "attention.heads": entering("attn.Wo"),
        "attention.wo": Place("attn.Wo"),
        "attention.output": Place("attn.out_drop"),
        "attention.norm": Place("attn_norm"),
        "ffn.input": entering("mlp.Wi"),
        "ffn.w1": Place("mlp.Wi"),
        "ffn.intermediate": entering("mlp.Wo"),
        "ffn.w2": Place("mlp.Wo"),
        "ffn.output": Place("mlp.Wo"),
        "ffn.norm": Place("mlp_norm"),
    },
    outside={"embeddings.norm": Place("embeddings.norm")},
    words="embeddings.tok_embeddings.weight",
    shapes=shapes,
    prefix="model.",
    norms=("final_norm",),
    pre_norm=True,
    biased=False,
    glu=True,
    scores="rotates q and k by position, and reads only a window of the row in most layers",
    accepted={**PLAIN, **dict.fromkeys(("attention_bias", "mlp_bias", "norm_bias"), (None, False))},
    passed=(
        "embedding_dropout",
        "global_attn_every_n_layers",
        "global_rope_theta",
        "layer_types",
        "local_attention",
        "local_rope_theta",
        "rope_parameters",
    ),
    buffers=rotary_buffers,
    further=further,
)
