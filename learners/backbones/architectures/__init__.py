"""Architectures: one file per architecture, with a table of its config keys, modules and parameters.

`ANATOMIES` maps the model type of a config to its table, an `Anatomy`. To add an architecture, add a file and a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from learners.backbones.architectures.anatomy import MADE_BY, Anatomy, Place
from learners.backbones.architectures.bert import BERT
from learners.backbones.architectures.deberta_v2 import DEBERTA_V2
from learners.backbones.architectures.distilbert import DISTILBERT
from learners.backbones.architectures.electra import ELECTRA
from learners.backbones.architectures.modernbert import MODERNBERT
from learners.backbones.architectures.roberta import ROBERTA, XLM_ROBERTA

__all__ = ["ANATOMIES", "MADE_BY", "Anatomy", "Place"]

# `model_type` of a config -> table.
ANATOMIES: Mapping[str, Anatomy] = MappingProxyType(
    {
        "bert": BERT,
        "roberta": ROBERTA,
        "xlm-roberta": XLM_ROBERTA,
        "camembert": XLM_ROBERTA,
        "distilbert": DISTILBERT,
        "electra": ELECTRA,
        "deberta-v2": DEBERTA_V2,
        "modernbert": MODERNBERT,
    }
)
