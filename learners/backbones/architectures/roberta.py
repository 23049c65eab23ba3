"""RoBERTa (Liu et al. 2019), XLM-RoBERTa, CamemBERT: BERT's modules; positions are numbered from `pad_id + 1`."""

from __future__ import annotations

from dataclasses import replace

from learners.backbones.architectures.bert import BERT

ROBERTA = replace(
    BERT,
    settings={**BERT.settings, "pad_id": ("pad_token_id", 1)},
    usual={**BERT.usual, "vocab_size": 50265},
    prefix="roberta.",
    pads_first=True,
)
XLM_ROBERTA = replace(ROBERTA, usual=BERT.usual)  # and CamemBERT: their default vocabulary has the size of BERT's
