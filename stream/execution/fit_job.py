"""A fit as a job: what an equal recipe gave before is taken from the store, anything else learned and kept there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from learners.delta.delta import Delta, is_head
from learners.delta.initial import frozen_names
from learners.delta.layout import common
from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of
from learners.training.divergence import Diverged
from learners.training.fit import Report
from learners.training.trainer import FitRequest, Trained, trainer_named
from stream.engine.jobs import Job
from stream.execution.evaluate_job import scorer
from stream.execution.memory import peak_memory, reset_peak_memory
from stream.results.failures import failed_fit, last_good
from stream.storage.store import fit_recipe, history, recipe_id

if TYPE_CHECKING:
    from stream.execution.job import Bench


def fitted(bench: Bench, job: Job, learner: Learner, results: Mapping[str, Any], report: Report) -> dict[str, Any]:
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
        learner=recipe_of(learner),
        task=task,
        seed=bench.setup.seed,
        train_examples=bench.setup.train_examples,
        test_examples=bench.setup.test_examples,
        validation_examples=bench.setup.validation_examples,
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
    bench: Bench,
    job: Job,
    learner: Learner,
    recipe: dict[str, Any],
    before: dict[str, Any] | None,
    earlier: Sequence[Mapping[str, Any]],
    report: Report,
) -> dict[str, Any]:
    (task,) = job.tasks
    previous = bench.store.get_delta(before) if before else None
    reset_peak_memory()
    started = time.perf_counter()
    try:
        trained = train(bench, job, learner, previous, earlier, report)
    except Diverged as error:
        bench.check_backbone(job)
        spent = {"flops": error.flops, "seconds": time.perf_counter() - started, "peak_memory_bytes": peak_memory()}
        return {**failed_fit(recipe, error.step, str(error), before, spent), "cached": False}
    bench.check_backbone(job)  # first: what was learned on another backbone must not enter the store
    outcome = trained.fit
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
        **({} if trained.state_bytes is None else {"memory_bytes": trained.state_bytes}),
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


def train(
    bench: Bench,
    job: Job,
    learner: Learner,
    previous: Delta | None,
    earlier: Sequence[Mapping[str, Any]],
    report: Report,
) -> Trained:
    """Let the learner's trainer learn the task of a job; what it keeps stays in this process for its next fit.

    Args:
        previous: The Delta that the learner goes on from.
        earlier: Records of the good fits before.

    Raises:
        Diverged, Nondeterminism, InputError: As `learners.training.trainer.Trainer.fit`.
    """
    request = FitRequest(
        backbone=bench.backbone,
        learner=learner,
        data=bench.data(job.tasks[0]),
        seed=bench.setup.seed,
        score_of=scorer,
        previous=previous,
        history=[(record["task"], record["delta"]) for record in earlier],
        tasks=bench.setup.data,
        load=bench.data,
        report=report,
    )
    state = bench.trainer_states.pop(job.learner, None)  # after a fit that ends midway it is of no more use
    trained = trainer_named(learner.trainer).fit(request, state)
    if trained.state is not None:
        bench.trainer_states[job.learner] = trained.state
    return trained
