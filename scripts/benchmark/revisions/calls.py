"""What the process of a revision does: training steps and evaluations in this process, timed from outside `fit` and
`predict`.

This file runs with the packages of either revision, so it may use only names that both have.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from functools import cache
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmark.clock import Moment
from benchmark.epochs import EpochClock, learner_of
from learners.backbones.backbone import Backbone, load_backbone
from learners.forward.batches import evaluation_plan
from learners.specification.learner import LOOP, Learner
from learners.training.fit import fit
from learners.training.predict import predict
from learners.training.trainer import FitRequest, trainer_named
from stream.execution.memory import peak_memory, reset_peak_memory
from tasks.encode import encode
from tasks.encoded import EncodedSplit, EncodedTask
from tasks.examples import Limits
from tasks.home import cache_folder
from tasks.sources import open_source


@cache
def loaded(backbone: str, dtype: Any) -> Backbone:
    """A backbone, loaded once per process. Sets the process to one thread."""
    torch.set_num_threads(1)
    return load_backbone(backbone, dtype)


@cache
def rows(backbone: str, dtype: str, source: str, task: str, train: int, test: int, max_length: int) -> EncodedTask:
    """The first rows of a task: `train` training rows, one validation row, `test` test rows."""
    base, limits = loaded(backbone, dtype), Limits(train, test, 1)
    found = encode(
        open_source(source), task, base.tokenizer, base.tokenizer_id, max_length, cache_folder(), limits
    )  # fmt: skip
    parts = ((found.train, train), (found.validation, 1), (found.test, test))
    cut = [split.select(np.arange(min(len(split), count))) for split, count in parts]
    return replace(found, train=cut[0], validation=cut[1], test=cut[2])


def digest(split: EncodedSplit) -> str:
    """SHA-256 of the tokens and targets of all rows. Both revisions must train and evaluate on the same."""
    found = hashlib.sha256()
    for array in (split.ids, split.types, split.offsets, split.target):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def step(
    backbone: str, dtype: str, source: str, task: str, learner: str, steps: int, epochs: int, batch_size: int,
    max_length: int, test: int, **_: Any,
) -> dict[str, Any]:  # fmt: skip
    """Fit once, and time the epochs after the first one.

    Args:
        steps: Steps per epoch.
        epochs: Number of timed epochs.

    Returns:
        `seconds`, `cpu`: of one step, the median over epochs. It has its share of the epoch's validation of one row.
        `peak`: peak memory of the process during the fit, bytes. `rows`: `digest` of the training rows.
    """
    base = loaded(backbone, dtype)
    data = rows(backbone, dtype, source, task, steps * batch_size, test, max_length)
    parsed, clock = learner_of(learner, epochs + 1, batch_size), EpochClock()
    reset_peak_memory()
    train(base, parsed, data, clock)
    each = -(-len(data.train) // batch_size)
    assert len(clock.spent) == epochs
    return {
        "seconds": median(spent.seconds for spent in clock.spent) / each,
        "cpu": median(spent.cpu for spent in clock.spent) / each,
        "peak": peak_memory(),
        "rows": digest(data.train),
    }


def train(backbone: Backbone, learner: Learner, data: EncodedTask, clock: EpochClock) -> None:
    """Fit with `fit`, or with the trainer of another library if the learner names one."""
    if learner.trainer == LOOP:
        fit(backbone, learner, data, clock, seed=0)
        return
    request = FitRequest(
        backbone=backbone,
        learner=learner,
        data=data,
        seed=0,
        score_of=lambda task: clock,
        previous=None,
        history=[],
        tasks=[data.task.name],
        load=lambda name: data,
        report=lambda event: None,
    )
    trainer_named(learner.trainer).fit(request, None)


def evaluation(
    backbone: str, dtype: str, source: str, task: str, learner: str, steps: int, batch_size: int, max_length: int,
    test: int, passes: int, **_: Any,
) -> dict[str, Any]:  # fmt: skip
    """Predict all test rows several times with an untrained Delta: trained or not, evaluation costs the same.

    Args:
        passes: Number of timed passes over the rows, after one that warms up.

    Returns:
        `seconds`, `cpu`: of one pass, the median. `count`: number of rows. `rows`: `digest` of the test rows.
    """
    base = loaded(backbone, dtype)
    data = rows(backbone, dtype, source, task, steps * batch_size, test, max_length)
    parsed = learner_of(learner, 0, batch_size)
    delta, plan = fit(base, parsed, data, EpochClock(), seed=0).delta, evaluation_plan(data.test)
    predict(base, parsed, delta, data.test, plan)
    found = []
    for _pass in range(passes):
        since = Moment()
        predict(base, parsed, delta, data.test, plan)
        found.append(since.spent())
    return {
        "seconds": median(spent.seconds for spent in found),
        "cpu": median(spent.cpu for spent in found),
        "count": len(data.test),
        "rows": digest(data.test),
    }


def setup(out: str, **settings: Any) -> dict[str, Any]:
    """The setup that a run with these settings sends to its workers, as plain JSON values.

    Args:
        out: Folder of the run, which is not run.
        settings: Settings of `stream.run`.
    """
    from stream.config.settings import RunConfig
    from stream.engine.context import prepare

    return {"setup": asdict(prepare(RunConfig(out=out, **settings)).setup())}
