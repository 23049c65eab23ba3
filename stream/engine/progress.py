"""What whoever watches a run is told: plain dictionaries, ready for JSON; `event` says which kind each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NotRequired, TypedDict, final

from stream.storage.cell import Cell
from stream.storage.facts import BackboneFacts, Setting
from stream.storage.job import JobKind


class CellEntry(TypedDict):
    """A cell of R that was run; see `stream.storage.events.Cell`."""

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
    """What tasks of a learner share: `isolated`, `sequential` or `frozen-shared`."""

    sharing: str


class FailureEntry(TypedDict):
    """Why a fit gave nothing."""

    type: str
    step: int
    message: str


@final
class RunBegins(TypedDict):
    """First of all. `cached`: how many of its `jobs` were done by earlier calls."""

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
    """A job begins; `tasks`: how many it scores."""

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
    """How far a fit is; `again` names the task of an earlier fit that is done once more first."""

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
    """A good fit. `epochs`: validation score after each; `score`: the best of them, None where nothing is trained."""

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
    """A fit that diverged: the stream goes on without its task."""

    event: Literal["fit"]
    job: str
    learner: str
    arrival: int
    task: str
    failed: FailureEntry
    seconds: float


@final
class BeforeDone(TypedDict):
    """Scores of all tasks before any training."""

    event: Literal["before"]
    job: str
    learner: str
    arrival: int
    task: str
    cells: list[CellEntry]
    seconds: float


@final
class RowDone(TypedDict):
    """A row of R: the cells that were run. `growth`, `forgetting`: of the learner so far, None where not defined.

    `verified`: True of an isolated learner, whose answers are those of the day each task was learned; else None.
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
    """All learners have their row of an arrival; `seconds` since the call began."""

    event: Literal["arrival"]
    arrival: int
    tasks: int
    task: str
    seconds: float


@final
class ViolationFound(TypedDict):
    """An isolated learner no longer answers as it did: the end of the call."""

    event: Literal["violation"]
    learner: str
    task: str
    arrival: int
    message: str


@final
class Notice(TypedDict):
    """Something worth knowing."""

    event: Literal["notice"]
    message: str


@final
class RunEnds(TypedDict):
    """All is done; results are in `out`."""

    event: Literal["end"]
    seconds: float
    out: str


ProgressEvent = (
    RunBegins
    | JobBegins
    | JobProgress
    | FitDone
    | FitFailed
    | BeforeDone
    | RowDone
    | ArrivalDone
    | ViolationFound
    | Notice
    | RunEnds
)
Handle = Callable[[ProgressEvent], None]


def cell_entry(cell: Cell) -> CellEntry:
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
