"""Batches: documents of similar length, pairs joined or separate, with hidden, wrong and exchanged words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

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
DISTURBED = 0.5  # share of single texts with wrong words, and of pairs that tell the same with exchanged ones
STRANGE = 0.2  # share of joined pairs, of those after another pair, that get its second text
SAME = tuple(BONDS.index(bond) for bond in ("retold", "implied"))  # the first text tells all that the second one tells
CHANGED, OTHER = BONDS.index("changed"), BONDS.index("other")


class Judged(IntEnum):
    """What the model must say of a token, beside which token it is."""

    NOTHING = 0
    WRONG = 1  # whether it is wrong in its text
    OTHER = 2  # whether it tells something else than the first text does


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
        bonds: Relation of each pair [n], an index into BONDS; -1 for a single text.
        ids: Original token ids [B, S].
        inputs: Token ids with hidden words [B, S].
        types: Token types [B, S].
        hidden: Tokens that the model must predict [B, S].
        wrong: Tokens that are wrong or exchanged [B, S].
        judged: What the model must say of each token [B, S], as in `Judged`.
    """

    rows: np.ndarray
    apart: bool
    bonds: np.ndarray
    ids: Tensor
    inputs: Tensor
    types: Tensor
    hidden: Tensor
    wrong: Tensor
    judged: Tensor


@dataclass(frozen=True, eq=False)
class Part:
    """One text of a document: its token ids, which of them are wrong [n each], and what is asked of them."""

    ids: np.ndarray
    wrong: np.ndarray
    judged: Judged


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
    pairs, bonds = [corpus.parts(row) for row in chosen], corpus.bond[chosen].copy()
    if apart:
        texts = [[_plain(pair[side])] for side in (0, 1) for pair in pairs]
    else:
        texts = []
        for place, (first, second) in enumerate(pairs):
            if second is None:
                texts.append([_single(first, forms, random)])
                continue
            stranger = pairs[place - 1][1]  # the second text of the pair before
            if stranger is not None and random.random() < STRANGE:
                part, bonds[place] = _plain(stranger), OTHER
            elif bonds[place] in SAME:
                part = _same(second, forms, random)
                bonds[place] = CHANGED if part.wrong.any() else bonds[place]
            else:
                part = _plain(second)
            texts.append([_plain(first), part])
    ids, wrong, types, judged = (_pad(rows) for rows in zip(*map(_joined, texts), strict=True))
    inputs, hidden = _hide(ids, wrong.bool(), settings.vocabulary, random)
    judged = judged * ((ids > MASK) & ~hidden)
    return Batch(chosen, apart, bonds, ids, inputs, types, hidden, wrong.bool(), judged)


def _plain(text: np.ndarray | None) -> Part:
    assert text is not None
    return Part(text, np.zeros(len(text), bool), Judged.NOTHING)


def _single(text: np.ndarray, forms: Forms, random: np.random.Generator) -> Part:
    known, wrong = disturb(text, forms, random) if random.random() < DISTURBED else (text, np.zeros(len(text), bool))
    return Part(known, wrong, Judged.WRONG)


def _same(text: np.ndarray, forms: Forms, random: np.random.Generator) -> Part:
    known, wrong = exchange(text, forms, random) if random.random() < DISTURBED else (text, np.zeros(len(text), bool))
    return Part(known, wrong, Judged.OTHER)


def _joined(parts: list[Part]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Token ids, wrong tokens, token types and what is asked, each [S], of texts between [CLS] and [SEP]."""
    ids, wrong, types, judged = [[CLS]], [[0]], [[0]], [[0]]
    for side, part in enumerate(parts):
        ids += [part.ids, [SEP]]
        wrong += [part.wrong, [0]]
        types.append(np.full(len(part.ids) + 1, side))
        judged += [np.full(len(part.ids), part.judged), [0]]
    return np.concatenate(ids), np.concatenate(wrong), np.concatenate(types), np.concatenate(judged)


def _window(rows: np.ndarray, corpus: Corpus, tokens: int, random: np.random.Generator) -> np.ndarray:
    """Neighbours in length from a random start, as many as fit into the token budget, at least eight."""
    start = int(random.integers(len(rows)))
    longest = corpus.offsets[rows[start] + 1] - corpus.offsets[rows[start]] + 3
    return rows[start : start + max(8, tokens // int(longest))]


def _pad(rows: tuple[np.ndarray, ...]) -> Tensor:
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
