"""A job, one piece of a run's work, and its id: known to who plans it, who does it and who checks what it left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

JobKind = Literal["before", "fit", "evaluate", "audit"]
KINDS: tuple[JobKind, ...] = get_args(JobKind)


class JobId(str):
    """`kind/learner/arrival`, such as "fit/adapter:64/3". A string: it is a key of dictionaries and of JSON objects."""

    __slots__ = ()

    @classmethod
    def of(cls, kind: JobKind, learner: str, arrival: int) -> Self:
        return cls(f"{kind}/{learner}/{arrival}")

    @property
    def parts(self) -> tuple[JobKind, str, int]:
        """Kind, learner and arrival; a learner may have slashes in its name.

        Raises:
            ValueError: This is no job's id.
        """
        kind, _, rest = self.partition("/")
        learner, _, arrival = rest.rpartition("/")
        if kind not in KINDS or not learner or not arrival.isdecimal():
            raise ValueError(f"not the id of a job: {str(self)!r}")
        return kind, learner, int(arrival)

    @property
    def kind(self) -> JobKind:
        return self.parts[0]


@dataclass(frozen=True)
class Job:
    """One piece of work.

    Attributes:
        kind: `before` scores every task before training; `fit` learns one task; `evaluate` scores a row of R, or
            part of it; `audit` scores the last row once more, from the stored Deltas.
        learner: Specification as the user wrote it.
        arrival: 0 before training, then from 1.
        tasks: The task to fit, or the tasks to score.
        needs: Ids of the jobs whose results it takes.
        worker_affinity: Whether it must run in the process that ran the one before it, which holds its state.
    """

    kind: JobKind
    learner: str
    arrival: int
    tasks: tuple[str, ...]
    needs: tuple[JobId, ...] = ()
    worker_affinity: bool = False

    @property
    def id(self) -> JobId:
        return JobId.of(self.kind, self.learner, self.arrival)


def read_job(value: Mapping[str, Any]) -> Job:
    """A job from its fields as JSON has them."""
    needs = tuple(map(JobId, value["needs"]))
    return Job(**{**value, "tasks": tuple(value["tasks"]), "needs": needs})
