"""The stream: the tasks in the order in which they arrive."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tasks.errors import InputError, shown, unknown_name
from tasks.lm15 import ORDERS
from tasks.suite import SUITES, known_name


@dataclass(frozen=True)
class Experience:
    """One arrival: its number, from 1, and the name of the task."""

    arrival: int
    task: str


@dataclass(frozen=True)
class Stream:
    """The arrivals of a stream, in order."""

    experiences: tuple[Experience, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the tasks, in order of arrival."""
        return tuple(experience.task for experience in self.experiences)


def make_stream(names: tuple[str, ...], order: str) -> Stream:
    """Returns a stream of the tasks of a suite.

    Args:
        names: Names of the tasks as the suite lists them.
        order: `paper` (the order of the suite, which is that of the paper's tables), `seed:N` (a random order), `1` to
            `6` (the orders of Progressive Prompts and O-LoRA for lm5 and lm15; 1 to 3 leave out Yelp), or the names of
            all tasks, separated by commas.

    Raises:
        InputError: The order is none of these, is one of another suite, or does not name each task exactly once.
    """
    kind, _, number = order.partition(":")
    if order == "paper":
        arranged = list(names)
    elif kind == "seed" and number.isdecimal():
        arranged = sorted(names)  # the random order must not depend on the order in which the suite lists its tasks
        random.Random(int(number)).shuffle(arranged)
    elif order in ORDERS and order not in names:  # a user's task may be called 1
        arranged = _numbered(names, order)
    else:
        arranged = [known_name(name.strip()) for name in order.split(",")]
        for name in arranged:
            if name not in names:
                raise unknown_name("task", name, (*names, "paper", "seed:N"), where=f"--order {order}")
        if sorted(arranged) != sorted(names):
            missing = sorted(set(names) - set(arranged)) or sorted({n for n in arranged if arranged.count(n) > 1})
            raise InputError(
                "an order must name each task of the suite exactly once",
                where=f"--order {order}",
                found=f"{', '.join(missing)} not named exactly once",
            )
    return Stream(tuple(Experience(i, name) for i, name in enumerate(arranged, start=1)))


def _numbered(names: tuple[str, ...], order: str) -> list[str]:
    """Returns the tasks of an order of `tasks.lm15.ORDERS`.

    Raises:
        InputError: The tasks are neither those of its suite nor those of the order.
    """
    suite, arranged = ORDERS[order]
    if set(names) not in (set(SUITES[suite]), set(arranged)):
        raise InputError(
            f"order {order} arranges the tasks of suite {suite}",
            where=f"--order {order}",
            expected=f"--suite {suite}",
            found=f"tasks {shown(names)}",
            fix=f"give --suite {suite}, or --order paper, seed:N or all task names",
        )
    return list(arranged)
