"""Keeps Avalanche's random numbers, prints and warnings away from the rest of the process."""

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

from learners.training.result import Report


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Seeds every random generator that Avalanche uses, for a `with` block. Afterwards they have their old states."""
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
    """Ignores what is printed. rich consoles still write to the earlier standard output."""

    def __init__(self, before: TextIO) -> None:
        self.rich_proxied_file = before

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def silenced() -> Iterator[TextIO]:
    """Ignores all prints and warnings in a `with` block. Yields the earlier standard output."""
    before = sys.stdout
    quiet = warnings.catch_warnings(record=True, action="ignore")  # `record`, because Avalanche sets its own filters
    with redirect_stdout(_Silence(before)), quiet:
        yield before


def printing(report: Report, stdout: TextIO) -> Report:
    """Returns a report function that may print to `stdout` although prints are ignored elsewhere."""

    def report_with_stdout(event: dict[str, object]) -> None:
        with redirect_stdout(stdout):
            report(event)

    return report_with_stdout
