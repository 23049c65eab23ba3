"""The error that ends a run. `InputError`, for bad input, is in `tasks.errors`."""

from __future__ import annotations


class RunFailed(Exception):
    """The run ended early. The ledger and the store keep all finished jobs; the same command continues the run."""
