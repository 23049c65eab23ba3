"""The record of a shared Delta, config.json: its task, learner, backbone, training, score and proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from learners.delta.delta import Counts
from tasks.documents import read_object
from tasks.errors import InputError

RECORD = "config.json"  # the hub counts downloads of a model by this file
DELTA = "delta.safetensors"
FORMAT = "taskstream delta 1"
# The file leaves out these fields if they are None.
OPTIONAL = frozenset(
    {"commit", "repository", "configuration", "ran", "best", "epochs", "batch_size", "peak_learning_rate", "plugins"}
)


Dtype = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class BackboneRecord:
    """The backbone. `commit` is the commit of its hub repository; None if it is not from the hub."""

    name: str
    id: str
    parameters: int
    pooling: str
    dtype: Dtype
    commit: str | None = None


@dataclass(frozen=True)
class TaskRecord:
    """The task.

    Attributes:
        kind: `single`, `pair` or `regression`.
        labels: Names of the classes; empty for a real-valued score.
        data_id: Content id of its data.
        repository, configuration, commit: Its data set on the hub; None if it is not from the hub.
    """

    name: str
    title: str
    kind: str
    metric: str
    labels: tuple[str, ...]
    data_id: str
    source: str
    repository: str | None = None
    configuration: str | None = None
    commit: str | None = None


@dataclass(frozen=True)
class TrainingRecord:
    """The training of the task, from the event of its fit, and training settings. Settings and epochs are None for a
    learner that does not train.

    Attributes:
        rows: Number of training rows seen, per epoch if there were epochs.
        ran, best: Number of epochs that were run, and the epoch whose weights were kept, from 1; 0 if the weights from
            before the first epoch were kept.
        epochs: The maximum number of epochs.
    """

    rows: int
    ran: int | None = None
    best: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    peak_learning_rate: float | None = None


@dataclass(frozen=True)
class LedgerRecord:
    """The ledger of the run: its number of lines, and the hash of the last one."""

    lines: int
    hash: str


@dataclass(frozen=True)
class Certificate:
    """The evidence for the last score of a Delta in R: the ids of everything that the evaluation depends on.

    Attributes:
        score: The score, a fraction; None if a logit is not finite.
        provenance: Provenance of the cell in its last row of R.
        measured_at: Arrival at which the logits were computed.
        rows: Number of rows of R with this task, from its own arrival up to the last one with this Delta.
        shared_weights: Whether later tasks change the weights.
        n: Number of test examples.
        logits, predictions, plan: Content ids of the logits, the predictions and the batch plan.
        ledger: The end of the ledger.
    """

    score: float | None
    provenance: str | None
    measured_at: int
    rows: int
    shared_weights: bool
    n: int
    logits: str
    predictions: str
    plan: str
    ledger: LedgerRecord


@dataclass(frozen=True)
class DeltaRecord:
    """All facts about a shared Delta. It has no path of any machine.

    Attributes:
        format: Version of the file format.
        learner, canonical: The learner's name in the run, and its canonical name.
        overrides: Training settings of the run that are not in the learner's name.
        delta: Content id of the Delta.
        max_length: Maximum number of tokens per row.
        arrival, of: Number of the task in the stream, from 1, and number of tasks.
        parameters: Numbers of parameters of the Delta.
        certificate: The evidence for the score; None if the task was not evaluated.
        versions: Versions of the libraries by name.
        plugins: The plug-ins of the learner (name, kind, source, sha256); None for a built-in learner.
    """

    format: str
    learner: str
    canonical: str
    sharing: str
    overrides: Mapping[str, str | int | float | None]
    delta: str
    backbone: BackboneRecord
    task: TaskRecord
    training: TrainingRecord
    max_length: int
    arrival: int
    of: int
    seed: int
    parameters: Counts
    certificate: Certificate | None
    versions: Mapping[str, str]
    plugins: tuple[Mapping[str, str], ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns the content of config.json."""
        return asdict(self, dict_factory=lambda pairs: {k: v for k, v in pairs if v is not None or k not in OPTIONAL})


def as_record(document: Mapping[str, object], where: str) -> DeltaRecord:
    """Reads the record from the content of config.json.

    Args:
        where: Path of the file, for error messages.

    Raises:
        InputError: The content is damaged; the message names the first wrong field.
    """
    try:
        return TypeAdapter(DeltaRecord).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        found = f"{'/'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError("damaged record of a shared Delta", where=where, found=found, fix="export it again") from None


def read_record(folder: Path) -> DeltaRecord:
    """Reads the record in a folder.

    Raises:
        InputError: The file is missing or damaged, or has another version.
    """
    record = read_object(folder / RECORD, what="not the folder of a shared Delta")
    if record.get("format") != FORMAT:
        found = repr(record.get("format"))[:60]
        raise InputError("not a shared Delta of this version", where=str(folder), expected=FORMAT, found=found)
    return as_record(record, str(folder / RECORD))
