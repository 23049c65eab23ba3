"""Which fits of several runs are the same: what a plan of a study counts once."""

from __future__ import annotations

from collections.abc import Iterable

from learners.specification.learner import Learner
from learners.training.trainer import trainer_named
from stream.engine.context import RunContext
from stream.storage.job import Job, JobId
from tasks.content import canonical, content_id


def fit_identities(context: RunContext, jobs: Iterable[Job]) -> dict[JobId, str]:
    """Returns an identity of each fit and each trial of a run, before anything is fitted.

    Two runs that differ in seed or order share a fit if their identities are equal. A recipe says the same, but names
    the Delta before it, which is not known yet; here the identity of the fit before stands for it.

    Args:
        context: The run.
        jobs: All jobs of the run, in plan order.
    """
    inputs = context.inputs
    order = [inputs.scored_data(task) for task in inputs.data]
    whole = {name for name, each in context.learners.items() if _needs_full_stream(each)}
    found: dict[JobId, str] = {}
    for job in jobs:
        if job.kind not in ("fit", "search"):
            continue
        parts = [
            job.kind, job.trial, inputs.seed, inputs.learners[job.learner], [inputs.scored_data(x) for x in job.tasks],
            [found[need] for need in job.needs], order if job.learner in whole else None,
        ]  # fmt: skip
        found[job.id] = content_id("planned fit", canonical(parts))
    return found


def _needs_full_stream(learner: Learner) -> bool:
    return trainer_named(learner.trainer).needs_full_stream(learner.trainer_config)
