"""What is said of jobs under way: orders to workers and their answers, as JSON lines; and what the engine is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from stream.storage.job import JobId


class Started(TypedDict):
    """A job begins."""

    kind: Literal["start"]
    job: JobId
    worker: int


class Progressed(TypedDict):
    """How far a fit is: `report` is what `learners.training.fit` tells, or a strategy."""

    kind: Literal["progress"]
    job: JobId
    worker: int
    report: Mapping[str, object]


class Done(TypedDict):
    """A job is finished. `result` is a `JobResult` in this process, and of a worker `plain` of it."""

    kind: Literal["done"]
    job: JobId
    worker: int
    result: Any


class WorkerMessage(TypedDict, total=False):
    """A line of a worker: it is `ready` for a run, or one of the above, or a job has `failed` with an exception."""

    kind: Literal["ready", "progress", "done", "failed"]
    job: str
    report: Mapping[str, object]
    result: Any
    type: str
    message: str


class Order(TypedDict, total=False):
    """A line to a worker: the `setup` of a run and a `log` for what it prints; or a `job` and what that needs."""

    setup: Mapping[str, Any]
    log: str
    job: Mapping[str, Any]
    results: Mapping[str, Any]


Message = Started | Progressed | Done
