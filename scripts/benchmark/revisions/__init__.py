"""The parts of `scripts/bench_revision.py`, which compares the speed of two revisions of this repository.

They use few names of the packages, all of which both revisions must have: the command, `python -m
stream.execution.worker`, and what `calls` imports.
"""
