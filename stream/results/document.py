"""Makes the document `results.json` (schema 1) from the events of the ledger alone."""

from __future__ import annotations

import platform
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from learners.specification.learner import Learner, Selection, Training
from learners.training.trainer import trainer_named
from stream.results.account import account, bytes_kept
from stream.results.failures import failures_of
from stream.results.matrix import AccuracyMatrix
from stream.results.metrics import Baseline, compute_all, counted
from stream.results.schema import SCHEMA, CostEntry, LearnerEntry, ResultsDocument, RetentionEntry, ViolationEntry
from stream.results.selection import candidate_choices, choices, inside_cost, search_cost
from stream.selection.choice import candidates_inside
from stream.selection.sampler import OPTUNA
from stream.storage.cell import Provenance
from stream.storage.events import RowEvent
from stream.storage.facts import LedgerFacts
from stream.storage.finished import Finished, cells_of, fits_of, good, row_of
from stream.storage.learner_folder import folder_name

LIBRARIES = ("torch", "transformers", "numpy", "safetensors", "scikit-learn")


@dataclass(frozen=True, kw_only=True)
class Facts(LedgerFacts):
    """What a run depends on. All of it is known before the first job.

    Attributes:
        learners: The learners by name.
    """

    learners: Mapping[str, Learner]

    @property
    def own_metrics(self) -> tuple[str, ...]:
        """Names of the plug-in metrics that the run computes."""
        return tuple(plugin["name"] for plugin in self.plugins if plugin["kind"] == "metric")

    @property
    def recorded(self) -> LedgerFacts:
        """The facts that the ledger records: all except the learners, which it records among the inputs."""
        return LedgerFacts(**{each.name: getattr(self, each.name) for each in fields(LedgerFacts)})


def results(facts: Facts, events: Finished) -> ResultsDocument:
    """Returns the document of results.json.

    Args:
        events: The valid event of each finished job, by job id.
    """
    document: ResultsDocument = {
        "schema": SCHEMA,
        "suite": facts.suite,
        "source": facts.source,
        "backbone": facts.backbone,
        "order": list(facts.order),
        "seed": facts.seed,
        "settings": facts.settings,
        "tasks": facts.tasks,
        "learners": {name: _learner(facts, name, learner, events) for name, learner in facts.learners.items()},
        "environment": facts.environment,
    }
    if facts.plugins:
        document["plugins"] = [dict(plugin) for plugin in facts.plugins]
    return document


def matrix_of(order: tuple[str, ...], name: str, events: Finished) -> AccuracyMatrix:
    """Returns R of one learner, up to the first row that is not finished.

    A row event records the cells that were evaluated. If the row is certified, each earlier task keeps the score of
    its own arrival. A task whose fit failed has no score from its arrival on.

    Args:
        order: Tasks in order of arrival.
        name: The learner's name in the run.
        events: The valid event of each finished job, by job id.
    """
    before = {cell.task: cell.score for cell in cells_of(events, "before", name, 0)}
    place = {task: index for index, task in enumerate(order)}
    certified: Provenance = "certified"
    learned: list[float | None] = []
    rows: list[tuple[float | None, ...]] = []
    provenance: list[tuple[Provenance | None, ...]] = []
    for arrival in range(1, len(order) + 1):
        event = row_event(events, name, arrival)
        if event is None:
            break
        covered = len(learned) if event.certified else 0
        scores: list[float | None] = [*learned[:covered], *[None] * (len(order) - covered)]
        hows: list[Provenance | None] = [None if score is None else certified for score in scores]
        for cell in event.cells:
            how = None if cell.score is None else cell.provenance
            scores[place[cell.task]], hows[place[cell.task]] = cell.score, how
        learned.append(scores[arrival - 1])
        rows.append(tuple(scores))
        provenance.append(tuple(hows))
    return AccuracyMatrix(order, tuple(before.get(task) for task in order), tuple(rows), tuple(provenance))


def errors_of(order: tuple[str, ...], name: str, events: Finished, matrix: AccuracyMatrix) -> dict[str, float]:
    """Returns the standard error of each score in the last row of a learner, by task, as far as it is known.

    A certified cell has that of the cell measured when the task arrived.

    Args:
        matrix: R of the learner, from `matrix_of`.
    """
    errors: dict[str, float] = {}
    for place, task in enumerate(order[: matrix.arrivals], start=1):
        rows = (row_event(events, name, arrival) for arrival in (matrix.arrivals, place))
        found = next((cell for row in rows if row for cell in row.cells if cell.task == task), None)
        if found is not None and found.error is not None:
            errors[task] = found.error
    return errors


def references_of(facts: Facts, name: str, events: Finished) -> dict[Baseline, dict[str, float]]:
    """Returns the reference scores of a learner, from learners of the run that train the same weights the same way.

    * `single_task`: the isolated learner, which learns each task alone. One score per task.
    * `joint`: plain joint training on all tasks. Only the score of the last task.
    """

    def same(learner: Learner) -> tuple[str, Training, Selection | None]:
        return re.sub(":sharing=[a-z-]+", "", learner.seeds), learner.training, learner.selection

    alike = {twin: x for twin, x in facts.learners.items() if same(x) == same(facts.learners[name])}
    single = next((twin for twin, x in alike.items() if x.sharing == "isolated"), "")
    joint = next((twin for twin, x in alike.items() if trainer_named(x.trainer).is_joint(x.trainer_config)), "")
    together = _on_arrival(facts, joint, events)
    last = {task: score for task, score in together.items() if task == facts.order[-1]}
    return {"single_task": _on_arrival(facts, single, events), "joint": last}


def _on_arrival(facts: Facts, name: str, events: Finished) -> dict[str, float]:
    """Returns the score of each task on its own arrival, for the tasks that have one."""
    return {
        task: cell.score
        for arrival, task in enumerate(facts.order, start=1)
        for cell in cells_of(events, "evaluate", name, arrival)
        if cell.task == task and cell.score is not None
    }


def row_event(events: Finished, name: str, arrival: int) -> RowEvent | None:
    """Returns the event of one row of R. If the final audit evaluated the row again, it is the event of the audit."""
    return row_of(events, "audit", name, arrival) or row_of(events, "evaluate", name, arrival)


def violations_of(facts: Facts, name: str, events: Finished) -> list[ViolationEntry]:
    """Returns the cells of an isolated learner whose logits differ from the first logits of the task, bit for bit."""
    if not facts.learners[name].keeps_task_weights:
        return []
    first: dict[str, str] = {}
    learned: set[str] = set()
    found: list[ViolationEntry] = []
    for arrival, task in enumerate(facts.order, start=1):
        learned.add(task)
        rows = [cells_of(events, kind, name, arrival) for kind in ("evaluate", "audit")]
        for cell in (cell for cells in rows for cell in cells):
            if cell.task in learned and (then := first.setdefault(cell.task, cell.logits)) != cell.logits:
                found.append({"task": cell.task, "arrival": arrival, "expected": then, "found": cell.logits})
    return found


def environment(numerics: Mapping[str, JsonValue], learners: Iterable[Learner] = ()) -> dict[str, JsonValue]:
    """Returns the versions, threads, device and machine that the results were computed with.

    Args:
        numerics: Facts about the arithmetic: threads, device, dtype and others.
        learners: Learners of the run. A learner that uses Avalanche or peft adds the version of that library, and one
            whose alternatives Optuna chooses adds that of Optuna.
    """
    known = [*learners]
    libraries = (learner.library.partition(" ") for learner in known)
    samplers = {OPTUNA for learner in known if learner.selection and learner.selection.method.startswith(OPTUNA)}
    return {
        "taskstream": version("taskstream"),
        "commit": commit(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{library: version(library) for library in LIBRARIES},
        **{name: release for name, _, release in libraries if name},
        **{name: version(name) for name in samplers},
        **numerics,
    }


def commit() -> str | None:
    """The git commit of this code, followed by `+` if files were changed. None for an installed copy."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+", "--exclude=*"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        return None


def _learner(facts: Facts, name: str, learner: Learner, events: Finished) -> LearnerEntry:
    matrix = matrix_of(facts.order, name, events)
    fits = fits_of(facts.order, name, events)
    done = {fit.task: fit for fit in good(fits)}
    entries = account(facts.order, name, learner, facts.backbone["parameters"], events)
    last = entries[-1] if entries else None
    cells = Counter(how for row in matrix.provenance for how in row if how is not None)
    before = {cell.task: cell.provenance for cell in cells_of(events, "before", name, 0) if cell.score is not None}
    violations = violations_of(facts, name, events)
    retention: RetentionEntry = {
        "verified": learner.keeps_task_weights
        and matrix.arrivals == len(facts.order)
        and not violations
        and bool(cells),  # the proof is about cells: without a cell, nothing is proved
        "cells_measured": cells["measured"],
        "cells_certified": cells["certified"],
        "cells_audited": cells["audited"],
        "violations": violations,
    }
    if cells["partly-measured"]:
        retention["cells_partly_measured"] = cells["partly-measured"]
    entry: LearnerEntry = {
        "spec": name,
        "folder": folder_name(name),
        "canonical": learner.name,
        "sharing": learner.sharing,
        "training": asdict(learner.training),
        "R": [list(matrix.before), *(list(row) for row in matrix.rows)],
        "baseline": list(matrix.before),
        "provenance": [
            [before.get(task) for task in facts.order],
            *map(list, matrix.provenance),
        ],
        "fits": {
            task: {"validation": list(fit.validation), "losses": list(fit.losses), "best": fit.best}
            for task, fit in done.items()
        },
        "failures": failures_of(facts.order, name, events),
        "metrics": compute_all(matrix, references_of(facts, name, events), facts.own_metrics),
        "metrics_over": {"tasks": counted(matrix), "of": matrix.arrivals},
        "cost": {
            "trained_parameters_per_task": {task: fit.parameters for task, fit in done.items()},
            "kept_parameters_per_task": {task: fit.kept_parameters for task, fit in done.items()},
            "head_parameters_per_task": {task: fit.head_parameters for task, fit in done.items()},
            "growth": [entry["growth"] for entry in entries],
            "growth_without_heads": [entry["growth_without_heads"] for entry in entries],
            "bytes_per_task": dict(zip(done, bytes_kept(learner, [*done.values()]), strict=True)),
            "train_flops": last["train_flops"] if last else 0,
            "train_seconds": last["train_seconds"] if last else 0,
            "evaluate_seconds": last["evaluate_seconds"] if last else 0,
            "peak_memory_bytes": last["peak_memory_bytes"] if last else None,
            "after_each_arrival": entries,
        },
        "retention": retention,
    }
    if errors := errors_of(facts.order, name, events, matrix):
        entry["errors"] = errors
    if learner.selection is not None:
        entry["selection"] = choices(facts.order, name, learner, events, facts.seed)
        entry["cost"] = cast(CostEntry, {**entry["cost"], **search_cost(name, events)})
    elif learner.text_model is not None:
        entry["selection"] = candidate_choices(learner, done.values())
        if candidates_inside(learner):
            entry["cost"] = cast(CostEntry, {**entry["cost"], **inside_cost(facts.order, name, learner, events)})
    return entry
