"""The contenders: `taskstream`, and three alternatives."""

from __future__ import annotations

from typing import Any

from benchmark.process import Contender
from stream.execution.workers import MEMORY

OURS = "taskstream"


def ours(name: str, function: str, dtype: str, **settings: Any) -> Contender:
    """`taskstream`. Its process has the environment of a worker of the engine."""
    return Contender(
        f"{OURS} {name}", f"{OURS} {dtype}", f"benchmark.ours:{function}", {"dtype": dtype, **settings}, MEMORY
    )


def trainer(function: str, name: str = "Trainer") -> Contender:
    """transformers.Trainer, with peft if it has the method."""
    return Contender(name, "Trainer", f"benchmark.{function}")


def avalanche(function: str, name: str = "Avalanche") -> Contender:
    """Avalanche 0.6."""
    return Contender(name, "Avalanche", f"benchmark.{function}")


def plain(function: str, name: str = "plain loop") -> Contender:
    """A plain loop in PyTorch."""
    return Contender(name, "plain loop", f"benchmark.{function}")
