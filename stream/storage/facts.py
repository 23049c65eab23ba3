"""Facts about a run that are known before its first job. The ledger stores them and the results repeat them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from pydantic import JsonValue

from stream.storage.plain import ABSENT

Setting = str | int | float | None
Override = str | int | float | None


class _Backbone(TypedDict):
    name: str
    id: str
    parameters: int


class BackboneFacts(_Backbone, total=False):
    """Name as the user gave it, content id, number of parameters, pooling; the commit of a backbone from the hub."""

    pooling: str
    commit: str


class _Task(TypedDict):
    metric: str
    classes: int
    train: int
    test: int
    kind: str


class TaskFacts(_Task, total=False):
    """Metric, width of the head (`classes`), number of rows used per split, kind of task, content id of the data,
    notes, and the best possible score as a fraction if it is known (`ceiling`)."""

    validation: int
    data_id: str
    notes: list[str]
    ceiling: float


@dataclass(frozen=True, kw_only=True)
class LedgerFacts:
    """What results.json says about the run itself.

    Attributes:
        suite: Name of the suite.
        source: Name of the source of examples.
        backbone: Facts about the backbone.
        order: Names of the tasks, in order of arrival.
        seed: Seed of the run.
        tasks: Facts about each task, by name.
        settings: The settings of the command that results depend on.
        environment: Versions and machine at the start of the run: files may change while it runs.
        plugins: Plug-ins that the run uses: name, kind, source, sha256. Not written if there are none.
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
