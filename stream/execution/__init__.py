"""Execution: one job, in this process or in a worker."""
