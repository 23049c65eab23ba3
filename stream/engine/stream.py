"""The stream: which task arrives when."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tasks.errors import InputError, unknown_name


@dataclass(frozen=True)
class Experience:
    """One arrival; `arrival` counts from 1."""

    arrival: int
    task: str


@dataclass(frozen=True)
class Stream:
    """Tasks in the order of their arrival."""

    experiences: tuple[Experience, ...]

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(experience.task for experience in self.experiences)


def make_stream(names: tuple[str, ...], order: str) -> Stream:
    """Arrange the tasks of a suite.

    Args:
        order: `paper`, as the suite lists them (the paper's tables); `seed:N`, a random order; or all names,
            separated by commas.

    Raises:
        InputError: An order that is none of these, or does not name each task once.
    """
    kind, _, number = order.partition(":")
    if order == "paper":
        arranged = list(names)
    elif kind == "seed" and number.isdecimal():
        arranged = sorted(names)  # the order must not depend on how the suite was written
        random.Random(int(number)).shuffle(arranged)
    else:
        arranged = [name.strip() for name in order.split(",")]
        for name in arranged:
            if name not in names:
                raise unknown_name("task", name, (*names, "paper", "seed:N"), where=f"--order {order}")
        if sorted(arranged) != sorted(names):
            missing = sorted(set(names) - set(arranged)) or sorted({n for n in arranged if arranged.count(n) > 1})
            raise InputError(
                "an order must name each task of the suite once",
                where=f"--order {order}",
                found=f"{', '.join(missing)} not named once",
            )
    return Stream(tuple(Experience(i, name) for i, name in enumerate(arranged, start=1)))
