"""Features of texts: counts of n-grams in hash buckets, and what the two texts of a pair share.

The bucket of an n-gram is its hash (MurmurHash3 of scikit-learn's `HashingVectorizer`). So features need no vocabulary,
and shapes do not depend on the data. The n-grams of the first and the second text of a pair have buckets of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from learners.nobert.texts import Texts
from learners.specification.text_model import OVERLAP

WORD = re.compile(r"\w+|[^\w\s]")
SHORTEST, LONGEST = 2, 4  # characters of an n-gram within a word; the spaces around the word count
SECOND, BOTH = "2 ", "= "  # before an n-gram of the second text, and before a word that both texts have
Pair = tuple[str, str]


@dataclass(frozen=True, eq=False)
class Features:
    """Features of n rows, computed when they are first used.

    Attributes:
        texts: The texts of the rows.
        buckets: Number of hash buckets F.
    """

    texts: Texts
    buckets: int

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def words(self) -> Any:
        """Counts of words and of pairs of neighbouring words: sparse [n, F]."""
        return counts(self._pairs, word_ngrams, self.buckets)

    @cached_property
    def characters(self) -> Any:
        """Counts of character n-grams within words: sparse [n, F]."""
        return counts(self._pairs, character_ngrams, self.buckets)

    @cached_property
    def first(self) -> Any:
        """Counts of the words of the first texts: sparse [n, F]."""
        return counts(self.texts.first, WORD.findall, self.buckets)

    @cached_property
    def second(self) -> Any:
        """Counts of the words of the second texts, in the buckets of `first`: sparse [n, F]."""
        return counts(self.texts.second, WORD.findall, self.buckets)

    @cached_property
    def overlap(self) -> Any:
        """What the two texts of each row share: float64 [n, 5] (`overlap`)."""
        return np.array([overlap(*pair) for pair in self._pairs]).reshape(len(self), OVERLAP)

    @property
    def _pairs(self) -> list[Pair]:
        return list(zip(self.texts.first, self.texts.second, strict=True))


def counts(rows: Sequence[Any], analyzer: Callable[[Any], list[str]], buckets: int) -> Any:
    """Returns how often the n-grams of each bucket occur in each row: sparse float64 [n, F], indices in order."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(analyzer=analyzer, n_features=buckets, norm=None, alternate_sign=False)
    found = hashing.transform(rows)
    found.sort_indices()
    return found


def word_ngrams(pair: Pair) -> list[str]:
    """Returns the words of both texts, the pairs of neighbouring words, and the words that both texts have."""
    first, second = (WORD.findall(text) for text in pair)
    found = first + _neighbours(first)
    if second:
        found += [SECOND + gram for gram in second + _neighbours(second)]
        found += [BOTH + word for word in sorted({*first} & {*second})]
    return found


def character_ngrams(pair: Pair) -> list[str]:
    """Returns the character n-grams of all words of both texts, n from 2 to 4, with a space on each side of a word."""
    first, second = pair
    found = [gram for word in WORD.findall(first) for gram in _within(word)]
    return found + [SECOND + gram for word in WORD.findall(second) for gram in _within(word)]


def overlap(first: str, second: str) -> tuple[float, ...]:
    """Returns five shares in [0, 1] of what two texts have in common; all 0 if one of them has no word.

    Shared of all words (Jaccard); shared words of the first; of the second; shared of all character n-grams of length
    3; the length of the shorter text divided by that of the longer one, in words.
    """
    words = [WORD.findall(text) for text in (first, second)]
    if not all(words):
        return (0.0,) * OVERLAP
    one, other = map(set, words)
    both, sizes = len(one & other), [*map(len, words)]
    grams, others = ({text[at : at + 3] for at in range(max(len(text) - 2, 1))} for text in (first, second))
    return (
        both / len(one | other),
        both / len(one),
        both / len(other),
        len(grams & others) / len(grams | others),
        min(sizes) / max(sizes),
    )


def weighted(found: Any, idf: Any) -> Any:
    """Returns TF-IDF rows of length 1 from counts: (1 + ln count) times idf, sparse float64 [n, F].

    Args:
        found: Counts, sparse [n, F].
        idf: Weight of each bucket [F]. 0: no training row has the bucket, so it does not count here either.
    """
    from sklearn.preprocessing import normalize

    rows = found.copy()
    rows.data = (1 + np.log(rows.data)) * np.asarray(idf, np.float64)[rows.indices]
    return normalize(rows, copy=False)


def _neighbours(words: list[str]) -> list[str]:
    return [f"{one} {other}" for one, other in pairwise(words)]


@lru_cache(maxsize=50_000)
def _within(word: str) -> tuple[str, ...]:
    padded = f" {word} "
    return tuple(
        padded[at : at + length]
        for length in range(SHORTEST, LONGEST + 1)
        for at in range(max(len(padded) - length + 1, 0))
    )
