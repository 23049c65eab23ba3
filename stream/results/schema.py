"""The types of the document results.json, schema 1. Fields are in the order of the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from pydantic import JsonValue

from stream.results.account import AccountEntry
from stream.results.failures import FailureEntry
from stream.results.selection import ChoiceEntry
from stream.storage.cell import Provenance
from stream.storage.facts import BackboneFacts, Setting, TaskFacts

SCHEMA = 1
# Entries of a learner that documents of earlier versions lack.
ADDED = ("folder", "fits")
ADDED_TRAINING = ("decay",)  # of these, in `training`


class ViolationEntry(TypedDict):
    """A cell of an isolated learner whose logits differ from the first logits of its task.

    Attributes:
        expected, found: Content ids of the first logits and of the logits in this cell.
    """

    task: str
    arrival: int
    expected: str
    found: str


class MetricsOver(TypedDict):
    """The metrics use `tasks` of the `of` tasks that arrived."""

    tasks: int
    of: int


class CostEntry(TypedDict):
    """The cost of a learner; see `stream.results.account`, and `stream.results.selection` for that of a search."""

    trained_parameters_per_task: Mapping[str, int]
    kept_parameters_per_task: Mapping[str, int]
    head_parameters_per_task: Mapping[str, int]
    growth: list[float]
    growth_without_heads: list[float]
    bytes_per_task: Mapping[str, int]
    train_flops: float
    train_seconds: float
    evaluate_seconds: float
    peak_memory_bytes: int | None
    after_each_arrival: list[AccountEntry]
    search_fits: NotRequired[int]
    search_examples: NotRequired[int]
    search_flops: NotRequired[float]
    search_seconds: NotRequired[float]


class RetentionEntry(TypedDict):
    """The proof; see `stream.results.learner_results.Retention`. `cells_partly_measured` is not written if it is 0."""

    verified: bool
    cells_measured: int
    cells_partly_measured: NotRequired[int]
    cells_certified: int
    cells_audited: int
    violations: list[ViolationEntry]


class FitEntry(TypedDict):
    """A fit: validation score and mean training loss after each epoch, and the epoch that was kept, from 0."""

    validation: list[float]
    losses: list[float]
    best: int


class LearnerEntry(TypedDict):
    """One learner: R [arrivals + 1, T], its provenance, metrics, cost and proof. Row 0 of R is before training.

    `folder` is the name of its folder in the run's folder, with R.csv.
    `fits` has the fits that succeeded, by task; `selection` the choice on each task of a learner with
    alternatives, and of one that fits several models on the texts.
    `errors` is the standard error of each score of the last row over test rows, by task. Earlier versions lack it.
    """

    spec: str
    folder: str
    canonical: str
    sharing: str
    training: Mapping[str, Setting]
    R: list[list[float | None]]
    baseline: list[float | None]
    provenance: list[list[Provenance | None]]
    fits: Mapping[str, FitEntry]
    failures: list[FailureEntry]
    metrics: Mapping[str, float | None]
    metrics_over: MetricsOver
    errors: NotRequired[Mapping[str, float]]
    selection: NotRequired[Mapping[str, ChoiceEntry]]
    cost: CostEntry
    retention: RetentionEntry


class LedgerState(TypedDict):
    """The ledger behind the results: its number of lines, and the hash of its last line."""

    lines: int
    hash: str


class _Results(TypedDict):
    schema: int
    suite: str
    source: str
    backbone: BackboneFacts
    order: list[str]
    seed: int
    settings: Mapping[str, Setting]
    tasks: Mapping[str, TaskFacts]
    learners: dict[str, LearnerEntry]
    environment: Mapping[str, JsonValue]


class ResultsDocument(_Results, total=False):
    """The whole document. It has `plugins` if the run uses plug-ins. The file of a run also has `ledger`."""

    plugins: list[dict[str, str]]
    ledger: LedgerState
