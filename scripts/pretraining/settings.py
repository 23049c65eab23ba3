"""Settings of a pretraining: everything that the weights depend on, except the number of threads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Settings of a pretraining.

    Attributes:
        layers, width, heads: Shape of the encoder; `heads` are attention heads.
        middle: Layer whose states serve all objectives but two, counted from 1; the layers above serve masked words and
            next text.
        vocabulary: Number of word pieces.
        documents: Number of generated documents.
        steps: Number of training steps; each draws its documents at random.
        tokens: Tokens per batch, padding included.
        meaning_width: Width of the meaning vectors that the mean vectors of texts must point to.
        learning_rate: Peak learning rate of the matrices of the layers; that of the other parameters is `other_rate`.
        warmup: Steps in which the learning rate rises.
        decay: Share of the steps, the last ones, in which it falls to zero.
    """

    layers: int = 6
    middle: int = 4
    width: int = 128
    heads: int = 4
    vocabulary: int = 8000
    documents: int = 800_000
    steps: int = 13_500
    tokens: int = 2048
    meaning_width: int = 256
    learning_rate: float = 3e-3
    other_rate: float = 2e-3
    warmup: int = 300
    decay: float = 0.3
    seed: int = 0
