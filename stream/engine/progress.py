"""The events that a view, a logger or the caller's `handle` receives while a run goes on.

They are plain dictionaries, ready for JSON; the entry `event` gives the kind. Times are in seconds, sizes in bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NotRequired, TypedDict, final

from stream.storage.cell import Cell
from stream.storage.facts import BackboneFacts, Setting
from stream.storage.job import JobKind


class CellEntry(TypedDict):
    """An evaluated cell of R; see `stream.storage.cell.Cell`."""

    task: str
    score: float | None
    n: int
    logits: str
    predictions: str
    delta: str
    plan: str
    seconds: float
    provenance: str


class SharingEntry(TypedDict):
    """What the tasks of a learner share: `isolated`, `sequential` or `frozen-shared`."""

    sharing: str


class FailureEntry(TypedDict):
    """Why a fit failed: type, training step, message."""

    type: str
    step: int
    message: str


@final
class RunBegins(TypedDict):
    """The first event. `jobs` is the number of jobs of the run, `cached` the number that earlier calls finished."""

    event: Literal["run"]
    suite: str
    order: list[str]
    learners: Mapping[str, SharingEntry]
    backbone: BackboneFacts
    jobs: int
    cached: int
    seed: int
    out: str
    settings: Mapping[str, Setting]


@final
class JobBegins(TypedDict):
    """A job begins. `tasks` is the number of its tasks, `task` the last one, `worker` the number of the worker."""

    event: Literal["start"]
    job: str
    learner: str
    task: str
    kind: JobKind
    arrival: int
    tasks: int
    worker: NotRequired[int]


class _Progress(TypedDict):
    event: Literal["progress"]
    job: str
    learner: str
    task: str


@final
class JobProgress(_Progress, total=False):
    """Progress of a fit. `again` is present if an earlier fit must be repeated first, and names its task."""

    worker: int
    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    examples_per_second: float
    again: str


@final
class FitDone(TypedDict):
    """A fit succeeded. `epochs` are the validation scores after each epoch, `score` is that of the kept epoch; None if
    nothing is trained."""

    event: Literal["fit"]
    job: str
    learner: str
    arrival: int
    task: str
    epochs: list[float]
    score: float | None
    losses: list[float]
    parameters: int
    head_parameters: int
    bytes: int
    seconds: float
    cached: bool
    delta: str


@final
class FitFailed(TypedDict):
    """A fit diverged. The stream continues without its task."""

    event: Literal["fit"]
    job: str
    learner: str
    arrival: int
    task: str
    failed: FailureEntry
    seconds: float


@final
class TrialDone(TypedDict):
    """A trial of a learner with alternatives is finished: `candidate` is the alternative, `score` its best validation
    score; None if its fit failed."""

    event: Literal["search"]
    job: str
    learner: str
    arrival: int
    task: str
    candidate: str
    score: float | None
    seconds: float
    cached: bool


@final
class BeforeDone(TypedDict):
    """A learner was evaluated on all tasks before training."""

    event: Literal["before"]
    job: str
    learner: str
    arrival: int
    task: str
    cells: list[CellEntry]
    seconds: float


@final
class RowDone(TypedDict):
    """A row of R is finished; `cells` are the evaluated ones.

    `growth` and `forgetting` are those of the learner so far; None if not defined. `verified` is True for an isolated
    learner: its logits are equal to those when each task was learned. It is None for other learners.
    """

    event: Literal["row"]
    job: str
    learner: str
    arrival: int
    task: str
    cells: list[CellEntry]
    seconds: float
    growth: float | None
    forgetting: float | None
    verified: bool | None


@final
class ArrivalDone(TypedDict):
    """All learners have their row of an arrival. `seconds` is the time since the call began."""

    event: Literal["arrival"]
    arrival: int
    tasks: int
    task: str
    seconds: float


@final
class ViolationFound(TypedDict):
    """An isolated learner has other logits than when a task was learned. This ends the call."""

    event: Literal["violation"]
    learner: str
    task: str
    arrival: int
    message: str


@final
class Notice(TypedDict):
    """A message for the user."""

    event: Literal["notice"]
    message: str


@final
class RunEnds(TypedDict):
    """The run is finished; its results are in the folder `out`."""

    event: Literal["end"]
    seconds: float
    out: str


ProgressEvent = (
    RunBegins
    | JobBegins
    | JobProgress
    | FitDone
    | FitFailed
    | TrialDone
    | BeforeDone
    | RowDone
    | ArrivalDone
    | ViolationFound
    | Notice
    | RunEnds
)
Handle = Callable[[ProgressEvent], None]


def cell_entry(cell: Cell) -> CellEntry:
    """Returns a cell as an entry of an event."""
    return {
        "task": cell.task,
        "score": cell.score,
        "n": cell.n,
        "logits": cell.logits,
        "predictions": cell.predictions,
        "delta": cell.delta,
        "plan": cell.plan,
        "seconds": cell.seconds,
        "provenance": cell.provenance,
    }
