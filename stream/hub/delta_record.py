"""The record beside a shared Delta, config.json: what it answers to, on which backbone, how well, and the proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from learners.delta.delta import Counts
from tasks.documents import read_object
from tasks.errors import InputError

RECORD = "config.json"  # the file by which the hub counts a model's downloads
DELTA = "delta.safetensors"
FORMAT = "taskstream delta 1"
# Fields that the file leaves out where they are None.
OPTIONAL = frozenset({"commit", "repository", "configuration", "epochs", "batch_size", "peak_learning_rate", "plugins"})


Dtype = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class BackboneRecord:
    """The backbone; `commit` is that of its hub repository, where it is from one."""

    name: str
    id: str
    parameters: int
    pooling: str
    dtype: Dtype
    commit: str | None = None


@dataclass(frozen=True)
class TaskRecord:
    """The task; `labels` is empty for a real-valued score. The last three are of its repository on the hub."""

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
    """Rows that were trained on, and how; `epochs` is the maximum. None for a learner that does not train."""

    rows: int
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
    """Why the last score of a task in R holds: the evaluation behind it, by the ids of all that it depends on.

    Attributes:
        provenance: Of the cell in the last row of R.
        measured_at: Arrival at which the logits were computed.
        rows: How many rows of R hold the score.
        shared_weights: Whether later tasks change the weights.
        n: Test examples.
        logits, predictions, plan: Content ids.
    """

    score: float
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
    """All that is known of a shared Delta; no path of a machine is in it.

    Attributes:
        overrides: Training settings of the run that the learner's name does not tell.
        delta: Content id.
        arrival, of: Number of the task in the stream, and how many tasks there are.
        certificate: None where the task was not evaluated.
        plugins: Those that the learner comes from (name, kind, source, sha256); None for our own learners.
    """

    format: str
    learner: str
    canonical: str
    sharing: str
    overrides: Mapping[str, int | float | None]
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
        """The content of config.json."""
        return asdict(self, dict_factory=lambda pairs: {k: v for k, v in pairs if v is not None or k not in OPTIONAL})


def as_record(document: Mapping[str, object], where: str) -> DeltaRecord:
    """The record from the content of config.json.

    Raises:
        InputError: It is damaged; the message names the first field.
    """
    try:
        return TypeAdapter(DeltaRecord).validate_python(document)
    except ValidationError as error:
        first = error.errors()[0]
        found = f"{'/'.join(map(str, first['loc']))}: {first['msg']}"
        raise InputError("damaged record of a shared Delta", where=where, found=found, fix="export it again") from None


def read_record(folder: Path) -> DeltaRecord:
    """The record in a folder.

    Raises:
        InputError: There is none, or it is damaged or of another version.
    """
    record = read_object(folder / RECORD, what="not the folder of a shared Delta")
    if record.get("format") != FORMAT:
        found = repr(record.get("format"))[:60]
        raise InputError("not a shared Delta of this version", where=str(folder), expected=FORMAT, found=found)
    return as_record(record, str(folder / RECORD))
