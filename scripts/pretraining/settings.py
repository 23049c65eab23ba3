"""What the weights depend on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """All that a pretraining is drawn from.

    Attributes:
        documents: How many are generated; steps go through them in random order.
        tokens: Of a batch, padding included.
        meaning_width: Of the vectors that pooled texts are to point to.
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
