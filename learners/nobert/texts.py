"""Texts of encoded rows: token ids back to words.

Every learner reads the same token ids, and so does this one: rows are cut at the same length, and an uncased tokenizer
has lower-cased them. Words that the tokenizer does not know stay its unknown token.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tasks.encoded import EncodedSplit
from tasks.tokenizer import Tokenizer, tokenise


@dataclass(frozen=True)
class Texts:
    """The texts of n rows, in lower case.

    Attributes:
        first: The text, or the first text of a pair.
        second: The second text of a pair; "" in a row with one text.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.first)


def texts_of(tokenizer: Tokenizer, split: EncodedSplit) -> Texts:
    """Returns the texts of all rows of a split, as the tokenizer decodes them.

    The tokens that the tokenizer puts around texts are left out. The second text of a pair has token type 1. If the
    tokenizer gives no types, it is what follows the first of these tokens after the beginning of the row.
    """
    frame = np.array(sorted({*tokenise(tokenizer, [""], [""])[0].ids, *tokenise(tokenizer, [""])[0].ids}))
    ids, types, offsets = (np.asarray(each) for each in (split.ids, split.types, split.offsets))
    framing = np.isin(ids, frame)
    first: list[list[int]] = []
    second: list[list[int]] = []
    for begin, end in pairwise(offsets):
        row = slice(begin, end)
        of_second = types[row] == 1 if tokenizer.typed else _after_separator(framing[row])
        kept = ~framing[row]
        first.append(ids[row][kept & ~of_second].tolist())
        second.append(ids[row][kept & of_second].tolist())
    return Texts(_decoded(tokenizer, first), _decoded(tokenizer, second))


def _after_separator(framing: Any) -> Any:
    """Which tokens of a row [S] come after the first framing token that is not at its beginning: bool [S]."""
    separators = np.flatnonzero(framing[1:]) + 1
    return np.arange(len(framing)) > (separators[0] if len(separators) else len(framing))


def _decoded(tokenizer: Tokenizer, rows: list[list[int]]) -> tuple[str, ...]:
    return tuple(text.lower() for text in tokenizer.backend.decode_batch(rows, skip_special_tokens=False))
