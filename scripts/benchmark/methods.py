"""Our learners as a user sets them up on a transformers model: by `requires_grad`, peft, or two small modules.

peft has LoRA and LayerNorm tuning. It has no bottleneck adapters after the sub-layers (Houlsby et al. 2019) and no
AdapterBias (Fu et al. 2022), so this file implements these as a user would.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

LEARNERS = ("full", "topk:1", "head", "layernorm", "adapter", "adapterbias", "lora:8")
ADAPTER, RANK = 64, 8  # defaults of our learners


class Bottleneck(nn.Module):
    """A bottleneck adapter after the dropout of a sub-layer: x + W₂ g(W₁ x)."""

    def __init__(self, dropout: nn.Module, width: int, size: int) -> None:
        super().__init__()
        self.dropout, self.down, self.up = dropout, nn.Linear(width, size), nn.Linear(size, width)
        for layer in (self.down, self.up):
            nn.init.trunc_normal_(layer.weight, std=1e-2)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(x)
        change: Tensor = self.up(nn.functional.gelu(self.down(x)))
        return x + change


class Shift(nn.Module):
    """The second matrix of a feed-forward layer with the shift of AdapterBias: W x + α(x) v."""

    def __init__(self, dense: nn.Linear) -> None:
        super().__init__()
        self.dense, self.alpha = dense, nn.Linear(dense.in_features, 1)
        self.vector = nn.Parameter(torch.randn(dense.out_features) * 1e-2)

    def forward(self, x: Tensor) -> Tensor:
        shifted: Tensor = self.dense(x) + self.alpha(x) * self.vector
        return shifted


def model_of(folder: str, learner: str, outputs: int, *, library: bool) -> Any:
    """A float32 transformers classifier with default attention. Only the learner's parameters have gradients.

    Args:
        folder: Model folder of a BERT.
        learner: One of `LEARNERS`; other sizes and ranks are possible.
        outputs: Number of classes.
        library: Use peft if it has the method.

    Raises:
        ValueError: The learner is not among `LEARNERS`.
    """
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model: Any = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=outputs, dtype=torch.float32)
    name, _, size = learner.partition(":")
    if name == "full":
        return model
    if name == "lora":
        return _peft(model, "LoraConfig", r=int(size or RANK), lora_alpha=16, target_modules=["query", "value"])
    if name == "layernorm" and library:
        return _peft(model, "LNTuningConfig", target_modules=["LayerNorm"])
    model.requires_grad_(False)
    model.classifier.requires_grad_(True)
    layers = model.base_model.encoder.layer
    if name == "topk":
        layers[-int(size or 1) :].requires_grad_(True)
    elif name == "adapter":
        for layer in layers:
            for part in (layer.attention.output, layer.output):
                part.dropout = Bottleneck(part.dropout, model.config.hidden_size, int(size or ADAPTER))
    elif name == "adapterbias":
        for layer in layers:
            layer.output.dense = Shift(layer.output.dense)
            layer.output.dense.dense.requires_grad_(False)
            layer.output.LayerNorm.requires_grad_(True)
    elif name not in ("head", "layernorm"):
        raise ValueError(f"unknown learner {learner!r}; expected one of {', '.join(LEARNERS)}")
    if name in ("layernorm", "adapter"):
        for module in model.modules():
            if isinstance(module, nn.LayerNorm):
                module.requires_grad_(True)
    return model


def _peft(model: nn.Module, config: str, **settings: Any) -> Any:
    import peft

    return peft.get_peft_model(model, getattr(peft, config)(task_type="SEQ_CLS", **settings))
