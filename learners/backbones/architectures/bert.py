"""BERT (Devlin et al. 2019): post-LN, learned absolute positions, a tanh pooler."""

from __future__ import annotations

from learners.backbones.architectures.anatomy import (
    Anatomy,
    Place,
    Shapes,
    Sizes,
    affine,
    embedding_buffers,
    entering,
    post_norm_layers,
)


def tables(a: Sizes) -> Shapes:
    """Returns the shapes of the word, position and token-type tables and of their LayerNorm."""
    shapes: Shapes = {
        "embeddings.word_embeddings.weight": (a.vocabulary, a.embedding),
        "embeddings.position_embeddings.weight": (a.positions, a.embedding),
    }
    if a.types:
        shapes["embeddings.token_type_embeddings.weight"] = (a.types, a.embedding)
    return shapes | affine("embeddings.LayerNorm", a.embedding)


def shapes(a: Sizes) -> Shapes:
    """Returns the shapes of all parameters. RoBERTa has the same order here; in transformers its order may differ."""
    projection = affine("embeddings_project", a.hidden, a.embedding) if a.embedding != a.hidden else {}
    pooler = affine("pooler.dense", a.hidden, a.hidden) if a.pooler else {}
    return tables(a) | projection | post_norm_layers(a, BERT) | pooler


BERT = Anatomy(
    sizes={
        "hidden": "hidden_size",
        "layers": "num_hidden_layers",
        "ffn": "intermediate_size",
        "heads": "num_attention_heads",
        "vocabulary": "vocab_size",
        "positions": "max_position_embeddings",
        "types": "type_vocab_size",
    },
    settings={
        "activation": ("hidden_act", "gelu"),
        "layer_norm_eps": ("layer_norm_eps", 1e-12),
        "hidden_dropout": ("hidden_dropout_prob", 0.1),
        "attention_dropout": ("attention_probs_dropout_prob", 0.1),
        "pad_id": ("pad_token_id", 0),
    },
    usual={
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "intermediate_size": 3072,
        "num_attention_heads": 12,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    },
    layer="encoder.layer.{}",
    places={
        "attention.input": entering("attention.self"),  # what query, key and value read
        "attention.query": Place("attention.self.query"),
        "attention.key": Place("attention.self.key"),
        "attention.value": Place("attention.self.value"),
        "attention.heads": entering("attention.output.dense"),
        "attention.wo": Place("attention.output.dense"),
        "attention.output": Place("attention.output.dropout"),
        "attention.norm": Place("attention.output.LayerNorm"),
        "ffn.input": entering("intermediate.dense"),
        "ffn.w1": Place("intermediate.dense"),
        "ffn.intermediate": Place("intermediate"),
        "ffn.w2": Place("output.dense"),
        "ffn.output": Place("output.dropout"),
        "ffn.norm": Place("output.LayerNorm"),
    },
    outside={"embeddings.norm": Place("embeddings.LayerNorm"), "pooler": Place("pooler.dense")},
    words="embeddings.word_embeddings.weight",
    shapes=shapes,
    prefix="bert.",
    pooler=True,
    buffers=embedding_buffers,
)
