"""A fit job: takes the result of an equal recipe from the store; if there is none, fits and stores the result."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from learners.delta.delta import Delta, is_head
from learners.delta.initial import frozen_names
from learners.delta.layout import common
from learners.device import no_memory, recover
from learners.specification.learner import Learner
from learners.specification.packable import why_unpacked
from learners.training.divergence import Diverged
from learners.training.pack import fit_pack
from learners.training.result import OutOfMemory, Report, Request
from learners.training.state import FitState
from learners.training.trainer import FitRequest, Trained, trainer_named
from stream.execution.evaluate_job import scorer
from stream.execution.fit_recipe import drop_states, full_recipe, paused_state, recipe_in
from stream.execution.memory import peak_memory, reset_peak_memory
from stream.execution.result import Fitted, Needed
from stream.execution.trial_job import kept_trial, tried_in, why_nothing
from stream.execution.workbench import Workbench
from stream.storage.fits import (
    DIVERGED,
    OUT_OF_MEMORY,
    FailedFit,
    FailedTask,
    Failure,
    FitResult,
    LearnedTask,
    Recipe,
    last_good,
)
from stream.storage.job import Job, JobId
from stream.storage.states import put_state
from stream.storage.trials import Trial


def execute_fit(
    workbench: Workbench, job: Job, learner: Learner, results: Mapping[JobId, Needed], report: Report
) -> Fitted:
    """Does a fit job, or takes its result from the store.

    The fit of a learner with alternatives keeps the winner of its trials, which is in the store.

    Args:
        results: Results of the jobs that it needs, by id.
        report: Called during the fit with its progress.

    Raises:
        BackboneChanged, Nondeterminism, InputError: As for `stream.execution.job.execute`.
    """
    if learner.selection is not None:
        trial = kept_trial(job, learner.selection, results)
        if trial is None:
            return _nothing_kept(workbench, job, learner, why_nothing(job, learner.selection, results))
        fitted = fit_or_stored(workbench, job, learner.selection[trial.candidate].learner, None, (), report, trial)
        tried = [(each.task, each) for each in tried_in(job, results)]
        drop_states(workbench, job, learner, [*tried, (job.tasks[0], trial)])
        return replace(fitted, chosen=trial)
    last = results[job.needs[-1]] if job.needs else None  # the last need of a fit is the previous fit
    start = last_good(last) if isinstance(last, LearnedTask | FailedTask) else None
    earlier = [fit for need in job.needs if isinstance(fit := results[need], LearnedTask)]
    return fit_or_stored(workbench, job, learner, start, earlier, report)


def fit_or_stored(
    workbench: Workbench,
    job: Job,
    learner: Learner,
    start: LearnedTask | None,
    earlier: Sequence[LearnedTask],
    report: Report,
    trial: Trial | None = None,
) -> Fitted:
    """Takes a fit from the store; if it is not there, fits and stores the result.

    Args:
        learner: The learner that is fitted: of a learner with alternatives, one of these.
        start: The fit whose Delta it starts from; None if it does not start from an earlier fit.
        earlier: The earlier fits that succeeded, in order of arrival.
        report: Called during the fit with its progress.
        trial: What is fitted of a learner with alternatives; None (default) for other learners.
    """
    recipe = recipe_in(workbench, job, learner, start, earlier, trial)
    if (stored := workbench.store.get_fit(recipe.id)) is not None:
        return Fitted(recipe.id, stored, cached=True)
    with workbench.store.sole_fitter(recipe.id):  # another run may be fitting the same recipe; its result is then used
        if (stored := workbench.store.get_fit(recipe.id)) is not None:
            return Fitted(recipe.id, stored, cached=True)
        fit, state = _fit(workbench, job, learner, start, earlier, report, recipe)
        if isinstance(fit, FitResult):
            put_in_store(workbench, recipe, fit, state)
        return Fitted(recipe.id, fit, cached=False)


def put_in_store(workbench: Workbench, recipe: Recipe, fit: FitResult, state: FitState | None) -> None:
    """Stores the record of a fit, and its state if it has paused."""
    workbench.store.put_fit(recipe, fit)
    if state is not None:
        put_state(workbench.store, full_recipe(recipe).id, state)


def _nothing_kept(workbench: Workbench, job: Job, learner: Learner, why: str) -> Fitted:
    """Returns the failed fit of a learner that keeps nothing. The events of the trials say why each of them failed."""
    assert learner.selection is not None
    first = learner.selection.alternatives[0]
    recipe = recipe_in(workbench, job, first.learner, None, (), Trial(candidate=first.specification))
    failure = Failure(type=DIVERGED, step=0, message=why)
    fit = FailedFit(
        task=job.tasks[0], failed=failure, last_good=None, flops=0, seconds=0.0, peak_memory_bytes=peak_memory()
    )
    return Fitted(recipe.id, fit, cached=False)


def _fit(
    workbench: Workbench,
    job: Job,
    learner: Learner,
    start: LearnedTask | None,
    earlier: Sequence[LearnedTask],
    report: Report,
    recipe: Recipe,
) -> tuple[FitResult | FailedFit, FitState | None]:
    """Returns the result of a fit, and its state if it has paused."""
    previous = workbench.store.get_delta(start) if start else None
    reset_peak_memory()
    started = time.perf_counter()
    try:
        trained = train(workbench, job, learner, previous, earlier, report, recipe)
    except Diverged as error:
        return failed_fit(workbench, job, diverged(error), start, error.flops, time.perf_counter() - started), None
    except RuntimeError as error:
        recover(error, workbench.setup.device)
        length = workbench.data(job.tasks[0]).max_length
        message = no_memory(workbench.setup.device, learner.training.batch_size, length)
        why = Failure(type=OUT_OF_MEMORY, step=0, message=message)
        return failed_fit(workbench, job, why, start, 0.0, time.perf_counter() - started), None
    return kept_fit(workbench, job, learner, previous, trained), trained.fit.state


def diverged(error: Diverged) -> Failure:
    """Returns the failure of a fit that diverged."""
    return Failure(type=DIVERGED, step=error.step, message=str(error))


def failed_fit(
    workbench: Workbench, job: Job, why: Failure, start: LearnedTask | None, flops: float, seconds: float
) -> FailedFit:
    """Returns the result of a fit that failed, after a check that it did not change the backbone.

    Args:
        start: The fit whose Delta it started from; None if it did not start from an earlier fit.
        flops, seconds: What it took.
    """
    workbench.check_backbone(job)
    last = start.reference if start else None
    return FailedFit(
        task=workbench.data(job.tasks[0]).task.name,
        failed=why,
        last_good=last,
        flops=flops,
        seconds=seconds,
        peak_memory_bytes=peak_memory(),
    )


def kept_fit(workbench: Workbench, job: Job, learner: Learner, previous: Delta | None, trained: Trained) -> FitResult:
    """Puts the Delta of a fit into the store and returns its result, after a check that it did not change the backbone.

    Args:
        previous: The Delta from which the fit started; None if it did not start from an earlier fit.
    """
    workbench.check_backbone(job)  # before the store is written: a Delta of a changed backbone must not enter it
    outcome = trained.fit
    counts = outcome.delta.counts
    frozen = frozen_names(learner, previous)
    trainable = (tensor for name, tensor in outcome.delta.tensors.items() if name not in frozen and not is_head(name))
    return FitResult(
        task=workbench.data(job.tasks[0]).task.name,
        delta=outcome.delta.id,
        digests=dict(outcome.delta.digests),
        parameters=sum(tensor.numel() for tensor in trainable),
        kept_parameters=counts.without_head,
        added_parameters=counts.added,
        head_parameters=counts.head,
        common_parameters=sum(n for name, n in outcome.delta.kept.items() if common(learner, name)),
        bytes=workbench.store.put_delta(outcome.delta),
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
    workbench: Workbench,
    job: Job,
    learner: Learner,
    previous: Delta | None,
    earlier: Sequence[LearnedTask],
    report: Report,
    recipe: Recipe | None = None,
) -> Trained:
    """Trains a learner on the task of a job with its trainer. The state of the trainer stays in this process for the
    learner's next fit.

    Args:
        previous: The Delta from which the fit starts; None if it does not start from an earlier fit.
        earlier: The earlier fits that succeeded, in order of arrival.
        report: Called during the fit with its progress.
        recipe: Recipe of the fit. It gives the seed, and where the fit pauses; a fit that has paused before goes on
            from its state in the store. None (default): the seed of the run, without a pause.

    Raises:
        Diverged, Nondeterminism, InputError: As for `learners.training.trainer.Trainer.fit`.
    """
    request = FitRequest(
        backbone=workbench.backbone,
        learner=learner,
        data=workbench.data(job.tasks[0]),
        seed=workbench.setup.seed if recipe is None else recipe.seed,
        score_of=scorer,
        previous=previous,
        history=[(fit.task, fit.delta) for fit in earlier],
        tasks=workbench.setup.data,
        load=workbench.data,
        report=report,
        until=None if recipe is None else recipe.until,
        state=None if recipe is None else paused_state(workbench, recipe),
    )
    if in_pack(workbench, learner):  # by itself, but in the shape that its recipe has
        return _in_a_pack(workbench, request)
    state = workbench.trainer_states.pop(job.learner, None)  # the state of a fit that was interrupted is useless
    trained = trainer_named(learner.trainer).fit(request, state)
    if trained.state is not None:
        workbench.trainer_states[job.learner] = trained.state
    return trained


def in_pack(workbench: Workbench, learner: Learner) -> bool:
    """Whether the fits of a learner are done in packs."""
    if workbench.setup.pack == 1 or learner.needs_previous_fit:
        return False
    return not why_unpacked(learner, workbench.backbone.architecture)


def _in_a_pack(workbench: Workbench, request: FitRequest) -> Trained:
    """Does a fit in a pack without others.

    Raises:
        Diverged: As for `learners.training.fit.fit`.
    """
    one = Request(
        request.learner, request.data, request.score_of(request.data.task), request.seed, request.previous,
        request.report, request.until, request.state,
    )  # fmt: skip
    ((_, outcome),) = fit_pack(request.backbone, [one], workbench.setup.pack)
    if isinstance(outcome, Diverged):
        raise outcome
    if isinstance(outcome, OutOfMemory):
        raise torch.OutOfMemoryError
    return Trained(outcome)
