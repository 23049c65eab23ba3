"""Batches: documents of similar length, with hidden, wrong and exchanged words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pretraining.corpus import Corpus
from pretraining.disturb import Forms, disturb
from pretraining.exchange import exchange
from pretraining.passages import BONDS
from pretraining.settings import Settings
from pretraining.tokens import CLS, MASK, SEP, SPECIAL

MASKED = 0.2  # share of hidden tokens; somewhat more than BERT's 0.15 is better (Wettig et al. 2023)
DISTURBED = 0.5  # share of single texts with wrong words, and of pairs that tell the same with other words
SAME = ("retold", "implied")  # relations in which the first text tells all that the second one tells
STRANGE = 0.25  # share of pairs whose second text is that of another pair


@dataclass(frozen=True, eq=False)
class Batch:
    """Texts of one step.

    Attributes:
        ids: Original token ids [B, S].
        inputs: Token ids with hidden words [B, S].
        types: Token types [B, S].
        hidden: Tokens that the model must predict [B, S].
        wrong: Tokens that are wrong [B, S].
        judged: Tokens that the model must classify [B, S]: 1 as right or wrong in a single text, 2 as like or unlike
            the first text; 0 for others.
        belongs: Whether the second text belongs to the first [B]; -1 for single texts.
    """

    ids: Tensor
    inputs: Tensor
    types: Tensor
    hidden: Tensor
    wrong: Tensor
    judged: Tensor
    belongs: Tensor


def order(corpus: Corpus) -> np.ndarray:
    """Rows of a corpus by rising length [n], so that batches have little padding."""
    return np.argsort(np.diff(corpus.offsets), kind="stable")


def draw(corpus: Corpus, rows: np.ndarray, forms: Forms, settings: Settings, step: int) -> Batch:
    """The batch of a step."""
    random = np.random.default_rng([settings.seed, step])
    chosen = _window(rows, corpus, settings.tokens, random)
    texts, flags, judged, types, belongs = [], [], [], [], []
    stranger: np.ndarray | None = None  # second text of an earlier pair
    for row in chosen:
        first, second = corpus.parts(row)
        if second is None:
            known, wrong = disturb(first, forms, random) if random.random() < DISTURBED else (first, _none(first))
            parts, marks, asked, belonging = [known], [wrong], [1], -1
        else:
            bond, wrong, kind = BONDS[corpus.bond[row]], _none(second), 0
            belonging = int(bond != "other")
            own = second
            if stranger is not None and random.random() < STRANGE:
                second, belonging = stranger, 0
                wrong = _none(second)
            elif bond in SAME:
                kind = 2
                if random.random() < DISTURBED:
                    second, wrong = exchange(second, forms, random)
            stranger = own
            parts, marks, asked = [first, second], [_none(first), wrong], [0, kind]
        texts.append(np.concatenate([[CLS], *(piece for part in parts for piece in (part, [SEP]))]).astype(np.int64))
        flags.append(np.concatenate([[False], *(piece for mark in marks for piece in (mark, [False]))]))
        spread = [np.full(len(part) + 1, value) for part, value in zip(parts, asked, strict=True)]
        judged.append(np.concatenate([[0], *spread]))
        types.append(np.concatenate([[0], *(np.full(len(part) + 1, side) for side, part in enumerate(parts))]))
        belongs.append(belonging)
    ids, wrong_tokens = _pad(texts), _pad(flags).bool()
    inputs, hidden = _hide(ids, wrong_tokens, settings.vocabulary, random)
    asked_of = _pad(judged) * ((ids > MASK) & ~hidden)
    return Batch(ids, inputs, _pad(types), hidden, wrong_tokens, asked_of, torch.tensor(belongs))


def _none(text: np.ndarray) -> np.ndarray:
    return np.zeros(len(text), bool)


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
