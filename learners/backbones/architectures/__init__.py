"""One file for each architecture: a table of where things are in its configs and modules, and what its layers lack."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from learners.backbones.architectures.anatomy import MADE_BY, Anatomy, Place
from learners.backbones.architectures.bert import BERT
from learners.backbones.architectures.deberta_v2 import DEBERTA_V2
from learners.backbones.architectures.distilbert import DISTILBERT
from learners.backbones.architectures.electra import ELECTRA
from learners.backbones.architectures.modernbert import MODERNBERT
from learners.backbones.architectures.roberta import ROBERTA

__all__ = ["ANATOMIES", "MADE_BY", "Anatomy", "Place"]

# model_type of a config -> its table.
ANATOMIES: Mapping[str, Anatomy] = MappingProxyType(
    {
        "bert": BERT,
        "roberta": ROBERTA,
        "xlm-roberta": ROBERTA,
        "camembert": ROBERTA,
        "distilbert": DISTILBERT,
        "electra": ELECTRA,
        "deberta-v2": DEBERTA_V2,
        "modernbert": MODERNBERT,
    }
)
