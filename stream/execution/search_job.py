"""A search job: fits one alternative of a learner, and gives its validation score."""

from __future__ import annotations

from collections.abc import Mapping

from learners.specification.learner import Learner
from learners.training.result import Report
from stream.execution.fit_job import fit_or_stored
from stream.execution.result import Fitted, Needed
from stream.execution.trial_job import trial_of
from stream.execution.workbench import Workbench
from stream.storage.fits import FailedFit
from stream.storage.job import Job, JobId
from stream.storage.trials import Trial, TriedFit


def execute_search(
    workbench: Workbench, job: Job, learner: Learner, results: Mapping[JobId, Needed], report: Report
) -> TriedFit:
    """Does a search job. Reads training and validation rows only.

    Args:
        learner: The learner with alternatives.
        results: Results of the trials that it needs, by id.
        report: Called during the fit with its progress.

    Raises:
        BackboneChanged, Nondeterminism, InputError: As for `stream.execution.job.execute`.
    """
    assert learner.selection is not None
    assert job.trial is not None
    trial = trial_of(job, learner.selection, workbench.setup.seed, results)
    alternative = learner.selection[trial.candidate].learner
    return tried(job, trial, fit_or_stored(workbench, job, alternative, None, (), report, trial))


def tried(job: Job, trial: Trial, fitted: Fitted) -> TriedFit:
    """Returns the result of a search job.

    Args:
        trial: What was fitted.
    """
    about = {**vars(trial), "task": job.tasks[0], "trial": job.trial, "recipe": fitted.recipe, "cached": fitted.cached}
    fit = fitted.fit
    if isinstance(fit, FailedFit):
        return TriedFit(
            **about, score=None, parameters=0, delta=None, validation=(), flops=fit.flops, examples=0,
            seconds=fit.seconds, failed=fit.failed,
        )  # fmt: skip
    return TriedFit(
        **about,
        score=fit.validation[fit.best] if fit.best >= 0 else None,
        parameters=fit.kept_parameters,
        delta=fit.delta,
        validation=fit.validation,
        flops=fit.flops,
        examples=fit.examples,
        seconds=fit.seconds,
    )
