"""Limits on what a client may ask."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits on what a client may ask.

    Attributes:
        rows: Most rows of a request.
        characters: Most characters of a text. The encoder reads no more than the first tokens anyway.
        waiting: Most rows that wait for an answer. Further requests are refused (503) until some are answered.
        batch: Most rows of several requests in one pass. A request with more has a pass of its own.
    """

    rows: int = 256
    characters: int = 20_000
    waiting: int = 4096
    batch: int = 64

    @property
    def bytes(self) -> int:
        """Most bytes of the body of a request: full rows of characters that take four bytes each, up to 64 MiB."""
        return min(1 << 26, 2 * self.rows * (4 * self.characters + 256))
