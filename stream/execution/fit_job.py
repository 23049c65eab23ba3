"""A fit as a job: what an equal recipe gave before is taken from the store, anything else learned and kept there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from learners.delta.delta import Delta, is_head
from learners.delta.initial import frozen_names
from learners.delta.layout import common
from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of
from learners.training.divergence import Diverged
from learners.training.fit import Report
from learners.training.trainer import FitRequest, Trained, trainer_named
from stream.execution.evaluate_job import scorer
from stream.execution.memory import peak_memory, reset_peak_memory
from stream.execution.result import Fitted, Needed
from stream.execution.workbench import Workbench
from stream.storage.fits import FailedFit, Failure, FitResult, LearnedTask, Recipe, last_good
from stream.storage.job import Job, JobId
from stream.storage.keys import history


def fitted(bench: Workbench, job: Job, learner: Learner, results: Mapping[JobId, Needed], report: Report) -> Fitted:
    """Do a fit, unless the store has it.

    Args:
        results: Of the jobs it needs, by id.

    Raises:
        BackboneChanged, Nondeterminism, InputError: As `stream.execution.job.execute`.
    """
    (task,) = job.tasks
    before = last_fit(results[job.needs[-1]]) if job.needs else None
    earlier = [found for need in job.needs if isinstance(found := results[need], LearnedTask)]
    recipe = Recipe(
        backbone=bench.backbone.id,
        data=bench.data(task).id,
        learner=recipe_of(learner),
        task=task,
        seed=bench.setup.seed,
        train_examples=bench.setup.train_examples,
        test_examples=bench.setup.test_examples,
        validation_examples=bench.setup.validation_examples,
        previous=before.delta if before else None,
        numerics=bench.numerics,
        met=history(learner, earlier, bench.setup.ids),
    )
    if (known := bench.store.get_fit(recipe.id)) is not None:
        return Fitted(recipe.id, known, cached=True)
    with bench.store.sole_fitter(recipe.id):  # another run may be at it: what it leaves is then taken
        if (known := bench.store.get_fit(recipe.id)) is not None:
            return Fitted(recipe.id, known, cached=True)
        found = _fitted_anew(bench, job, learner, before, earlier, report)
        if isinstance(found, FitResult):
            bench.store.put_fit(recipe, found)
        return Fitted(recipe.id, found, cached=False)


def _fitted_anew(
    bench: Workbench,
    job: Job,
    learner: Learner,
    before: LearnedTask | None,
    earlier: Sequence[LearnedTask],
    report: Report,
) -> FitResult | FailedFit:
    (task,) = job.tasks

    previous = bench.store.get_delta(before) if before else None
    reset_peak_memory()
    started = time.perf_counter()
    try:
        trained = train(bench, job, learner, previous, earlier, report)
    except Diverged as error:
        bench.check_backbone(job)
        return FailedFit(
            task=task,
            failed=Failure(type="Diverged", step=error.step, message=str(error)),
            last_good=before.reference if before else None,
            flops=error.flops,
            seconds=time.perf_counter() - started,
            peak_memory_bytes=peak_memory(),
        )
    bench.check_backbone(job)  # first: what was learned on another backbone must not enter the store
    outcome = trained.fit
    counts = outcome.delta.counts
    frozen = frozen_names(learner, previous)
    free = (tensor for name, tensor in outcome.delta.tensors.items() if name not in frozen and not is_head(name))
    return FitResult(
        task=task,
        delta=outcome.delta.id,
        digests=dict(outcome.delta.digests),
        parameters=sum(tensor.numel() for tensor in free),
        kept_parameters=counts.without_head,
        added_parameters=counts.added,
        head_parameters=counts.head,
        common_parameters=sum(n for name, n in outcome.delta.kept.items() if common(learner, name)),
        bytes=bench.store.put_delta(outcome.delta),
        head_bytes=counts.head * 4,
        memory_bytes=trained.state_bytes,
        validation=outcome.validation,
        losses=outcome.losses,
        best=outcome.best,
        flops=outcome.flops,
        examples=outcome.examples,
        seconds=outcome.seconds,
        peak_memory_bytes=peak_memory(),
    )


def train(
    bench: Workbench,
    job: Job,
    learner: Learner,
    previous: Delta | None,
    earlier: Sequence[LearnedTask],
    report: Report,
) -> Trained:
    """Let the learner's trainer learn the task of a job; what it keeps stays in this process for its next fit.

    Args:
        previous: The Delta that the learner goes on from.
        earlier: The good fits before.

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
        history=[(fit.task, fit.delta) for fit in earlier],
        tasks=bench.setup.data,
        load=bench.data,
        report=report,
    )
    state = bench.trainer_states.pop(job.learner, None)  # after a fit that ends midway it is of no more use
    trained = trainer_named(learner.trainer).fit(request, state)
    if trained.state is not None:
        bench.trainer_states[job.learner] = trained.state
    return trained


def last_fit(result: Needed) -> LearnedTask | None:
    """The fit to go on from after this one."""
    assert result is not None  # a fit's last need is a fit
    return last_good(result)
