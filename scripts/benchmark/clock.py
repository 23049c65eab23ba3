"""Time of a block: wall clock and CPU seconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Spent:
    """Times of a block, filled when the block ends.

    Attributes:
        seconds: Wall clock.
        cpu: CPU seconds of all threads of this process. If it is much lower than `seconds`, the process had to wait.
    """

    seconds: float = 0.0
    cpu: float = 0.0

    def as_dict(self) -> dict[str, float]:
        return {"seconds": self.seconds, "cpu": self.cpu}


@dataclass(frozen=True)
class Moment:
    """The moment of its creation, on both clocks."""

    begun: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def spent(self) -> Spent:
        """The times since then."""
        return Spent(time.perf_counter() - self.begun, time.process_time() - self.cpu)


@contextmanager
def clocked() -> Iterator[Spent]:
    spent, moment = Spent(), Moment()
    yield spent
    found = moment.spent()
    spent.seconds, spent.cpu = found.seconds, found.cpu


def median_of(times: int, action: Callable[[], object]) -> float:
    """Median of the seconds of an action that is repeated `times` times."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)
