"""What a trial fits and what a fit keeps, from the results of the trials before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from learners.specification.learner import Selection
from stream.execution.result import Needed
from stream.selection.choice import nothing_kept, winning
from stream.selection.trials import proposed, restarted, searched
from stream.storage.job import Job, JobId
from stream.storage.trials import Trial, Tried


def trial_of(job: Job, selection: Selection, seed: int, results: Mapping[JobId, Needed]) -> Trial:
    """Returns what a search job fits.

    Args:
        seed: Seed of the run.
        results: Results of the trials that it needs, by id.
    """
    assert job.trial is not None
    earlier, number = tried_in(job, results), job.trial - searched(selection)
    if number < 0:
        return proposed(selection, seed, job.learner, job.trial, earlier)
    # If no trial succeeded, a restart of the first alternative fails again and says why.
    return restarted(selection, seed, earlier, number) or Trial(candidate=selection.alternatives[0].specification)


def kept_trial(job: Job, selection: Selection, results: Mapping[JobId, Needed]) -> Trial | None:
    """Returns what a fit job keeps; None if no trial succeeded."""
    return winning(selection, *_search_and_restarts(job, selection, results))


def why_nothing(job: Job, selection: Selection, results: Mapping[JobId, Needed]) -> str:
    """Returns why a fit job keeps nothing, in words."""
    return nothing_kept(selection, *_search_and_restarts(job, selection, results))


def _search_and_restarts(
    job: Job, selection: Selection, results: Mapping[JobId, Needed]
) -> tuple[list[Tried], list[Tried]]:
    tried, count = tried_in(job, results), searched(selection)
    return [each for each in tried if each.trial < count], [each for each in tried if each.trial >= count]


def tried_in(job: Job, results: Mapping[JobId, Needed]) -> Sequence[Tried]:
    """Returns the results of the trials that a job needs, in the order of its needs."""
    return [each for need in job.needs if isinstance(each := results[need], Tried)]
