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
from learners.forward.flops import flops_per_row, total_flops
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
from stream.storage.events import Fit, job_of, read_events
from stream.storage.job import JobId
from stream.storage.ledger import read_ledger


@cache
def backbone_of(name: str, dtype: Any) -> Backbone:
    """A backbone, loaded once in a process, which it gives one thread."""
    torch.set_num_threads(1)
    return load_backbone(name, dtype)


def train(
    backbone: str, dtype: str, data: str, learner: str, examples: int, epochs: int, batch_size: int, **_: Any
) -> dict[str, Any]:
    """One fit, from the pretrained weights; the clock runs during all of `fit`. Others do not validate, ours does after
    each epoch, so it is given a single row for that.

    Returns:
        Beside times: `needed`, FLOPs of the matrix products of these rows without padding, all layers in all epochs.
    """
    base = backbone_of(backbone, dtype)
    task = opened(data, examples, 1)
    parsed = parse_learner(learner, {"epochs": epochs, "batch_size": batch_size, "learning_rate": None})
    parsed = replace(parsed, training=replace(parsed.training, patience=epochs))
    per_row = flops_per_row(base, parsed, task.task.outputs, backward=True)
    needed = epochs * sum(total_flops(per_row, 1, int(length)) for length in task.train.lengths)
    with clocked() as spent:
        fitted = fit(base, parsed, task, scorer(task.task), seed=0)
    return {**spent.as_dict(), "examples": fitted.examples, "loss": fitted.losses[-1], "needed": needed}


def scored(
    backbone: str, dtype: str, data: str, learner: str, examples: int, test_examples: int, epochs: int, batch_size: int,
    seed: int, **_: Any,
) -> dict[str, Any]:  # fmt: skip
    """Test score of the last epoch of one fit; which epoch did best in validation is not asked."""
    base, task = backbone_of(backbone, dtype), opened(data, examples, test_examples, seed)
    parsed = parse_learner(learner, {"epochs": epochs, "batch_size": batch_size, "learning_rate": None})
    later = count()
    fitted = fit(base, parsed, task, lambda target, logits: float(next(later)), seed)
    return {"score": evaluate_task(base, parsed, fitted.delta, task.task, task.test).score}


@cache
def finished(folder: str) -> tuple[Workbench, Stream, Mapping[JobId, Needed]]:
    """A finished run: what executes its jobs, its stream, and what its fits gave by job."""
    config, _ = resolve_config({}, Path(folder) / "config.toml")
    prepared = prepare(config)
    events = read_events(read_ledger(Path(folder) / "ledger.jsonl"))
    fits = {job_of(event): needed(event) for event in events if isinstance(event, Fit)}
    return open_workbench(prepared.setup(), prepared.backbone), prepared.stream, fits


def evaluate(run_folder: str, mode: str, count: int, **_: Any) -> dict[str, Any]:
    """The evaluation after arrival `count` of a finished run, as `execute` does it: Deltas read and checked, the
    backbone hashed. Of `audited`, the cells that are run; the rest is a comparison of ids.

    Returns:
        Beside times: `needed`, FLOPs of the matrix products of all `count` tasks' rows without padding.
    """
    bench, stream, fits = finished(run_folder)
    (learner,) = bench.learners
    jobs = plan_jobs(stream, bench.learners, mode, bench.setup.seed)
    job = next(job for job in jobs if (job.kind, job.arrival) == ("evaluate", count))
    work = 0.0
    for name in stream.order[:count]:
        task = bench.data(name)
        per_row = flops_per_row(bench.backbone, bench.learners[learner], task.task.outputs, backward=False)
        work += sum(total_flops(per_row, 1, int(length)) for length in task.test.lengths)
    with clocked() as spent:
        execute(bench, job, {need: fits[need] for need in job.needs if need in fits}, lambda event: None)
    return {**spent.as_dict(), "needed": work, "cells": len(job.tasks)}


def stream(out: str, orders: Sequence[str], **settings: Any) -> dict[str, Any]:
    """Whole runs, one for each order, on a store in common; folders of earlier runs are removed.

    Returns:
        `learners`: of the last run, scores after the last task.
    """
    shutil.rmtree(out, ignore_errors=True)
    results: dict[str, Any] = {}
    with kept_workers(settings.pop("workers", None)) as workers:
        for number, order in enumerate(orders):
            folder = Path(out) / str(number)
            results = run(out=folder, store=Path(out) / "store", order=order, workers=workers, **settings).as_dict()
    return {"learners": {name: {"accuracies": each["R"][-1]} for name, each in results["learners"].items()}}


def store(backbone: str, data: str, learner: str, folder: str, loads: int, **_: Any) -> dict[str, Any]:
    """Bytes of one task's Delta, and the seconds of reading it and checking its content."""
    base = backbone_of(backbone, "float32")
    task = opened(data, 1, 1)
    delta = initial_delta(base, parse_learner(learner), task.task, seed=0)
    path = Path(folder) / "delta.safetensors"
    return {"bytes": save_delta(delta, path), "seconds": median_of(loads, lambda: load_delta(path, delta.id))}
