"""The typed results of a run. `run` returns them, and `load_results` reads them from a folder."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.errors import checks_arguments
from stream.results.frames import html_table, score_frame, short_rows, summary_frame, text_table
from stream.results.learner_results import LearnerResults, read_learner
from stream.results.reading import damaged, items, number, section, text, whole
from tasks.errors import InputError, unknown_name

if TYPE_CHECKING:
    import pandas

SCHEMA = 1
# The first versions wrote these settings at the top level of the document.
AT_TOP = (
    "evaluate", "epochs", "batch_size", "learning_rate", "max_length", "train_examples", "test_examples", "dtype",
)  # fmt: skip


class UnknownLearner(InputError, KeyError):
    """The results have no learner of this name. The message names the most similar names."""

    __str__ = Exception.__str__  # KeyError would put the message in quotes


@dataclass(frozen=True)
class BackboneInfo:
    """The backbone of a run.

    Attributes:
        name: The name in the command.
        id: Content id: hash of its weights, configuration and tokenizer.
        parameters: Number of parameters; None if not known.
        pooling: `cls` or `mean`.
    """

    name: str
    id: str
    parameters: int | None
    pooling: str


@dataclass(frozen=True)
class TaskInfo:
    """A task of a run. None or an empty value means not known.

    Attributes:
        metric: Name of the metric of its scores.
        classes: Number of classes.
        train, validation, test: Numbers of examples.
        kind: `single`, `pair` or `regression`.
        data_id: Content id of its data.
        ceiling: Best expected score of a simulated task, a fraction; None if not known.
        notes: Sentences that say where the data come from.
    """

    metric: str = ""
    classes: int | None = None
    train: int | None = None
    validation: int | None = None
    test: int | None = None
    kind: str = ""
    data_id: str = ""
    ceiling: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LedgerEnd:
    """The end of the ledger behind the results: its number of lines, and the hash of its last line."""

    lines: int
    hash: str


@dataclass(frozen=True, repr=False)
class Results(Mapping[str, LearnerResults]):
    """The results of a run, finished or not: a mapping from the name of a learner to its `LearnerResults`.

        results["adapter:64"].matrix   # R, float64 [T + 1, T]
        results.summary()              # one row per learner, a pandas frame
        results.frame()                # one row per learner, arrival and task, a pandas frame

    Attributes:
        suite, source: Names of the suite and of the source of its data.
        backbone: The backbone.
        order: Tasks in order of arrival, T names.
        seed: Seed of the run; None if not known.
        settings: Settings of the run by name.
        tasks: Facts about each task, by name.
        learners: The learners by name. `results[name]` returns the same, with a clear error for an unknown name.
        environment: Versions, threads, device and machine.
        ledger: End of the ledger; None if the document does not record it.
        document: results.json as it is, including fields that this version does not know.
    """

    suite: str = field(compare=False)
    source: str = field(compare=False)
    backbone: BackboneInfo = field(compare=False)
    order: tuple[str, ...] = field(compare=False)
    seed: int | None = field(compare=False)
    settings: Mapping[str, object] = field(compare=False)
    tasks: Mapping[str, TaskInfo] = field(compare=False)
    learners: Mapping[str, LearnerResults] = field(compare=False)
    environment: Mapping[str, object] = field(compare=False)
    ledger: LedgerEnd | None = field(compare=False)
    document: Mapping[str, object]

    @classmethod
    def from_dict(cls, document: Mapping[str, object], *, where: str = "results") -> Results:
        """Makes results from the document of results.json. The document is not copied: do not change it afterwards.

        Args:
            where: Name of the file, for error messages.

        Raises:
            InputError: The document is damaged, or has another schema.
        """
        if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
            found = str(document.get("schema")) if isinstance(document, Mapping) else type(document).__name__
            raise InputError("results of another version", where=where, expected=f"schema {SCHEMA}", found=found)
        missing = [key for key in ("order", "tasks", "learners") if key not in document]
        if missing:
            raise damaged(where, "order, tasks and learners", f"no {' and no '.join(missing)}")
        order = tuple(text(task) for task in items(document["order"], f"{where}: order"))
        learners = section(document["learners"], f"{where}: learners")
        tasks = section(document["tasks"], f"{where}: tasks")
        backbone = section(document.get("backbone"), f"{where}: backbone")
        ledger = section(document.get("ledger"), f"{where}: ledger")
        return cls(
            suite=text(document.get("suite")),
            source=text(document.get("source")),
            backbone=BackboneInfo(
                name=text(backbone.get("name")),
                id=text(backbone.get("id")),
                parameters=whole(backbone.get("parameters")),
                pooling=text(backbone.get("pooling")),
            ),
            order=order,
            seed=whole(document.get("seed")),
            settings={
                **section(document.get("settings"), f"{where}: settings"),
                **{name: document[name] for name in AT_TOP if name in document},
            },
            tasks={name: _task(entry, f"{where}: tasks/{name}") for name, entry in tasks.items()},
            learners={name: read_learner(name, entry, order, where) for name, entry in learners.items()},
            environment=section(document.get("environment"), f"{where}: environment"),
            ledger=LedgerEnd(whole(ledger.get("lines")) or 0, text(ledger.get("hash"))) if ledger else None,
            document=document,
        )

    def __getitem__(self, name: str) -> LearnerResults:
        """Returns the results of a learner.

        Raises:
            UnknownLearner: There is no learner of this name. It is an `InputError` and a `KeyError`.
        """
        if name not in self.learners:
            error = unknown_name("learner", str(name), self.learners)
            raise UnknownLearner(error.what, expected=error.expected, fix=error.fix)
        return self.learners[name]

    def __iter__(self) -> Iterator[str]:
        """Iterates over the names of the learners."""
        return iter(self.learners)

    def __len__(self) -> int:
        return len(self.learners)

    @property
    def arrivals(self) -> int:
        """Number of arrivals that every learner has finished."""
        return min((learner.arrivals for learner in self.learners.values()), default=0)

    def as_dict(self) -> dict[str, Any]:
        """Returns a copy of the document of results.json."""
        return copy.deepcopy(dict(self.document))

    def frame(self) -> pandas.DataFrame:
        """Returns every score in a pandas frame: one row per learner, arrival and task with a score.

        Columns: `learner`, `arrival` (0 is before training), `task`, `score` (a fraction), `n` (number of test
        examples; missing if not known), `provenance` (`measured`, `partly-measured`, `certified` or `audited`; missing
        if not known).
        """
        tests = {name: task.test for name, task in self.tasks.items()}
        return score_frame(self.learners.values(), tests)

    def summary(self) -> pandas.DataFrame:
        """Returns a pandas frame with one row per learner: the scores after the last arrival and the cost so far.

        Columns: `learner`, `sharing`, `arrivals`, `counted` (number of tasks that the metrics use), `average`,
        `forgetting`, `bwt` (the metrics average_accuracy, forgetting_chaudhry and bwt_gem; fractions), `growth` and
        `growth_without_heads` (multiples of the backbone), `trained_share` (trained parameters per task as a fraction
        of the backbone), `bytes_per_task`, `train_flops`, `train_seconds`, `evaluate_seconds`, `verified`, `failures`
        (number of failures), then every other metric under its own name.
        """
        return summary_frame(self.learners.values(), self.backbone.parameters)

    def __repr__(self) -> str:
        return text_table(self._title(), short_rows(self.learners.values()))

    def _repr_html_(self) -> str:
        return html_table(self._title(), short_rows(self.learners.values()))

    def _title(self) -> str:
        return f"Results of {self.suite or 'a stream'}: {self.arrivals} of {len(self.order)} tasks, scores in points"


def _task(value: object, where: str) -> TaskInfo:
    entry = section(value, where)
    return TaskInfo(
        metric=text(entry.get("metric")),
        classes=whole(entry.get("classes")),
        train=whole(entry.get("train")),
        validation=whole(entry.get("validation")),
        test=whole(entry.get("test")),
        kind=text(entry.get("kind")),
        data_id=text(entry.get("data_id")),
        ceiling=number(entry.get("ceiling")),
        notes=tuple(text(note) for note in items(entry.get("notes"), where)),
    )


@checks_arguments
def load_results(folder: str | Path) -> Results:
    """Reads the results of the run in a folder, finished or not. It computes nothing.

        load_results("runs/first")["adapter:64"].matrix

    Args:
        folder: Folder of the run (`out`, or `--out` of the command) with results.json.

    Raises:
        InputError: The folder has no run, or the file is damaged or has another schema.
    """
    if not isinstance(folder, str | Path):
        raise InputError("bad value of folder", where="load_results()", expected="a path", found=repr(folder)[:80])
    folder = Path(folder)
    path = folder / "results.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        fix = one_of_study(folder) or "taskstream list runs"
        raise InputError("no run here", where=str(folder), expected="results.json", fix=fix) from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            "damaged results", where=str(path), found=str(error), fix="give the run's command again"
        ) from None
    return Results.from_dict(document, where=str(path))


def one_of_study(folder: Path) -> str:
    """What to tell who gives a study where a run is expected; "" if the folder is none."""
    members = sorted(path.parent.name for path in folder.glob("*/results.json"))
    study = members and (folder / "study.json").is_file()
    return f"this is a study; name one of its members: {', '.join(members[:3])}" if study else ""
