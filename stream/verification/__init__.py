"""The proof of a run, checked by whoever has its folder: chain, keys, Deltas, cells, documents, data, backbone."""

from __future__ import annotations

from stream.verification.checks import verify
from stream.verification.verdict import Finding, Verdict

__all__ = ["Finding", "Verdict", "verify"]
