"""ELECTRA (Clark et al. 2020): the modules of BERT without pooler. Small models have narrow tables and a projection."""

from __future__ import annotations

from dataclasses import replace

from learners.backbones.architectures.bert import BERT

ELECTRA = replace(
    BERT,
    sizes={**BERT.sizes, "embedding": "embedding_size"},
    outside={"embeddings.norm": BERT.outside["embeddings.norm"]},
    prefix="electra.",
    before_layers=("embeddings.", "embeddings_project."),
    pooler=False,
)
