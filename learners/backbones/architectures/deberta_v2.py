"""DeBERTa-v2 and -v3 (He et al. 2021a, 2021b): post-LN; attention adds scores of relative positions.

All layers read one normed table of relative positions through their own query and key projections. So these
projections run twice per forward pass: first on the words, then on the positions. A modification that acts like a
change of their weights (LoRA, IA3) changes both outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from learners.backbones.architectures.anatomy import (
    PLAIN,
    Place,
    Shapes,
    Sizes,
    affine,
    position_buffer,
    post_norm_layers,
)
from learners.backbones.architectures.bert import BERT
from learners.backbones.architectures.values import integer
from tasks.errors import InputError

MAX_POSITIONS = 2**20  # transformers allocates a buffer of this length, and no tensor in the files confirms the number


def shapes(a: Sizes) -> Shapes:
    table: Shapes = {"embeddings.word_embeddings.weight": (a.vocabulary, a.embedding)}
    relative: Shapes = {"encoder.rel_embeddings.weight": (a.relative, a.hidden)}
    embeddings = table | affine("embeddings.LayerNorm", a.embedding)
    return embeddings | post_norm_layers(a, DEBERTA_V2) | relative | affine("encoder.LayerNorm", a.hidden)


def further(config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Returns the fields about relative positions. Their table has a row per bucket or distance, in each direction.

    Raises:
        InputError: A number is out of range.
    """
    positions = integer(config, "max_position_embeddings", where, at_least=1)
    furthest = integer(config, "max_relative_positions", where, default=-1, at_least=-1)
    buckets = integer(config, "position_buckets", where, default=-1, at_least=-1)
    if positions > MAX_POSITIONS:
        expected = f"at most {MAX_POSITIONS:,}"
        raise InputError("invalid max_position_embeddings", where=where, expected=expected, found=str(positions))
    furthest = furthest if furthest > 0 else positions
    if buckets == 1 or (buckets > 0 and buckets // 2 >= furthest - 1):  # half of the buckets have logarithmic spacing
        expected = f"at least 2 and below twice the furthest position ({furthest})"
        raise InputError("invalid position_buckets", where=where, expected=expected, found=str(buckets))
    span = buckets if buckets > 0 else furthest
    return {"relative": 2 * span, "buckets": max(buckets, 0), "furthest": furthest}


DEBERTA_V2 = replace(
    BERT,
    sizes={field: key for field, key in BERT.sizes.items() if field != "types"},
    settings={**BERT.settings, "layer_norm_eps": ("layer_norm_eps", 1e-7)},
    usual={
        "hidden_size": 1536,
        "num_hidden_layers": 24,
        "intermediate_size": 6144,
        "num_attention_heads": 24,
        "vocab_size": 128100,
        "max_position_embeddings": 512,
        "type_vocab_size": 0,
        "relative_attention": False,
        "position_biased_input": True,
    },
    places={
        **BERT.places,
        "attention.query": Place("attention.self.query_proj"),
        "attention.key": Place("attention.self.key_proj"),
        "attention.value": Place("attention.self.value_proj"),
    },
    outside={"embeddings.norm": Place("embeddings.LayerNorm")},
    shapes=shapes,
    prefix="deberta.",
    before_layers=("embeddings.", "encoder.rel_embeddings.", "encoder.LayerNorm."),
    norms=("encoder.LayerNorm",),
    pooler=False,
    scores="adds scores of relative positions to q·k",
    accepted={
        **PLAIN,
        "relative_attention": (True,),
        "position_biased_input": (False,),
        "norm_rel_ebd": ("layer_norm",),
        "share_att_key": (True,),
        "pos_att_type": ("p2c|c2p", "c2p|p2c", ["p2c", "c2p"], ["c2p", "p2c"]),
        "type_vocab_size": (None, 0),
        "conv_kernel_size": (None, 0),
        "embedding_size": (None,),
    },
    passed=("max_relative_positions", "position_buckets"),
    buffers=position_buffer,
    further=further,
)
