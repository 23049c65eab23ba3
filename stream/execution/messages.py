"""Messages about running jobs: JSON lines to workers and from workers, and the messages that the engine receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from stream.storage.job import JobId


class Started(TypedDict):
    """A job begins. `worker` is the number of the worker, from 0; 0 also for the command's own process."""

    kind: Literal["start"]
    job: JobId
    worker: int


class Progressed(TypedDict):
    """Progress of a fit: `report` comes from `learners.training.fit` or from a strategy."""

    kind: Literal["progress"]
    job: JobId
    worker: int
    report: Mapping[str, object]


class Done(TypedDict):
    """A job is finished. `result` is a `JobResult` if this process did the job, or its plain JSON value if a worker
    did it."""

    kind: Literal["done"]
    job: JobId
    worker: int
    result: Any


class Noticed(TypedDict):
    """Something that the user should know: a worker ended, or a file of the store was damaged."""

    kind: Literal["notice"]
    text: str


class WorkerMessage(TypedDict, total=False):
    """A line from a worker.

    `kind` is `ready` (the worker can take jobs of the run), `progress`, `done`, `lost` (the job needs a file of the
    store that is missing or damaged; `delta` is the Delta in it, None for a record), or `failed` (an exception ended
    the job; `type` is its name).
    """

    kind: Literal["ready", "progress", "done", "lost", "failed"]
    job: str
    report: Mapping[str, object]
    result: Any
    delta: str | None
    type: str
    message: str


class Order(TypedDict, total=False):
    """A line to a worker: the `setup` of a run and the path of the `log` for its output; or a `job` and the `results`
    of the jobs that it needs."""

    setup: Mapping[str, Any]
    log: str
    job: Mapping[str, Any]
    results: Mapping[str, Any]


Message = Started | Progressed | Done | Noticed
