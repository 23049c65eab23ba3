"""DistilBERT (Sanh et al. 2019): BERT without token types, pooler and dropout after attention."""

from __future__ import annotations

from learners.backbones.architectures.anatomy import (
    Anatomy,
    Place,
    Shapes,
    Sizes,
    entering,
    position_buffer,
    post_norm_layers,
)
from learners.backbones.architectures.bert import tables


def shapes(a: Sizes) -> Shapes:
    return tables(a) | post_norm_layers(a, DISTILBERT)


DISTILBERT = Anatomy(
    sizes={
        "hidden": "dim",
        "layers": "n_layers",
        "ffn": "hidden_dim",
        "heads": "n_heads",
        "vocabulary": "vocab_size",
        "positions": "max_position_embeddings",
    },
    # The config has no key for the epsilon of LayerNorm: transformers fixes it at 1e-12.
    settings={
        "activation": ("activation", "gelu"),
        "hidden_dropout": ("dropout", 0.1),
        "attention_dropout": ("attention_dropout", 0.1),
        "pad_id": ("pad_token_id", 0),
    },
    usual={
        "dim": 768,
        "n_layers": 6,
        "hidden_dim": 3072,
        "n_heads": 12,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
    },
    layer="transformer.layer.{}",
    places={
        "attention.input": entering("attention"),
        "attention.query": Place("attention.q_lin"),
        "attention.key": Place("attention.k_lin"),
        "attention.value": Place("attention.v_lin"),
        "attention.heads": entering("attention.out_lin"),
        "attention.wo": Place("attention.out_lin"),
        "attention.output": Place("attention.out_lin"),
        "attention.norm": Place("sa_layer_norm"),
        "ffn.input": entering("ffn.lin1"),
        "ffn.w1": Place("ffn.lin1"),
        "ffn.intermediate": Place("ffn.activation"),
        "ffn.w2": Place("ffn.lin2"),
        "ffn.output": Place("ffn.dropout"),
        "ffn.norm": Place("output_layer_norm"),
    },
    outside={"embeddings.norm": Place("embeddings.LayerNorm")},
    words="embeddings.word_embeddings.weight",
    shapes=shapes,
    prefix="distilbert.",
    buffers=position_buffer,
)
