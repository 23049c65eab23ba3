"""The end of a run that could not go on."""

from __future__ import annotations


class RunFailed(Exception):
    """The run ended early; what was earned is in the ledger and the store, and the same command goes on from there."""
