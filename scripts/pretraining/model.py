"""The encoder and the heads of the objectives. Only the encoder is exported."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from pretraining.passages import BONDS
from pretraining.settings import Settings
from pretraining.tokens import PAD


class Pretraining(nn.Module):
    """The encoder with the heads of the objectives. The heads are not exported."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        from transformers import BertModel

        torch.manual_seed(settings.seed)
        self.encoder = BertModel(architecture(settings), add_pooling_layer=True)
        d = settings.width
        self.transform = nn.Sequential(nn.Linear(d, d), nn.GELU(), nn.LayerNorm(d))
        self.bias = nn.Parameter(torch.zeros(settings.vocabulary))
        self.meaning = nn.Linear(d, settings.meaning_width)
        self.bond = nn.Linear(d, len(BONDS))
        self.belongs = nn.Linear(d, 2)
        self.wrong = nn.Linear(d, 2)  # wrong in its text; other than in the text before it
        self.scale = nn.Parameter(torch.tensor([math.log(10.0), -5.0]))  # temperature and bias, as in the paper
        self.middle = settings.middle

    def encode(self, ids: Tensor, types: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """States of the middle layer and of the last one, each [B, S, d], and the output of the pooler [B, d]."""
        mask = (ids != PAD).long()
        found = self.encoder(ids, attention_mask=mask, token_type_ids=types, output_hidden_states=True)
        return found.hidden_states[self.middle], found.last_hidden_state, found.pooler_output

    def words(self, hidden: Tensor) -> Tensor:
        """Scores of all tokens [n, V] for hidden states [n, d] of masked tokens."""
        scores: Tensor = self.transform(hidden) @ self.encoder.embeddings.word_embeddings.weight.T + self.bias
        return scores


def architecture(settings: Settings) -> Any:
    """The BertConfig of a shape."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=settings.vocabulary,
        hidden_size=settings.width,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=4 * settings.width,
        max_position_embeddings=256,
        # None in pretraining, where no text is repeated often enough to overfit; and so none later: an encoder this
        # narrow that never met dropout scores far lower if it is fine-tuned with 0.1, as BERT is (CARD.md).
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="sdpa",
    )


def mean(hidden: Tensor, ids: Tensor) -> Tensor:
    """Mean [B, d] of the hidden states [B, S, d] of all tokens except padding."""
    real = (ids != PAD).unsqueeze(-1)
    return (hidden * real).sum(1) / real.sum(1)
