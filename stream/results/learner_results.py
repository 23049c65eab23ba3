"""The results of one learner: accuracy matrix, metrics, cost and proof."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, get_args

from stream.results.fit_history import Choice, FitHistory, read_choices, read_histories
from stream.results.learner_cost import Cost, Series, read_cost
from stream.results.reading import cells, damaged, items, number, section, text, whole
from stream.storage.cell import Provenance

EARLIER = {"decay": True}  # training settings that documents of earlier versions lack
NORMAL = 1.96  # standard errors on each side of a 95 % interval

if TYPE_CHECKING:  # NumPy is slow to import, and the command must print something first
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True)
class Failure:
    """Why cells of R are empty.

    Attributes:
        task: The task without a score.
        arrival: The arrival after which this occurred, from 1; 0 is before training.
        step: Training step at which the fit failed, 0 if not known; None if the fit ended with logits that are not
            finite.
        type: `Diverged`, `WorkerDied` or `NotFinite`.
        message: The reason, in words.
    """

    task: str
    arrival: int
    step: int | None
    type: str
    message: str


@dataclass(frozen=True)
class Violation:
    """A cell whose logits differ from the first logits of its task: the proof failed.

    Attributes:
        task, arrival: The cell of R.
        expected, found: Content ids of the first logits and of the logits in this cell.
    """

    task: str
    arrival: int
    expected: str
    found: str


@dataclass(frozen=True)
class Retention:
    """The proof that the learner forgot nothing.

    Attributes:
        verified: Whether the stream is complete and every re-evaluation gave the same bytes as the first evaluation.
        cells_measured, cells_partly_measured, cells_certified, cells_audited: Numbers of cells of R, by provenance.
        violations: Cells that differ; empty if the proof holds.
    """

    verified: bool
    cells_measured: int
    cells_partly_measured: int
    cells_certified: int
    cells_audited: int
    violations: tuple[Violation, ...]


@dataclass(frozen=True)
class LearnerResults:
    """The results of one learner.

    Attributes:
        name: The name in the command: `adapter:64`.
        spec: The same name, as results.json has it.
        canonical: The specification with every option that is not the default, in one fixed order.
        sharing: `isolated`, `sequential` or `frozen-shared`.
        order: Tasks in order of arrival, T names.
        arrivals: Number of arrivals so far, including those whose fit failed.
        matrix: R, float64 [T + 1, T]: scores as fractions. Row 0 is before training, row i after arrival i; column j
            is task `order[j]`. NaN if a task was not evaluated or failed.
        metrics: Continual-learning metrics by name; None if a metric is not defined.
        counted: Number of arrived tasks that the metrics use. The fits of the other tasks failed.
        errors: Standard error of each score in the last row of R over test rows, by task, as far as it is known.
        cost: Parameters, bytes, time, FLOPs and memory.
        retention: The proof that nothing was forgotten.
        failures: Why cells of R are empty, if fits failed.
        training: Training settings by name.
        selection: The choice on each task, by task; empty for a learner without alternatives.
        fits: How the fit of each task went, by task; empty if not known.
        document: The learner's part of results.json, including fields that this version does not know.
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
    errors: Mapping[str, float] = field(compare=False, repr=False)
    cost: Cost = field(compare=False, repr=False)
    retention: Retention = field(compare=False, repr=False)
    failures: tuple[Failure, ...] = field(compare=False, repr=False)
    training: Mapping[str, object] = field(compare=False, repr=False)
    selection: Mapping[str, Choice] = field(compare=False, repr=False)
    fits: Mapping[str, FitHistory] = field(compare=False, repr=False)
    document: Mapping[str, object] = field(repr=False)

    @cached_property
    def provenance(self) -> npt.NDArray[np.str_]:
        """How each cell of R was obtained, [T + 1, T]: a `stream.storage.cell.Provenance`; empty if R has no score."""
        import numpy as np

        rows, tasks = self.matrix.shape
        hows: npt.NDArray[np.str_] = np.full((rows, tasks), "", dtype=f"<U{max(map(len, get_args(Provenance)))}")
        for index, row in enumerate(items(self.document.get("provenance"), self.name)[:rows]):
            known = [text(how) for how in items(row, self.name)[:tasks]]
            hows[index, : len(known)] = known
        return hows

    def rows(self) -> tuple[Series, ...]:
        """Returns the finished rows of R, [arrivals + 1, T], with None instead of NaN. Row 0 is before training."""
        done = self.matrix[: self.arrivals + 1]
        scores = done.astype(object)
        scores[done != done] = None  # nan
        return tuple(map(tuple, scores.tolist()))

    @property
    def half_width(self) -> float | None:
        """Half width of the 95 % interval of the metric average_accuracy over test rows, a fraction: 1.96 standard
        errors of a mean of scores, each on test rows of its own. None if the error of a score is not known."""
        done = self.arrivals
        scores = zip(self.order[:done], self.matrix[done, :done].tolist(), strict=True)
        errors = [self.errors.get(task) for task, score in scores if not math.isnan(score)]
        known = [error for error in errors if error is not None]
        if not known or len(known) < len(errors):
            return None
        return NORMAL * math.hypot(*known) / len(known)

    @property
    def bytes_per_task(self) -> float | None:
        """Mean stored bytes per task, with the head; None if not known."""
        return _mean(self.cost.bytes_per_task)

    @property
    def trained_parameters(self) -> float | None:
        """Mean trained parameters per task, without the head; None if not known."""
        return _mean(self.cost.trained_parameters_per_task)

    def trained_share(self, backbone: int | None) -> float | None:
        """Returns `trained_parameters` as a fraction of the backbone; None if not known.

        Args:
            backbone: Number of parameters of the backbone; None if not known.
        """
        trained = self.trained_parameters
        return trained / backbone if trained is not None and backbone else None


def read_learner(name: str, value: object, order: tuple[str, ...], where: str) -> LearnerResults:
    """Reads a learner in results.json.

    Args:
        name: The learner's name.
        value: The JSON value.
        order: Tasks in order of arrival.
        where: Place of the document, for error messages.

    Raises:
        InputError: The value is damaged; the message says where.
    """
    place = f"{where}: learners/{name}"
    document = section(value, place)
    if "R" not in document:
        raise damaged(place, "R, the accuracy matrix", ", ".join(document) or "an empty object")
    matrix, rows = cells(document["R"], len(order), f"{place}/R")
    arrivals = max(rows - 1, 0)
    counted = whole(section(document.get("metrics_over"), f"{place}/metrics_over").get("tasks"))
    metrics = section(document.get("metrics"), f"{place}/metrics")
    errors = section(document.get("errors"), f"{place}/errors")
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
        errors={task: x for task, error in errors.items() if (x := number(error)) is not None},
        cost=read_cost(document.get("cost"), f"{place}/cost"),
        retention=_retention(section(document.get("retention"), f"{place}/retention"), f"{place}/retention"),
        failures=tuple(_failure(entry, place) for entry in items(document.get("failures"), f"{place}/failures")),
        training={**EARLIER, **training}
        if (training := section(document.get("training"), f"{place}/training"))
        else {},
        selection=read_choices(document.get("selection"), f"{place}/selection"),
        fits=read_histories(document.get("fits"), f"{place}/fits"),
        document=document,
    )


def _retention(entry: Mapping[str, object], where: str) -> Retention:
    found = [section(each, where) for each in items(entry.get("violations"), where)]
    return Retention(
        verified=entry.get("verified") is True,
        cells_measured=whole(entry.get("cells_measured")) or 0,
        cells_partly_measured=whole(entry.get("cells_partly_measured")) or 0,
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
