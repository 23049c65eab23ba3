"""Row keys: 64-bit hashes of the texts of a row. They are used to split, sample and compare rows by content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ROW_KEY_FORMAT = b"taskstream row key 1"


def row_keys(text: Sequence[str], text_b: Sequence[str] | None, seed: int) -> npt.NDArray[np.uint64]:
    """A 64-bit key per row, uint64 [n]. It depends on the texts, not on label, task or position.

    Equal texts have equal keys in each task. So a text that occurs in several tasks is in the same split of each.

    Args:
        text: First texts, [n].
        text_b: Second texts, [n]; None for single texts.
        seed: Seed of the hash.
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
