"""What a run is about, known before its first job: written into its ledger, and repeated in its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from pydantic import JsonValue

from stream.storage.plain import ABSENT

Setting = str | int | float | None
Override = int | float | None


class _Backbone(TypedDict):
    name: str
    id: str
    parameters: int


class BackboneFacts(_Backbone, total=False):
    """Name as given, content id, number of parameters; of a backbone of the hub its commit."""

    pooling: str
    commit: str


class _Task(TypedDict):
    metric: str
    classes: int
    train: int
    test: int
    kind: str


class TaskFacts(_Task, total=False):
    """Metric, width of the head, rows as used of each split, and the best possible score where it is known."""

    validation: int
    data_id: str
    notes: list[str]
    ceiling: float


@dataclass(frozen=True, kw_only=True)
class LedgerFacts:
    """What results.json says of the run itself.

    Attributes:
        order: Tasks as they arrive.
        settings: Of the command, those that results depend on.
        environment: Versions and machine as they were when the run began: files may change while it goes on.
        plugins: Those that the run uses: name, kind, source, sha256; absent where there are none.
    """

    suite: str
    source: str
    backbone: BackboneFacts
    order: tuple[str, ...]
    seed: int
    tasks: Mapping[str, TaskFacts]
    settings: Mapping[str, Setting]
    environment: Mapping[str, JsonValue]
    plugins: tuple[Mapping[str, str], ...] = field(default=(), metadata=ABSENT)
