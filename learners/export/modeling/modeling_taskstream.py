"""A text classifier that `taskstream export` wrote: an encoder of transformers, pooling, and a linear head.

Load it with AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True). No class of
transformers pools as this model does, so transformers needs this file. It needs torch and transformers only.
"""

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput


class TaskstreamConfig(PretrainedConfig):
    """The config of a classifier.

    Args:
        encoder: The config of the encoder, with its `model_type`.
        pooling: `mean`: mean over tokens. `cls`: first token. `pooler`: the encoder's own pooler.
    """

    model_type = "taskstream"

    def __init__(self, encoder=None, pooling="mean", **settings):
        self.encoder = encoder
        self.pooling = pooling
        super().__init__(**settings)


class TaskstreamForSequenceClassification(PreTrainedModel):
    """logits = head(pooling(encoder(text))). `model.backbone` is the encoder."""

    config_class = TaskstreamConfig
    base_model_prefix = "backbone"

    def __init__(self, config):
        super().__init__(config)
        encoder = AutoConfig.for_model(**config.encoder)
        self.num_labels = config.num_labels
        self.backbone = AutoModel.from_config(encoder)
        if config.pooling != "pooler" and hasattr(self.backbone, "pooler"):
            self.backbone.pooler = None  # not used, and not among the weights
        self.classifier = nn.Linear(self.head_width(encoder), config.num_labels)
        self.post_init()

    def head_width(self, encoder):
        return encoder.hidden_size

    def forward(
        self,
        input_ids=None,
        attention_mask=None,
        token_type_ids=None,
        inputs_embeds=None,
        labels=None,
        output_attentions=None,
        output_hidden_states=None,
        return_dict=None,
    ):
        """Compute logits [B, C]; with `labels`, also the loss. B rows of S tokens: the inputs are [B, S]."""
        given = input_ids if inputs_embeds is None else inputs_embeds
        if attention_mask is None:
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
        return SequenceClassifierOutput(
            loss=loss, logits=logits, hidden_states=output.get("hidden_states"), attentions=output.get("attentions")
        )

    def features(self, inputs):
        """The output of the encoder, and the input of the head [B, width]."""
        output = self.backbone(**inputs)
        return output, self.pool(output.last_hidden_state, inputs["attention_mask"])

    def pool(self, hidden, mask):
        """Pool states [B, S, d] to [B, d]."""
        if self.config.pooling == "pooler":
            return self.backbone.pooler(hidden)
        if self.config.pooling == "cls":
            return hidden[:, 0]
        mask = mask.unsqueeze(-1).to(hidden.dtype)
        return (hidden * mask).sum(1) / mask.sum(1)
