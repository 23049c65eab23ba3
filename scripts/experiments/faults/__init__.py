"""Faults on purpose, and what must be left of a run after them."""
