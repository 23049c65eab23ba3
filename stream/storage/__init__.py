"""Storage: ledger, store and files of a run."""
