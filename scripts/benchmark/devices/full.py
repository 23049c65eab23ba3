"""Full fine-tuning of an encoder in the shape of BERT-base: its share of the peak of the device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmark.devices.case import BERT, Case, Found, timed
from benchmark.devices.peak import best
from learners.specification.family import parse_learner
from learners.training.fit import fit
from stream.execution.evaluate_job import scorer

BATCHES = (32, 128)


def measure(case: Case) -> Iterator[Found]:
    """Rows of 64 tokens. The work counted is that of the products, padding included."""
    base, peak = case.shaped({"num_hidden_layers": 2, "hidden_size": 128} if case.quick else BERT), best(case)
    (task,) = case.tasks(1, 64)
    for batch in BATCHES[:1] if case.quick else BATCHES:
        rows = np.resize(np.arange(len(task.train)), 2 * batch if case.quick else 20 * batch)
        data = replace(task, train=task.train.select(rows))
        learner = parse_learner("full", {"epochs": 1, "batch_size": batch})
        fit(base, learner, replace(task, train=task.train.select(rows[: 2 * batch])), scorer(task.task), 0)
        seconds, done = timed(case.device, fit, base, learner, data, scorer(task.task), 0)
        share = done.flops / seconds / peak
        yield Found(f"batches of {batch}", len(rows) / seconds, "examples/s", f"{share:.0%} of the peak")
