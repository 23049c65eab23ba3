"""A fit as a job: what an equal recipe gave before is taken from the store, anything else learned and kept there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from learners.delta.delta import is_head
from learners.delta.initial import frozen_names
from learners.delta.layout import common
from learners.specification.learner import Learner
from learners.training.divergence import Diverged
from learners.training.fit import Report, fit
from stream.avalanche.held import next_fit
from stream.execution.evaluate_job import scorer
from stream.execution.memory import peak_memory, reset_peak_memory
from stream.results.failures import failed_fit, last_good
from stream.storage.job import Job, JobId
from stream.storage.store import fit_recipe, history, recipe_id

if TYPE_CHECKING:
    from stream.execution.job import Workbench


def fitted(
    bench: Workbench, job: Job, learner: Learner, results: Mapping[JobId, Any], report: Report
) -> dict[str, Any]:
    """The record of a fit, or of one that diverged what `stream.results.failures.failed_fit` says.

    Args:
        results: Results of the jobs it needs, by id.

    Raises:
        BackboneChanged, Nondeterminism, InputError: As `stream.execution.job.execute`.
    """
    (task,) = job.tasks
    data = bench.data(task)
    before = last_good(results[job.needs[-1]]) if job.needs else None
    earlier = [results[need] for need in job.needs if "failed" not in results[need]]
    recipe = fit_recipe(
        backbone=bench.backbone.id,
        data=data.id,
        learner=asdict(learner),
        task=task,
        seed=bench.setup.seed,
        train_examples=bench.setup.train_examples,
        test_examples=bench.setup.test_examples,
        previous=before["delta"] if before else None,
        numerics=bench.numerics,
        met=history(learner, earlier, bench.setup.ids),
    )
    identity = recipe_id(recipe)
    if (known := bench.store.get_fit(identity)) is not None:
        return {**known, "cached": True}
    with bench.store.sole_fitter(identity):  # another run may be at it: what it leaves is then taken
        if (known := bench.store.get_fit(identity)) is not None:
            return {**known, "cached": True}
        return _fitted_anew(bench, job, learner, recipe, before, earlier, report)


def _fitted_anew(
    bench: Workbench,
    job: Job,
    learner: Learner,
    recipe: dict[str, Any],
    before: dict[str, Any] | None,
    earlier: Sequence[Mapping[str, Any]],
    report: Report,
) -> dict[str, Any]:
    (task,) = job.tasks
    data, memory = bench.data(task), 0
    previous = bench.store.get_delta(before) if before else None
    reset_peak_memory()
    started = time.perf_counter()
    try:
        if learner.avalanche:
            outcome, memory = next_fit(bench, job, learner, earlier, report)
        else:
            outcome = fit(bench.backbone, learner, data, scorer(data.task), bench.setup.seed, previous, report)
    except Diverged as error:
        bench.check_backbone(job)
        spent = {"flops": error.flops, "seconds": time.perf_counter() - started, "peak_memory_bytes": peak_memory()}
        return {**failed_fit(recipe, error.step, str(error), before, spent), "cached": False}
    bench.check_backbone(job)  # first: what was learned on another backbone must not enter the store
    size = bench.store.put_delta(outcome.delta)
    counts = outcome.delta.counts
    frozen = frozen_names(learner, previous)
    free = (tensor for name, tensor in outcome.delta.tensors.items() if name not in frozen and not is_head(name))
    record = {
        "recipe": recipe,
        "task": task,
        "delta": outcome.delta.id,
        "digests": dict(outcome.delta.digests),
        "parameters": sum(tensor.numel() for tensor in free),
        "kept_parameters": counts.without_head,
        "added_parameters": counts.added,
        "head_parameters": counts.head,
        "common_parameters": sum(n for name, n in outcome.delta.kept.items() if common(learner, name)),
        "bytes": size,
        "head_bytes": counts.head * 4,
        **({"memory_bytes": memory} if learner.avalanche else {}),
        "validation": list(outcome.validation),
        "losses": list(outcome.losses),
        "best": outcome.best,
        "flops": outcome.flops,
        "examples": outcome.examples,
        "seconds": outcome.seconds,
        "peak_memory_bytes": peak_memory(),
    }
    bench.store.put_fit(recipe_id(recipe), record)
    return {**record, "cached": False}
