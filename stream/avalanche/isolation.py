"""What Avalanche draws, prints and warns of while it trains, kept from the rest of the process."""

from __future__ import annotations

import io
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TextIO

import numpy as np
import torch

from learners.training.fit import Report


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Every generator that Avalanche draws from, seeded for a `with` block and then as it was."""
    python, arrays = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)


class _Silence(io.TextIOBase):
    """Takes what is printed; rich consoles write to what was there before."""

    def __init__(self, before: TextIO) -> None:
        self.rich_proxied_file = before

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def silenced() -> Iterator[TextIO]:
    """Let Avalanche print and warn in vain for a `with` block; gives the standard output as it was."""
    before = sys.stdout
    quiet = warnings.catch_warnings(record=True, action="ignore")  # recorded too, as it sets filters of its own
    with redirect_stdout(_Silence(before)), quiet:
        yield before


def spoken(report: Report, stdout: TextIO) -> Report:
    """A report whose reader may print."""

    def told(event: dict[str, object]) -> None:
        with redirect_stdout(stdout):
            report(event)

    return told
