"""RoBERTa (Liu et al. 2019) and its kin: BERT's modules; positions are numbered from the padding id on."""

from __future__ import annotations

from dataclasses import replace

from learners.backbones.architectures.bert import BERT

ROBERTA = replace(BERT, settings={**BERT.settings, "pad_id": ("pad_token_id", 1)}, prefix="roberta.", pads_first=True)
