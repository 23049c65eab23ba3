"""The head of a task in the classifier classes of transformers, for the models that one of them computes exactly.

BERT's and RoBERTa's classifiers compute head(tanh(pooler(first token))). Those of DistilBERT, ELECTRA and DeBERTa
compute out(g(dense(first token))) with g = ReLU or GELU, but our head reads the first token itself. Both functions
satisfy g(z) - g(-z) = z. So `dense` computes the logits and the negated logits, and `out` subtracts them.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import Backbone

State = Mapping[str, Tensor]

_ROBERTA = ("classifier.dense", "classifier.out_proj")  # dense is the pooler of the encoder, under another name
# Model type -> modules of the classifier: that before the activation function, and that after it.
MODULES: Mapping[str, tuple[str, str]] = {
    "bert": ("bert.pooler.dense", "classifier"),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": ("classifier.dense", "classifier.out_proj"),
    "distilbert": ("pre_classifier", "classifier"),
    "deberta-v2": ("pooler.dense", "classifier"),
}


def has_classifier(backbone: Backbone, outputs: int) -> bool:
    """Whether a class of transformers computes the same as the backbone with a head of `outputs` logits."""
    architecture = backbone.architecture
    if backbone.pooling != "cls" or architecture.model_type not in MODULES:
        return False
    return architecture.pooler or (not architecture.anatomy.pooler and 2 * outputs <= architecture.hidden)


def classifier_state(architecture: Architecture, state: State, head: State) -> dict[str, Tensor]:
    """The weights of the classifier, by its names in transformers.

    Args:
        architecture: An architecture for which `has_classifier` is true.
        state: Weights of the encoder, by their names in the encoder.
        head: `weight` [C, d] and `bias` [C].
    """
    dense, out = MODULES[architecture.model_type]
    encoder = dict(state)
    if architecture.pooler:
        before = {name: encoder.pop(f"pooler.dense.{name}") for name in ("weight", "bias")}
        after = dict(head)
    else:
        before, after = _with_negated(head)
    return {
        **{f"{architecture.anatomy.prefix}{name}": tensor for name, tensor in encoder.items()},
        **{f"{dense}.{name}": tensor for name, tensor in before.items()},
        **{f"{out}.{name}": tensor for name, tensor in after.items()},
    }


def saved_modules(architecture: Architecture) -> list[str]:
    """Names of the top modules of the classifier that are not in the encoder."""
    modules = MODULES[architecture.model_type]
    prefix = architecture.anatomy.prefix
    return list(dict.fromkeys(name.split(".")[0] for name in modules if not name.startswith(prefix)))


def _with_negated(head: State) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Two layers around g that compute the head: [W; -W; 0] with [b; -b; 0], then [I, -I, 0] without bias."""
    weight, bias = head["weight"], head["bias"]
    outputs, width = weight.shape
    rest = width - 2 * outputs
    one = torch.eye(outputs, dtype=weight.dtype)
    before = {
        "weight": torch.cat([weight, -weight, weight.new_zeros(rest, width)]),
        "bias": torch.cat([bias, -bias, bias.new_zeros(rest)]),
    }
    after = {"weight": torch.cat([one, -one, one.new_zeros(outputs, rest)], dim=1), "bias": torch.zeros_like(bias)}
    return before, after
