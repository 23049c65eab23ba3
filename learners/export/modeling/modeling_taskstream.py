"""A text classifier that `taskstream export` wrote: an encoder of transformers, pooling, and a linear head.

Load it with AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True). No class of
transformers computes this model, so transformers needs this file. It needs torch and transformers only.
"""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class TaskstreamConfig(PretrainedConfig):
    """The config of a classifier.

    Args:
        encoder: The config of the encoder, with its `model_type`.
        pooling: `mean`: mean over tokens. `cls`: first token. `pooler`: the encoder's own pooler.
    """

    model_type = "taskstream"

    def __init__(self, encoder: dict[str, Any] | None = None, pooling: str = "mean", **settings: Any) -> None:
        self.encoder = encoder
        self.pooling = pooling
        super().__init__(**settings)


class TaskstreamForSequenceClassification(PreTrainedModel):
    """logits = head(pooling(encoder(text))). `model.backbone` is the encoder."""

    config_class = TaskstreamConfig
    base_model_prefix = "backbone"

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        encoder = AutoConfig.for_model(**config.encoder)
        self.num_labels = config.num_labels
        self.backbone = AutoModel.from_config(encoder)
        if config.pooling != "pooler" and hasattr(self.backbone, "pooler"):
            self.backbone.pooler = None  # not used, and not among the weights
        self.classifier = nn.Linear(encoder.hidden_size * getattr(config, "layers_read", 1), config.num_labels)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Compute logits [B, C], with `labels` also the loss. Inputs are [B, S]; the output is never a tuple."""
        if attention_mask is None:
            given = input_ids if inputs_embeds is None else inputs_embeds
            assert given is not None, "give input_ids or inputs_embeds"
            attention_mask = torch.ones(given.shape[:2], dtype=torch.long, device=given.device)
        inputs = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "token_type_ids": token_type_ids,
            "inputs_embeds": inputs_embeds,
            "output_attentions": output_attentions,
            "output_hidden_states": output_hidden_states,
        }
        output, features = self.features({name: value for name, value in inputs.items() if value is not None})
        logits = self.classifier(features)
        loss = None if labels is None else self.loss_function(labels=labels, pooled_logits=logits, config=self.config)
        states, attentions = output.get("hidden_states"), output.get("attentions")
        return SequenceClassifierOutput(loss=loss, logits=logits, hidden_states=states, attentions=attentions)

    def features(self, inputs: dict[str, Any]) -> tuple[Any, Tensor]:
        """The output of the encoder, and the input of the head [B, width]."""
        output = self.backbone(**inputs)
        return output, self.pool(output.last_hidden_state, inputs["attention_mask"])

    def pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Pool states [B, S, d] to [B, d]."""
        if self.config.pooling == "pooler":
            pooled: Tensor = self.backbone.pooler(hidden)
            return pooled
        if self.config.pooling == "cls":
            return hidden[:, 0]
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * weights).sum(1) / weights.sum(1)
