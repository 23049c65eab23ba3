"""A shared Delta on its backbone: takes texts, returns logits or answers, bit for bit as in the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from learners.backbones.backbone import Backbone, load_backbone
from learners.backbones.locate import pinned_backbone
from learners.delta.delta import Delta, load_delta
from learners.forward.batches import evaluation_plan
from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from learners.training.predict import predict
from stream.hub.delta_record import DELTA, RECORD, DeltaRecord, read_record
from stream.plugins.load import load_plugins
from stream.plugins.used import check_present
from tasks.encode import encode_split
from tasks.encoded import EncodedSplit
from tasks.errors import InputError
from tasks.examples import Examples


@dataclass(frozen=True, eq=False)
class SharedModel:
    """A model for one task.

    Attributes:
        labels: Names of the classes, by column of the logits; () for a real-valued score.
        record: All facts about the Delta.
    """

    backbone: Backbone
    learner: Learner
    delta: Delta
    labels: tuple[str, ...]
    record: DeltaRecord

    def __repr__(self) -> str:
        return f"SharedModel({self.backbone.name}, {self.learner.name}, task {self.record.task.name})"

    def logits(self, texts: Sequence[str], texts_b: Sequence[str] | None = None) -> np.ndarray:
        """Returns logits float32 [n, C], or the scores [n, 1] of a regression, in the order of the texts.

        The same rows as in the run give the same bytes under the same numerics (library versions, threads, processor).
        Other rows may be padded to another length, which can change the last bits.

        Args:
            texts: The texts, n > 0.
            texts_b: The second texts, for a task of pairs. Default: none.

        Raises:
            InputError: There are no texts, the task does not have (or needs) second texts, their number differs, or a
                text has no token.
        """
        rows = self.encode(texts, texts_b)
        return predict(self.backbone, self.learner, self.delta, rows, evaluation_plan(rows))

    def answers(self, texts: Sequence[str], texts_b: Sequence[str] | None = None) -> list[str | float]:
        """Returns the label of each row, or its score for a regression."""
        return [self.answer(row) for row in self.logits(texts, texts_b)]

    def answer(self, logits: np.ndarray) -> str | float:
        """Returns the label of one row of logits [C], or its score for a regression."""
        return self.labels[int(logits.argmax())] if self.labels else float(logits[0])

    def encode(self, texts: Sequence[str], texts_b: Sequence[str] | None = None) -> EncodedSplit:
        """Returns the tokens of some rows. Arguments and errors as for `logits`."""
        task = self.record.task
        for each in (texts, texts_b):
            if isinstance(each, str):
                raise InputError("one text, not a list of texts", where=f"task {task.name}", expected="[text, ...]",
                                 found=repr(each)[:60])  # fmt: skip
        if not len(texts) or (texts_b is not None and len(texts_b) != len(texts)):
            found = f"{len(texts)} texts" + (f" and {len(texts_b)} second texts" if texts_b is not None else "")
            raise InputError("these texts are not rows of a task", expected="one text per row", found=found)
        self.check_texts(texts_b is not None, f"task {task.name}")
        examples = Examples(tuple(texts), tuple(texts_b) if texts_b is not None else None, np.zeros(len(texts), int))
        return encode_split(examples, self.backbone.tokenizer, self.record.max_length, task.name)

    def check_texts(self, two: bool, where: str) -> None:
        """Refuses rows with a second text for a task without, and the reverse.

        Args:
            two: Whether the rows have two texts.
            where: Where the rows are, for the message.
        """
        if self.record.task.kind == ("single" if two else "pair"):
            expected = "texts only" if two else "texts and second texts"
            raise InputError("wrong input for this task", where=where, expected=expected)


def load_model(folder: str | Path, backbone: str | None = None, plugins: Sequence[str | Path] = ()) -> SharedModel:
    """Loads a Delta that `taskstream export --to-dir` wrote, and its backbone.

    Args:
        folder: Folder with config.json and delta.safetensors, also from `huggingface_hub.snapshot_download`.
        backbone: The backbone, as in `--backbone`. Default: the name in the record.
        plugins: Plug-in files of the learner, if it is not built in. Their code is run. Default: none.

    Raises:
        InputError: A file is missing or damaged, or the Delta was learned on another backbone.
        MissingPlugin: The plug-in of the learner is not among `plugins`.
    """
    folder = Path(folder)
    record = read_record(folder)
    learner = learner_of(folder, record, plugins)
    return shared_model(folder, record, learner, backbone_of(record, backbone))


def learner_of(folder: Path, record: DeltaRecord, plugins: Sequence[str | Path]) -> Learner:
    """Returns the learner of a shared Delta.

    Raises:
        MissingPlugin: Its plug-in is not among `plugins`.
    """
    with load_plugins(plugins).in_use():
        check_present(record.plugins or (), str(folder / RECORD))
        return parse_learner(record.learner, record.overrides)


def shared_model(folder: Path, record: DeltaRecord, learner: Learner, backbone: Backbone) -> SharedModel:
    """Loads the Delta in a folder, with all else at hand.

    Raises:
        InputError: It is missing or damaged.
    """
    return SharedModel(backbone, learner, load_delta(folder / DELTA, record.delta), record.task.labels, record)


def backbone_of(record: DeltaRecord, name: str | None, loaded: Backbone | None = None) -> Backbone:
    """Returns the backbone that a Delta was learned on.

    Args:
        name: The backbone, as in `--backbone`; None is the name in the record.
        loaded: A backbone in memory, which is returned if it is the right one. Default: None, loads it.

    Raises:
        InputError: It is not available, or `name` is another one.
    """
    recorded = record.backbone
    if loaded is not None and (loaded.id, loaded.dtype) == (recorded.id, getattr(torch, recorded.dtype)):
        return loaded
    base = load_backbone(name or pinned_backbone(vars(recorded)), recorded.dtype)
    if base.id != recorded.id:
        raise InputError(
            "not the backbone of this Delta",
            where=base.name,
            expected=f"{recorded.name}, content id {recorded.id[:16]}",
            found=base.id[:16],
            fix="name the right backbone: load_model(folder, backbone=...)",
        )
    return base
