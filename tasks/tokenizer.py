"""A tokenizer as the encoding of tasks needs it: one of the library `tokenizers`, and what its file does not say."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import tokenizers


@dataclass(frozen=True, eq=False)
class Tokenizer:
    """A tokenizer with its padding token and the inputs that it gives to an encoder.

    Attributes:
        backend: Tokenizer of the library `tokenizers`. It is never changed; its own settings of padding and truncation
            have no effect.
        tokens: Name -> text of special tokens, as transformers names them: `pad_token`, `cls_token`, and so on.
        typed: Whether rows have token types: those of `backend`, 1 in the second text of a pair. Else all are 0.
        side: Side on which rows that are too long lose tokens.
        copies: Maximum length -> copy of `backend` that cuts rows to it. `tokenise` fills it, because a copy takes
            10 ms for 8,000 tokens.
    """

    backend: tokenizers.Tokenizer
    tokens: Mapping[str, str] = field(default_factory=dict)
    typed: bool = True
    side: Literal["right", "left"] = "right"
    copies: dict[int | None, tokenizers.Tokenizer] = field(default_factory=dict, repr=False)

    @property
    def pad_token(self) -> str | None:
        """Text of the padding token. None: it has none."""
        return self.tokens.get("pad_token")

    @property
    def pad_id(self) -> int | None:
        """Token id of padding. None: it has no padding token."""
        return None if self.pad_token is None else self.backend.token_to_id(self.pad_token)

    def special_tokens(self, *, pair: bool) -> int:
        """Returns the number of special tokens that a row has beside its text, or its two texts."""
        return int(self.backend.num_special_tokens_to_add(pair))


def tokenise(
    tokenizer: Tokenizer, text: Sequence[str], text_b: Sequence[str] | None = None, max_length: int | None = None
) -> list[tokenizers.Encoding]:
    """Tokenises rows, with special tokens and without padding. Threads may do so at the same time.

    Args:
        text: A text per row, or the first text of each pair.
        text_b: The second text of each pair. Default: None, rows are single texts.
        max_length: Maximum number of tokens of a row, special tokens included. In a pair, the longer text is cut
            first. Default: None, rows are not cut.

    Returns:
        An encoding per row. `ids` are its token ids. `type_ids` are its token types, to be used if `tokenizer.typed`.

    Raises:
        Exception: The tokenizer cannot read a text. The library has no class of its own for its errors.
    """
    cutter = tokenizer.copies.get(max_length)
    if cutter is None:
        cutter = copy.deepcopy(tokenizer.backend)
        cutter.no_padding()
        cutter.no_truncation()
        if max_length is not None:
            cutter.enable_truncation(max_length, strategy="longest_first", direction=tokenizer.side)
        tokenizer.copies[max_length] = cutter
    rows = list(text) if text_b is None else list(zip(text, text_b, strict=True))
    return cutter.encode_batch_fast(rows)  # fast: without the positions of tokens in the text
