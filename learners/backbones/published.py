"""Published configurations of well-known encoders, so that costs can be computed without weights and network.

Each has the values of the published `config.json` of that name. Sources of the sizes: Devlin et al. (2019, section 3)
for BERT; Liu et al. (2019, Appendix A) for RoBERTa; Sanh et al. (2019, section 2) for DistilBERT; Clark et al. (2020,
Table 6) for ELECTRA; the model card of microsoft/deberta-v3-base (86 M in the layers, 98 M in a vocabulary of 128K) for
DeBERTa; Warner et al. (2024, "Model Design": 22 layers of width 768, expanded to 2,304, 149 M) for ModernBERT; the
model card of sentence-transformers for all-MiniLM-L6-v2; learners/embedded for the embedded backbone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from learners.backbones.architecture import Architecture, architecture_from_config
from tasks.errors import unknown_name

_BERT: Mapping[str, Any] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
    "type_vocab_size": 2,
    "vocab_size": 30522,
}
_ROBERTA: Mapping[str, Any] = {
    **_BERT,
    "model_type": "roberta",
    "layer_norm_eps": 1e-5,
    "max_position_embeddings": 514,  # 512 tokens: positions are numbered from pad_token_id + 1
    "pad_token_id": 1,
    "type_vocab_size": 1,
    "vocab_size": 50265,
}
_ELECTRA: Mapping[str, Any] = {**_BERT, "model_type": "electra"}
_BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}
_LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
_SMALL = {"hidden_size": 256, "num_hidden_layers": 12, "num_attention_heads": 4, "intermediate_size": 1024}
_EMBEDDED = {
    "hidden_size": 128,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": 256,
    "vocab_size": 8000,
}
_DEBERTA_V3 = {
    **_BERT,
    "model_type": "deberta-v2",
    "layer_norm_eps": 1e-7,
    "max_relative_positions": -1,
    "norm_rel_ebd": "layer_norm",
    "pos_att_type": "p2c|c2p",
    "position_biased_input": False,
    "position_buckets": 256,
    "relative_attention": True,
    "share_att_key": True,
    "type_vocab_size": 0,
    "vocab_size": 128100,
}
_MINI = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}

KNOWN_CONFIGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "embedded": {**_BERT, **_EMBEDDED},
        "bert-base-uncased": {**_BERT, **_BASE},
        "bert-large-uncased": {**_BERT, **_LARGE},
        "roberta-base": {**_ROBERTA, **_BASE},
        "roberta-large": {**_ROBERTA, **_LARGE},
        "distilbert-base-uncased": {
            "model_type": "distilbert",
            "activation": "gelu",
            "attention_dropout": 0.1,
            "dim": 768,
            "dropout": 0.1,
            "hidden_dim": 3072,
            "max_position_embeddings": 512,
            "n_heads": 12,
            "n_layers": 6,
            "pad_token_id": 0,
            "vocab_size": 30522,
        },
        "electra-small-discriminator": {**_ELECTRA, **_SMALL, "embedding_size": 128},
        "electra-base-discriminator": {**_ELECTRA, **_BASE, "embedding_size": 768},
        "deberta-v3-base": {**_DEBERTA_V3, **_BASE},
        "ModernBERT-base": {
            "model_type": "modernbert",
            "attention_bias": False,
            "attention_dropout": 0.0,
            "embedding_dropout": 0.0,
            "global_attn_every_n_layers": 3,
            "global_rope_theta": 160_000.0,
            "hidden_activation": "gelu",
            "hidden_size": 768,
            "intermediate_size": 1152,
            "local_attention": 128,
            "local_rope_theta": 10_000.0,
            "max_position_embeddings": 8192,
            "mlp_bias": False,
            "mlp_dropout": 0.0,
            "norm_bias": False,
            "norm_eps": 1e-5,
            "num_attention_heads": 12,
            "num_hidden_layers": 22,
            "pad_token_id": 50283,
            "vocab_size": 50368,
        },
        "all-MiniLM-L6-v2": {**_BERT, **_MINI},
    }
)

# These models pool by the mean over tokens. Their pooler, if there is one, is not used.
_MEAN_POOLED = frozenset({"embedded", "all-MiniLM-L6-v2"})

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "bert-base": "bert-base-uncased",
        "bert-large": "bert-large-uncased",
        "distilbert-base": "distilbert-base-uncased",
        "electra-small": "electra-small-discriminator",
        "electra-base": "electra-base-discriminator",
        "deberta-v3": "deberta-v3-base",
        "modernbert": "ModernBERT-base",
        "minilm": "all-MiniLM-L6-v2",
        "google-bert/bert-base-uncased": "bert-base-uncased",
        "google-bert/bert-large-uncased": "bert-large-uncased",
        "FacebookAI/roberta-base": "roberta-base",
        "FacebookAI/roberta-large": "roberta-large",
        "distilbert/distilbert-base-uncased": "distilbert-base-uncased",
        "google/electra-small-discriminator": "electra-small-discriminator",
        "google/electra-base-discriminator": "electra-base-discriminator",
        "microsoft/deberta-v3-base": "deberta-v3-base",
        "answerdotai/ModernBERT-base": "ModernBERT-base",
        "sentence-transformers/all-MiniLM-L6-v2": "all-MiniLM-L6-v2",
    }
)


def known_name(name: str) -> str:
    """Returns the key of a backbone in `KNOWN_CONFIGS`. `name` may be an alias or a hub id; case does not matter.

    Raises:
        InputError: No built-in configuration has this name. The message suggests similar names.
    """
    names = {known.lower(): known for known in KNOWN_CONFIGS} | {
        alias.lower(): known for alias, known in ALIASES.items()
    }
    if name.lower() not in names:
        raise unknown_name("backbone", name, {*KNOWN_CONFIGS, *(alias for alias in ALIASES if "/" not in alias)})
    return names[name.lower()]


def known_architecture(name: str) -> Architecture:
    """Returns the architecture of a well-known encoder, from its built-in configuration.

    Raises:
        InputError: No built-in configuration has this name. The message suggests similar names.
    """
    known = known_name(name)
    pooler = False if known in _MEAN_POOLED else None
    return architecture_from_config(KNOWN_CONFIGS[known], pooler=pooler, where=known)
