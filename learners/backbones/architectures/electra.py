"""ELECTRA (Clark et al. 2020): the modules of BERT without pooler. Small models have narrow tables and a projection."""

from __future__ import annotations

from dataclasses import replace

from learners.backbones.architectures.bert import BERT

ELECTRA = replace(
    BERT,
    sizes={**BERT.sizes, "embedding": "embedding_size"},
    usual={
        **BERT.usual,
        "hidden_size": 256,
        "intermediate_size": 1024,
        "num_attention_heads": 4,
        "embedding_size": 128,
    },
    outside={"embeddings.norm": BERT.outside["embeddings.norm"]},
    prefix="electra.",
    before_layers=("embeddings.", "embeddings_project."),
    pooler=False,
)
