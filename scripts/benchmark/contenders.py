"""Who is measured: `taskstream`, and three that a user would take otherwise."""

from __future__ import annotations

from typing import Any

from benchmark.process import Contender
from stream.execution.workers import MEMORY

OURS = "taskstream"


def ours(name: str, function: str, dtype: str, **settings: Any) -> Contender:
    """`taskstream`, its process started as the engine starts its workers."""
    return Contender(
        f"{OURS} {name}", f"{OURS} {dtype}", f"benchmark.ours:{function}", {"dtype": dtype, **settings}, MEMORY
    )


def trainer(function: str, name: str = "Trainer") -> Contender:
    """transformers.Trainer, with peft where it has the method."""
    return Contender(name, "Trainer", f"benchmark.{function}")


def avalanche(function: str, name: str = "Avalanche") -> Contender:
    """Avalanche 0.6."""
    return Contender(name, "Avalanche", f"benchmark.{function}")


def plain(function: str, name: str = "plain loop") -> Contender:
    """PyTorch and nothing else."""
    return Contender(name, "plain loop", f"benchmark.{function}")
