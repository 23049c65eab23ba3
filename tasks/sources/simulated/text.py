"""From tokens to text: articles, spaces, capitals and the final mark."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.sources.simulated.clause import Token
from tasks.sources.simulated.morphology import article

CLOSING = frozenset(",.!?;:")


def join(tokens: Iterable[Token]) -> str:
    """Words with single spaces, none before punctuation; `a` becomes `an` where the next word asks for it."""
    words = [(token.text, token.tag) for token in tokens]
    parts: list[str] = []
    for position, (word, tag) in enumerate(words):
        if word == "a" and tag == "determiner" and position + 1 < len(words):
            word = article(words[position + 1][0])
        if parts and word not in CLOSING:
            parts.append(" ")
        parts.append(word)
    return "".join(parts)


def sentence(tokens: Iterable[Token], mark: str = ".") -> str:
    """A sentence: first letter capital, a mark at the end."""
    text = join(tokens)
    return text[:1].upper() + text[1:] + mark
