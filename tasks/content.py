"""Content ids: SHA-256 over length-prefixed parts. Two ids are equal exactly if their parts have equal bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

FORMAT = 1  # part of every id; increase it if ids cover something else, so that old ids match no new one


def content_id(kind: str, *parts: bytes | bytearray | memoryview | str) -> str:
    """SHA-256 (hexadecimal) of `kind`, the format version and all parts, each prefixed with its length in bytes.

    Because of the prefixes, ("ab", "c") and ("a", "bc") have different ids. Because of `kind`, a tensor and a text of
    equal bytes have different ids.
    """
    digest = hashlib.sha256()
    for part in (f"taskstream:{FORMAT}:{kind}", *parts):
        raw = part.encode() if isinstance(part, str) else memoryview(part).cast("B")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()


def canonical(value: Any) -> str:
    """JSON text of `value` with sorted keys and without spaces. Equal values have equal texts, so it can be hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
