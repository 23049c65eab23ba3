"""Content ids: SHA-256 over length-prefixed parts, so that equal ids mean equal bytes and nothing else does."""

from __future__ import annotations

import hashlib
import json
from typing import Any

FORMAT = 1  # part of every id: a change in what an id covers makes all old ids foreign, never wrong


def content_id(kind: str, *parts: bytes | bytearray | memoryview | str) -> str:
    """SHA-256 (hex) of `kind`, the format version and every part, each prefixed with its length in bytes.

    The prefixes keep ("ab", "c") and ("a", "bc") apart; `kind` keeps a tensor and a text of equal bytes apart.
    """
    digest = hashlib.sha256()
    for part in (f"taskstream:{FORMAT}:{kind}", *parts):
        raw = part.encode() if isinstance(part, str) else memoryview(part).cast("B")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def canonical(value: Any) -> str:
    """JSON text of `value` with sorted keys and no spaces: one text for one value, for hashing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
