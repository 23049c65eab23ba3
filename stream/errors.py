"""The error of a run that ends early."""

from __future__ import annotations


class RunFailed(Exception):
    """The run ended early. Completed work is in the ledger and the store, and the same command continues the run."""
