"""What a step reads: documents of like length, joined or apart, with hidden and disturbed words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pretraining.corpus import Corpus
from pretraining.disturb import Forms, disturb
from pretraining.settings import Settings
from pretraining.tokens import CLS, MASK, PAD, SEP, SPECIAL

MASKED = 0.2  # somewhat above BERT's 0.15 serves encoders better (Wettig et al. 2023)
DISTURBED = 0.5  # of single texts


@dataclass(frozen=True, eq=False)
class Order:
    """Rows by length, for batches without much padding: of all documents, and of the pairs."""

    all: np.ndarray
    pairs: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """Texts of one step.

    Attributes:
        rows: Documents [n].
        apart: Whether the two texts of each pair are texts of their own: B = 2n, first all first ones.
        ids: Tokens as they were [B, S].
        inputs: The same with hidden words [B, S].
        types: Token types [B, S].
        hidden: Which tokens are to be told [B, S].
        wrong: Which tokens are disturbed [B, S].
        judged: Which tokens are to be judged right or wrong [B, S].
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
    lengths = np.diff(corpus.offsets)
    by_length = np.argsort(lengths, kind="stable")
    return Order(by_length, by_length[(corpus.second >= 0)[by_length] & (corpus.bond >= 0)[by_length]])


def draw(corpus: Corpus, rows: Order, forms: Forms, settings: Settings, step: int) -> Batch:
    """The batch of a step: two of three read texts with pairs joined, one of three reads the texts of pairs apart."""
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
    """A run of neighbours in length, as many as fit into the token budget."""
    start = int(random.integers(len(rows)))
    longest = corpus.offsets[rows[start] + 1] - corpus.offsets[rows[start]] + 3
    return rows[start : start + max(8, tokens // int(longest))]


def _pad(rows: list[np.ndarray]) -> Tensor:
    """Rows of ids as [B, S]."""
    out = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for position, row in enumerate(rows):
        out[position, : len(row)] = row
    return torch.from_numpy(out)


def _hide(ids: Tensor, wrong: Tensor, vocabulary: int, random: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Input with hidden tokens [B, S], and which are to be told [B, S]; never those that are wrong themselves."""
    draw = torch.from_numpy(random.random(ids.shape, np.float32))
    chosen = (ids > MASK) & ~wrong & (draw < MASKED)
    hidden = torch.where(chosen & (draw < 0.8 * MASKED), MASK, ids)
    other = torch.from_numpy(random.integers(len(SPECIAL), vocabulary, ids.shape))
    return torch.where(chosen & (draw >= 0.9 * MASKED), other, hidden), chosen
