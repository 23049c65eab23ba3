"""Simulated tasks: a small language, meanings that it says, and labels that follow from the meanings."""

from __future__ import annotations

from tasks.sources.simulated.source import SimulatedSource, read_simulated

__all__ = ["SimulatedSource", "read_simulated"]
