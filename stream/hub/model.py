"""A shared Delta on its backbone: texts in, logits or answers out, bit for bit those of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
from tasks.errors import InputError
from tasks.examples import Examples


@dataclass(frozen=True, eq=False)
class SharedModel:
    """What answers for one task.

    Attributes:
        labels: Names of the classes, by column of the logits; () for a real-valued score.
        record: All that is known of it.
    """

    backbone: Backbone
    learner: Learner
    delta: Delta
    labels: tuple[str, ...]
    record: DeltaRecord

    def logits(self, texts: Sequence[str], texts_b: Sequence[str] | None = None) -> np.ndarray:
        """Logits float32 [n, C], or the score [n, 1] of a regression, in the order of the texts.

        The same rows as in the run give the same bytes, under the same arithmetic (library versions, threads,
        processor); other rows may be padded to another length, which moves last bits.

        Args:
            texts_b: The second texts, of a task of pairs.

        Raises:
            InputError: No texts, second texts where the task has none or not as many, or a text without a token.
        """
        task = self.record.task
        if not len(texts) or (texts_b is not None and len(texts_b) != len(texts)):
            found = f"{len(texts)} texts" + (f" and {len(texts_b)} second ones" if texts_b is not None else "")
            raise InputError("not rows of a task", expected="a text a row", found=found)
        if task.kind == ("pair" if texts_b is None else "single"):
            expected = "texts and second texts" if task.kind == "pair" else "texts alone"
            raise InputError("not what this task reads", where=f"task {task.name}", expected=expected)
        examples = Examples(tuple(texts), tuple(texts_b) if texts_b is not None else None, np.zeros(len(texts), int))
        rows = encode_split(examples, self.backbone.tokenizer, self.record.max_length, task.name)
        return predict(self.backbone, self.learner, self.delta, rows, evaluation_plan(rows))

    def answers(self, texts: Sequence[str], texts_b: Sequence[str] | None = None) -> list[str] | list[float]:
        """The label of each row, or its score."""
        logits = self.logits(texts, texts_b)
        if not self.labels:
            return [float(value) for value in logits[:, 0]]
        return [self.labels[index] for index in logits.argmax(axis=1)]


def load_model(folder: str | Path, backbone: str | None = None, plugins: Sequence[str | Path] = ()) -> SharedModel:
    """Read what `taskstream export --to-dir` wrote of one task, and put it on its backbone.

    Args:
        folder: With config.json and delta.safetensors, from the hub by `huggingface_hub.snapshot_download`.
        backbone: Where the backbone is, as `--backbone` takes it; None takes the name in the record.
        plugins: Files that its learner comes from, if it is not one of ours. They are run.

    Raises:
        InputError: A file is missing or damaged, or the backbone is another than the Delta was learned on.
        MissingPlugin: The learner comes from a plug-in that is not among those given.
    """
    folder = Path(folder)
    record = read_record(folder)
    with load_plugins(plugins).in_use():
        check_present(record.plugins or (), str(folder / RECORD))
        learner = parse_learner(record.learner, record.overrides)
    known = record.backbone
    base = load_backbone(backbone or pinned_backbone(vars(known)), known.dtype)
    if base.id != known.id:
        raise InputError(
            "not the backbone of this Delta",
            where=base.name,
            expected=f"{known.name}, content {known.id[:16]}",
            found=base.id[:16],
            fix="name it: load_model(folder, backbone=...)",
        )
    delta = load_delta(folder / DELTA, record.delta)
    return SharedModel(base, learner, delta, record.task.labels, record)
