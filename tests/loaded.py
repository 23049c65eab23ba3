"""Small inputs for tests, in memory: backbones loaded once per process, and learnable tokenised tasks."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learners.backbones.backbone import Backbone, Dtype, load_backbone
from learners.backbones.library import library_model
from learners.delta.delta import Delta
from learners.delta.initial import initial_delta
from learners.forward.batches import collate
from learners.forward.forward import pooled
from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from tasks.encoded import EncodedSplit, EncodedTask
from tasks.task import Kind, Task
from tests.worlds import VOCABULARY, save_backbone

CLS, SEP = VOCABULARY.index("[CLS]"), VOCABULARY.index("[SEP]")
FILLERS, MARKERS = np.arange(5, 14), np.arange(14, 25)  # words without information, and a word for each class


def new_backbone(model_type: str = "bert", pooling: str = "cls", dtype: Dtype = "float32") -> Backbone:
    """A new backbone, for tests that change it."""
    with tempfile.TemporaryDirectory() as folder:
        return load_backbone(str(save_backbone(Path(folder) / model_type, model_type, pooling=pooling)), dtype)


@cache
def backbone(model_type: str = "bert", pooling: str = "cls", dtype: Dtype = "float32") -> Backbone:
    """The backbone that all tests share. No code may change it."""
    return new_backbone(model_type, pooling, dtype)


@cache
def sharp_backbone(model_type: str = "bert", pooling: str = "cls") -> Backbone:
    """A backbone with matrices ten times as large, so that attention is sharp and changes of it are visible."""
    base = new_backbone(model_type, pooling)
    for weight in base.weights.values():
        if weight.dim() == 2:
            weight *= 10
    return base


def encoded(name: str = "colours", *, classes: int = 2, rows: int = 48, kind: Kind = "single") -> EncodedTask:
    """A tokenised task. A marker word in the row determines the class or score.

    Args:
        rows: Training rows. There are 16 validation and 16 test rows.
    """
    labels = () if kind == "regression" else tuple(f"label{i}" for i in range(classes))
    task = Task(name, name, kind, labels=labels)
    random = np.random.default_rng(sum(name.encode()))
    train, validation, test = (_split(random, n, classes, kind) for n in (rows, 16, 16))
    return EncodedTask(task, train, validation, test, f"data of {name}", 32, (), Path())


def _split(random: np.random.Generator, rows: int, classes: int, kind: Kind) -> EncodedSplit:
    ids, types = [], []
    for row in range(rows):
        words = list(random.choice(FILLERS, random.integers(1, 9)))
        words.insert(random.integers(len(words) + 1), MARKERS[row % classes])
        first, second = [CLS, *words, SEP], [*random.choice(FILLERS, 3), SEP] if kind == "pair" else []
        ids.append([*first, *second])
        types.append([0] * len(first) + [1] * len(second))
    label = np.arange(rows) % classes
    target = (label + random.random(rows) / 10).astype(np.float32) if kind == "regression" else label.astype(np.int64)
    offsets = np.cumsum([0, *map(len, ids)]).astype(np.int64)
    flat = np.concatenate(ids).astype(np.int32), np.concatenate(types).astype(np.uint8)
    return EncodedSplit(*flat, offsets, target, np.arange(rows, dtype=np.uint64))


def score(target: np.ndarray, output: np.ndarray) -> float:
    """Accuracy; for a real-valued target, the negative mean squared error."""
    if target.dtype.kind == "f":
        return -float(np.mean((output[:, 0] - target) ** 2))
    return float((output.argmax(1) == target).mean())


def batch_of(base: Backbone, data: EncodedTask, rows: int = 6) -> dict[str, Tensor]:
    """The first training rows as one batch."""
    return collate(base, data.train, np.arange(rows))


def moved(base: Backbone, learner: Learner, task: Task, scale: float = 0.3, seed: int = 0) -> Delta:
    """A Delta away from its start, as after training: every tensor with normal noise upon it."""
    noise = torch.Generator().manual_seed(seed)
    first = initial_delta(base, learner, task, seed)
    return Delta({k: t + scale * torch.randn(t.shape, generator=noise) for k, t in first.tensors.items()})


@cache
def modules_of(base: Backbone) -> Any:
    """The modules of transformers with the weights of a backbone. No code may change them."""
    return library_model(base)


def untouched(base: Backbone, batch: Mapping[str, Tensor]) -> Tensor:
    """Pooled output [B, d] of the backbone without a learner."""
    return pooled(base, parse_learner("head"), {}, batch)
