"""`taskstream` as a contender: the functions that the engine calls, and the engine itself."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import torch

from benchmark.clock import clocked, median_of
from benchmark.rows import opened
from learners.backbones.backbone import Backbone, load_backbone
from learners.delta.delta import load_delta, save_delta
from learners.delta.initial import initial_delta
from learners.forward.flops import flops_per_row
from learners.forward.polynomial import total_flops
from learners.specification.family import parse_learner
from learners.training.fit import fit
from stream import kept_workers, run
from stream.config.resolve import resolve_config
from stream.engine.context import prepare
from stream.engine.jobs import plan_jobs
from stream.engine.stream import Stream
from stream.execution.evaluate_job import evaluate as evaluate_task
from stream.execution.evaluate_job import scorer
from stream.execution.job import execute
from stream.execution.result import Needed, needed
from stream.execution.workbench import Workbench, open_workbench
from stream.storage.events import JobEvent, job_of, read_events
from stream.storage.job import JobId
from stream.storage.ledger import read_ledger


@cache
def backbone_of(name: str, dtype: Any) -> Backbone:
    """A backbone, loaded once per process. Sets the process to one thread."""
    torch.set_num_threads(1)
    return load_backbone(name, dtype)


def train(
    backbone: str, dtype: str, data: str, learner: str, examples: int, epochs: int, batch_size: int, **_: Any
) -> dict[str, Any]:
    """Fit once from the pretrained weights. The timed part is all of `fit`.

    Ours validates after each epoch and the others do not, so it gets a single validation row.

    Returns:
        Times, `examples`, `loss`, and `needed`: FLOPs of the matrix products that these rows need without padding, in
        all layers and epochs.
    """
    base = backbone_of(backbone, dtype)
    task = opened(data, examples, 1)
    parsed = parse_learner(learner, {"epochs": epochs, "batch_size": batch_size, "learning_rate": None})
    parsed = replace(parsed, training=replace(parsed.training, patience=epochs))
    per_row = flops_per_row(base.architecture, parsed, task.task.outputs, backward=True, load=lambda: base)
    needed = epochs * sum(total_flops(per_row, 1, int(length)) for length in task.train.lengths)
    with clocked() as spent:
        fitted = fit(base, parsed, task, scorer(task.task), seed=0)
    return {**spent.as_dict(), "examples": fitted.examples, "loss": fitted.losses[-1], "needed": needed}


def scored(
    backbone: str, dtype: str, data: str, learner: str, examples: int, test_examples: int, epochs: int, batch_size: int,
    seed: int, **_: Any,
) -> dict[str, Any]:  # fmt: skip
    """Test score of the last epoch of one fit, whichever epoch is best in validation."""
    base, task = backbone_of(backbone, dtype), opened(data, examples, test_examples, seed)
    parsed = parse_learner(learner, {"epochs": epochs, "batch_size": batch_size, "learning_rate": None})
    later = count()  # a validation score that always rises makes the last epoch the best
    fitted = fit(base, parsed, task, lambda target, logits: float(next(later)), seed)
    return {"score": evaluate_task(base, parsed, fitted.delta, task.task, task.test).score}


@cache
def finished(folder: str) -> tuple[Workbench, Stream, Mapping[JobId, Needed]]:
    """A finished run: the workbench that executes its jobs, its stream, and what its jobs give later ones, by job."""
    config, _ = resolve_config({}, Path(folder) / "config.toml")
    prepared = prepare(config)
    events = read_events(read_ledger(Path(folder) / "ledger.jsonl"))
    results = {job_of(event): needed(event) for event in events if isinstance(event, JobEvent)}
    return open_workbench(prepared.setup(), prepared.backbone), prepared.stream, results


def evaluate(run_folder: str, mode: str, count: int, **_: Any) -> dict[str, Any]:
    """The evaluation after arrival `count` of a finished run, as `execute` does it: it reads and checks Deltas and
    hashes the backbone. With mode `audited`, only the audited cells are evaluated; the rest is a comparison of ids.

    Returns:
        Times, `cells` (number of evaluated cells), and `needed`: FLOPs of the matrix products that the rows of all
        `count` tasks need without padding.
    """
    bench, stream, results = finished(run_folder)
    (learner,) = bench.learners
    jobs = plan_jobs(stream, bench.learners, mode, bench.setup.seed)
    job = next(job for job in jobs if (job.kind, job.arrival) == ("evaluate", count))
    work = 0.0
    for name in stream.order[:count]:
        task = bench.data(name)
        base, parsed = bench.backbone, bench.learners[learner]
        per_row = flops_per_row(
            base.architecture, parsed, task.task.outputs, backward=False, load=lambda: bench.backbone
        )
        work += sum(total_flops(per_row, 1, int(length)) for length in task.test.lengths)
    with clocked() as spent:
        execute(bench, job, {need: results[need] for need in job.needs}, lambda event: None)
    return {**spent.as_dict(), "needed": work, "cells": len(job.tasks)}


def stream(out: str, orders: Sequence[str], **settings: Any) -> dict[str, Any]:
    """Do a whole run for each order, on one store. Folders of earlier runs are removed.

    Args:
        orders: At least one order.

    Returns:
        `learners`: scores after the last task of the last run, by learner.
    """
    shutil.rmtree(out, ignore_errors=True)
    with kept_workers(settings.pop("workers", None)) as workers:
        for number, order in enumerate(orders):
            folder = Path(out) / str(number)
            results = run(out=folder, store=Path(out) / "store", order=order, workers=workers, **settings)
    return {"learners": {name: {"accuracies": [*learner.rows()[-1]]} for name, learner in results.items()}}


def store(backbone: str, data: str, learner: str, folder: str, loads: int, **_: Any) -> dict[str, Any]:
    """Bytes of one task's Delta, and the seconds to read it and check its content."""
    base = backbone_of(backbone, "float32")
    task = opened(data, 1, 1)
    delta = initial_delta(base, parse_learner(learner), task.task, seed=0)
    path = Path(folder) / "delta.safetensors"
    return {"bytes": save_delta(delta, path), "seconds": median_of(loads, lambda: load_delta(path, delta.id))}
