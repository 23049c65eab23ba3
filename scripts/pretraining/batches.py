"""Batches: documents of similar length, pairs joined or separate, with hidden and wrong words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pretraining.corpus import Corpus
from pretraining.disturb import Forms, disturb
from pretraining.settings import Settings
from pretraining.tokens import CLS, MASK, PAD, SEP, SPECIAL

MASKED = 0.2  # share of hidden tokens; somewhat more than BERT's 0.15 is better (Wettig et al. 2023)
DISTURBED = 0.5  # share of single texts with wrong words


@dataclass(frozen=True, eq=False)
class Order:
    """Rows of the corpus by rising length, so that batches have little padding.

    Attributes:
        all: All documents [n].
        pairs: Documents that are pairs.
    """

    all: np.ndarray
    pairs: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """Texts of one step.

    Attributes:
        rows: Rows of the documents in the corpus [n].
        apart: Whether the two texts of each pair are separate: then B = 2n, all first texts before all second ones.
            Otherwise B = n.
        ids: Original token ids [B, S].
        inputs: Token ids with hidden words [B, S].
        types: Token types [B, S].
        hidden: Tokens that the model must predict [B, S].
        wrong: Tokens that are wrong [B, S].
        judged: Tokens that the model must classify as right or wrong [B, S].
    """

    rows: np.ndarray
    apart: bool
    ids: Tensor
    inputs: Tensor
    types: Tensor
    hidden: Tensor
    wrong: Tensor
    judged: Tensor


def order(corpus: Corpus) -> Order:
    """Sort the documents of a corpus by length."""
    lengths = np.diff(corpus.offsets)
    by_length = np.argsort(lengths, kind="stable")
    return Order(by_length, by_length[(corpus.second >= 0)[by_length] & (corpus.bond >= 0)[by_length]])


def draw(corpus: Corpus, rows: Order, forms: Forms, settings: Settings, step: int) -> Batch:
    """The batch of a step. Every third batch has the texts of pairs separate; the others have joined pairs."""
    random = np.random.default_rng([settings.seed, step])
    apart = step % 3 == 2
    chosen = _window(rows.pairs if apart else rows.all, corpus, settings.tokens, random)
    pairs = [corpus.parts(row) for row in chosen]
    texts, flags = [], []
    for side in (0, 1) if apart else (0,):
        for pair in pairs:
            first, second = pair[side], None if apart else pair[1]
            assert first is not None
            wrong = np.zeros(len(first), bool)
            if second is None and not apart and random.random() < DISTURBED:
                first, wrong = disturb(first, forms, random)
            tail = () if second is None else (second, [SEP])
            texts.append(np.concatenate(([CLS], first, [SEP], *tail)).astype(np.int64))
            flags.append(np.concatenate(([False], wrong, np.zeros(len(texts[-1]) - len(wrong) - 1, bool))))
    ids, wrong_tokens = _pad(texts), _pad(flags).bool()
    types = torch.zeros_like(ids)
    if not apart:
        starts = torch.tensor([len(first) + 2 if second is not None else 10_000 for first, second in pairs])
        types = ((torch.arange(ids.shape[1]) >= starts[:, None]) & (ids != PAD)).long()
    inputs, hidden = _hide(ids, wrong_tokens, settings.vocabulary, random)
    judged = torch.zeros_like(hidden)
    if not apart:
        single = torch.tensor([second is None for _, second in pairs])
        judged = (ids > MASK) & ~hidden & single[:, None]
    return Batch(chosen, apart, ids, inputs, types, hidden, wrong_tokens, judged)


def _window(rows: np.ndarray, corpus: Corpus, tokens: int, random: np.random.Generator) -> np.ndarray:
    """Neighbours in length from a random start, as many as fit into the token budget, at least eight."""
    start = int(random.integers(len(rows)))
    longest = corpus.offsets[rows[start] + 1] - corpus.offsets[rows[start]] + 3
    return rows[start : start + max(8, tokens // int(longest))]


def _pad(rows: list[np.ndarray]) -> Tensor:
    """Rows of different lengths as one tensor [B, S], padded with zeros."""
    out = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for position, row in enumerate(rows):
        out[position, : len(row)] = row
    return torch.from_numpy(out)


def _hide(ids: Tensor, wrong: Tensor, vocabulary: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Inputs with hidden tokens [B, S], and the tokens to predict [B, S]. Wrong tokens are never hidden."""
    draw = torch.from_numpy(random.random(ids.shape, np.float32))
    chosen = (ids > MASK) & ~wrong & (draw < MASKED)
    hidden = torch.where(chosen & (draw < 0.8 * MASKED), MASK, ids)
    other = torch.from_numpy(random.integers(len(SPECIAL), vocabulary, ids.shape))
    return torch.where(chosen & (draw >= 0.9 * MASKED), other, hidden), chosen
