"""A job, which is one piece of a run's work, and its id. Planning, execution and verification all use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

JobKind = Literal["before", "search", "fit", "evaluate", "audit"]
KINDS: tuple[JobKind, ...] = get_args(JobKind)


class JobId(str):
    """The id of a job: `kind/learner/arrival`, for example "fit/adapter:64/3"; of a trial, "search/adapter:8/64/3.0".

    It is a string because it is a key of dictionaries and of JSON objects.
    """

    __slots__ = ()

    @classmethod
    def of(cls, kind: JobKind, learner: str, arrival: int, trial: int | None = None) -> Self:
        return cls(f"{kind}/{learner}/{arrival}" + ("" if trial is None else f".{trial}"))

    @property
    def parts(self) -> tuple[JobKind, str, int]:
        """Kind, learner and arrival. The name of a learner may contain slashes.

        Raises:
            ValueError: This is not the id of a job.
        """
        kind, _, rest = self.partition("/")
        learner, _, place = rest.rpartition("/")
        arrival = place.partition(".")[0] if kind == "search" else place
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
        kind: `before` evaluates every task before training. `fit` learns one task. `search` fits one alternative of a
            learner on it, to see its validation score; the fit then keeps the winner. `evaluate` evaluates a row of R,
            or part of it. `audit` evaluates the last row again, from the stored Deltas.
        learner: Specification of the learner as the user wrote it.
        arrival: 0 before training, then from 1.
        tasks: The task to fit, or the tasks to evaluate.
        needs: Ids of the jobs whose results it uses; they must be done first. Default: none.
        worker_affinity: Whether it must run in the process of the learner's previous fit, because that process holds
            the state of the trainer. Default: False.
        trial: Number of the trial of a `search` job, from 0; None (default) for other jobs.
    """

    kind: JobKind
    learner: str
    arrival: int
    tasks: tuple[str, ...]
    needs: tuple[JobId, ...] = ()
    worker_affinity: bool = False
    trial: int | None = None

    @property
    def id(self) -> JobId:
        return JobId.of(self.kind, self.learner, self.arrival, self.trial)


def read_job(value: Mapping[str, Any]) -> Job:
    """Returns a job from the JSON object of its fields."""
    needs = tuple(map(JobId, value["needs"]))
    return Job(**{**value, "tasks": tuple(value["tasks"]), "needs": needs})
