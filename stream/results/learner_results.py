"""Results of one learner: its accuracy matrix, metrics, cost and proof."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from stream.results.learner_cost import Cost, Series, read_cost
from stream.results.reading import cells, damaged, items, number, section, text, whole

if TYPE_CHECKING:  # the command must show something before NumPy is loaded
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Failure:
    """Why cells of R are empty.

    Attributes:
        arrival: Number of the task in the stream, from 1.
        step: Training step at which it showed; None if the fit ended and its answers were not finite.
        type: `Diverged` or `NotFinite`.
    """

    task: str
    arrival: int
    step: int | None
    type: str
    message: str


@dataclass(frozen=True)
class Violation:
    """A cell whose logits differ from those of the day the task was learned: the proof failed.

    Attributes:
        expected, found: Content ids of the logits.
    """

    task: str
    arrival: int
    expected: str
    found: str


@dataclass(frozen=True)
class Retention:
    """The proof that nothing was forgotten.

    Attributes:
        verified: The stream is complete, and every re-evaluation gave the same bytes as on the day of learning.
        cells_measured, cells_certified, cells_audited: Cells of R by provenance.
    """

    verified: bool
    cells_measured: int
    cells_certified: int
    cells_audited: int
    violations: tuple[Violation, ...]


@dataclass(frozen=True)
class LearnerResults:
    """Results of one learner.

    Attributes:
        name: As it was asked for: `adapter:64`.
        spec: The same, as results.json has it.
        canonical: The specification with every option that is not the default, in one fixed order.
        sharing: `isolated`, `sequential` or `frozen-shared`.
        order: Tasks in order of arrival, T names.
        arrivals: How many tasks it has learned so far; those whose fit failed are counted too.
        matrix: R, float64 [T + 1, T]: scores as fractions. Row 0 is before training, row i after arrival i; column j
            is task `order[j]`. nan where a task was not evaluated.
        metrics: Continual-learning metrics by name; None where one is not defined.
        counted: How many of the tasks that arrived the metrics are over; the fits of the others failed.
        training: Training settings by name.
        document: The learner's part of results.json; fields that this version does not know are in it too.
    """

    name: str
    spec: str = field(compare=False, repr=False)
    canonical: str = field(compare=False, repr=False)
    sharing: str = field(compare=False)
    order: tuple[str, ...] = field(repr=False)
    arrivals: int = field(compare=False)
    matrix: npt.NDArray[np.float64] = field(compare=False, repr=False)
    metrics: Mapping[str, float | None] = field(compare=False)
    counted: int = field(compare=False)
    cost: Cost = field(compare=False, repr=False)
    retention: Retention = field(compare=False, repr=False)
    failures: tuple[Failure, ...] = field(compare=False, repr=False)
    training: Mapping[str, object] = field(compare=False, repr=False)
    document: Mapping[str, object] = field(repr=False)

    @cached_property
    def provenance(self) -> npt.NDArray[np.str_]:
        """How each cell of R was obtained, [T + 1, T]: `measured`, `certified`, `audited`; empty where R is."""
        import numpy as np

        rows, tasks = self.matrix.shape
        hows: npt.NDArray[np.str_] = np.full((rows, tasks), "", dtype="<U9")
        for index, row in enumerate(items(self.document.get("provenance"), self.name)[:rows]):
            known = [text(how) for how in items(row, self.name)[:tasks]]
            hows[index, : len(known)] = known
        return hows

    def rows(self) -> tuple[Series, ...]:
        """The rows of R that are done, [arrivals + 1, T], the one before training first; None where nan."""
        done = self.matrix[: self.arrivals + 1]
        scores = done.astype(object)
        scores[done != done] = None  # nan
        return tuple(map(tuple, scores.tolist()))

    @property
    def bytes_per_task(self) -> float | None:
        """Mean stored bytes of a task, head included; None where none is known."""
        return _mean(self.cost.bytes_per_task)

    @property
    def trained_parameters(self) -> float | None:
        """Mean parameters trained for a task, head not included; None where none is known."""
        return _mean(self.cost.trained_parameters_per_task)

    def trained_share(self, backbone: int | None) -> float | None:
        """The same as a fraction of the backbone, which has so many parameters."""
        trained = self.trained_parameters
        return trained / backbone if trained is not None and backbone else None


def read_learner(name: str, value: object, order: tuple[str, ...], where: str) -> LearnerResults:
    """A learner of results.json.

    Raises:
        InputError: It is damaged; the message says where.
    """
    place = f"{where}: learners/{name}"
    document = section(value, place)
    if "R" not in document:
        raise damaged(place, "R, the accuracy matrix", ", ".join(document) or "an empty object")
    matrix, rows = cells(document["R"], len(order), f"{place}/R")
    arrivals = max(rows - 1, 0)
    counted = whole(section(document.get("metrics_over"), f"{place}/metrics_over").get("tasks"))
    metrics = section(document.get("metrics"), f"{place}/metrics")
    return LearnerResults(
        name=name,
        spec=text(document.get("spec")),
        canonical=text(document.get("canonical")),
        sharing=text(document.get("sharing")),
        order=order,
        arrivals=arrivals,
        matrix=matrix,
        metrics={metric: number(score) for metric, score in metrics.items()},
        counted=arrivals if counted is None else counted,
        cost=read_cost(document.get("cost"), f"{place}/cost"),
        retention=_retention(section(document.get("retention"), f"{place}/retention"), f"{place}/retention"),
        failures=tuple(_failure(entry, place) for entry in items(document.get("failures"), f"{place}/failures")),
        training=section(document.get("training"), f"{place}/training"),
        document=document,
    )


def _retention(entry: Mapping[str, object], where: str) -> Retention:
    found = [section(each, where) for each in items(entry.get("violations"), where)]
    return Retention(
        verified=entry.get("verified") is True,
        cells_measured=whole(entry.get("cells_measured")) or 0,
        cells_certified=whole(entry.get("cells_certified")) or 0,
        cells_audited=whole(entry.get("cells_audited")) or 0,
        violations=tuple(
            Violation(text(x.get("task")), whole(x.get("arrival")) or 0, text(x.get("expected")), text(x.get("found")))
            for x in found
        ),
    )


def _failure(value: object, where: str) -> Failure:
    entry = section(value, f"{where}/failures")
    return Failure(
        task=text(entry.get("task")),
        arrival=whole(entry.get("arrival")) or 0,
        step=whole(entry.get("step")),
        type=text(entry.get("type")),
        message=text(entry.get("message")),
    )


def _mean(by_task: Mapping[str, int]) -> float | None:
    return math.fsum(by_task.values()) / len(by_task) if by_task else None
