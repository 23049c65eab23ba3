"""Row keys: 64-bit hashes of the texts of a row, which split, sample and compare rows by content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ROW_KEY_FORMAT = b"taskstream row key 1"


def row_keys(text: Sequence[str], text_b: Sequence[str] | None, seed: int) -> npt.NDArray[np.uint64]:
    """A 64-bit key [n] of every row's texts alone: not of its label, its task or its place.

    Equal texts have equal keys in every task, so tasks that share texts agree on what is train and what is test.
    """
    start = hashlib.blake2b(b"%d" % seed, digest_size=8, key=ROW_KEY_FORMAT)
    digests = bytearray()
    for row, first in enumerate(text):
        data = first.encode()
        digest = start.copy()
        digest.update(b"|%d:" % len(data))
        digest.update(data)
        if text_b is not None:
            digest.update(text_b[row].encode())
        digests += digest.digest()
    return np.frombuffer(bytes(digests), dtype="<u8").astype(np.uint64)
