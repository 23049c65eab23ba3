"""Settings of a pretraining: everything that the weights depend on, except the number of threads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Settings of a pretraining.

    Attributes:
        layers, width, heads: Shape of the encoder; `heads` are attention heads.
        vocabulary: Number of word pieces.
        documents: Number of generated documents.
        steps: Number of training steps; each draws its documents at random.
        tokens: Tokens per batch, padding included.
        meaning_width: Width of the meaning vectors that pooled texts must point to.
        learning_rate: Peak learning rate.
        warmup: Share of the steps in which the learning rate rises.
    """

    layers: int = 4
    width: int = 128
    heads: int = 4
    vocabulary: int = 8000
    documents: int = 800_000
    steps: int = 14_000
    tokens: int = 4096
    meaning_width: int = 256
    learning_rate: float = 1e-3
    warmup: float = 0.03
    seed: int = 0
