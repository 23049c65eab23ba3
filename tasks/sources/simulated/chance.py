"""Seeded choice, the same on every machine: a hash names the stream, one documented generator feeds it."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """A stream of random choices named by what it is for.

    Everything rests on `random.Random.random()`, the one method whose sequence for a seed Python promises to keep.

    Args:
        name: What the stream is for: (seed, task, split, index, purpose). Equal names give equal choices.
    """

    def __init__(self, *name: str | int) -> None:
        digest = hashlib.blake2b("\x1f".join(map(str, name)).encode(), digest_size=16).digest()
        self.unit = random.Random(int.from_bytes(digest, "big")).random

    def below(self, n: int) -> int:
        """An integer of 0 ... n-1."""
        return int(self.unit() * n)

    def between(self, low: int, high: int) -> int:
        """An integer of low ... high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def flip(self, probability: float) -> bool:
        return self.unit() < probability

    def pick(self, values: Sequence[T]) -> T:
        if not values:
            raise ValueError("nothing to pick from")
        return values[int(self.unit() * len(values))]

    def weighted(self, values: Sequence[T], weights: Sequence[float]) -> T:
        """One of `values`, in proportion to `weights` [n]."""
        sums = list(accumulate(weights))
        return values[min(bisect(sums, self.unit() * sums[-1]), len(values) - 1)]

    def sample(self, values: Sequence[T], n: int) -> list[T]:
        """`n` different positions of `values`, in random order; all of them where there are fewer."""
        left = list(values)
        chosen = []
        for _ in range(min(n, len(left))):
            position = self.below(len(left))
            left[position], left[-1] = left[-1], left[position]
            chosen.append(left.pop())
        return chosen

    def normal(self) -> float:
        """About standard normal: a sum of twelve uniforms, so that no platform rounds it differently."""
        return sum(self.unit() for _ in range(12)) - 6.0
