"""The document results.json, schema 1: its entries and their types, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from pydantic import JsonValue

from stream.results.account import AccountEntry
from stream.results.failures import FailureEntry
from stream.storage.cell import Provenance
from stream.storage.facts import BackboneFacts, Setting, TaskFacts

SCHEMA = 1


class ViolationEntry(TypedDict):
    """A cell of an isolated learner whose logits are not those of the day the task was learned; ids of logits."""

    task: str
    arrival: int
    expected: str
    found: str


class MetricsOver(TypedDict):
    """The metrics are over so many `tasks` of those that arrived."""

    tasks: int
    of: int


class CostEntry(TypedDict):
    """What a learner costs; see `stream.results.account`."""

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


class RetentionEntry(TypedDict):
    """The proof: `verified`, cells by provenance, violations."""

    verified: bool
    cells_measured: int
    cells_certified: int
    cells_audited: int
    violations: list[ViolationEntry]


class LearnerEntry(TypedDict):
    """One learner: R [arrivals + 1, T] with the row before training first, its provenance, metrics, cost and proof."""

    spec: str
    canonical: str
    sharing: str
    training: Mapping[str, Setting]
    R: list[list[float | None]]
    baseline: list[float | None]
    provenance: list[list[Provenance | None]]
    failures: list[FailureEntry]
    metrics: Mapping[str, float | None]
    metrics_over: MetricsOver
    cost: CostEntry
    retention: RetentionEntry


class LedgerState(TypedDict):
    """The ledger that results rest on: its number of lines, and the hash of the last."""

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
    """The whole document; `plugins` stand there where the run uses some, `ledger` in the file of a run."""

    plugins: list[dict[str, str]]
    ledger: LedgerState
