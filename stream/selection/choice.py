"""The choice among finished trials: by validation scores alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from learners.specification.learner import Selection
from stream.storage.trials import Trial, Tried


def ranked(selection: Selection, tried: Sequence[Tried]) -> list[Tried]:
    """Returns the last trial of each alternative among these trials, the best alternative first.

    The higher mean score over the tasks of the trials is better, then fewer parameters, then the earlier place in the
    specification. An alternative that failed on a task is below all others.

    Args:
        tried: Finished trials: of one task, or of several tasks with the same alternatives. Scores are fractions.
    """
    trials: dict[str, list[Tried]] = {}
    for each in tried:
        trials.setdefault(each.candidate, []).append(each)
    order = [each.specification for each in selection.alternatives]

    def key(candidate: str) -> tuple[float, int, int]:
        mine = trials[candidate]
        return -_mean_score(mine), max(each.parameters for each in mine), order.index(candidate)

    return [trials[candidate][-1] for candidate in sorted(trials, key=key)]


def best_candidate(selection: Selection, tried: Sequence[Tried]) -> Tried | None:
    """Returns the trial of the winning alternative (`ranked`); None if none succeeded.

    Only trials that ran all their epochs, with the seed of the run, count.

    Args:
        tried: Finished trials, as for `ranked`.
    """
    whole = [each for each in tried if each.until is None and each.seed is None]
    failed = {each.candidate for each in whole if each.score is None}
    return next((each for each in ranked(selection, whole) if each.candidate not in failed), None)


def best_seed(tried: Sequence[Tried]) -> Tried | None:
    """Returns the best of several fits of one alternative with different seeds; of equal scores the first one; None if
    none succeeded."""
    good = [each for each in tried if each.score is not None]
    return max(good, key=lambda each: (each.score, -each.trial), default=None)


def _mean_score(trials: Sequence[Tried]) -> float:
    scores = [-math.inf if each.score is None else each.score for each in trials]
    return -math.inf if -math.inf in scores else math.fsum(scores) / len(scores)


def winning(selection: Selection, tried: Sequence[Tried], restarted: Sequence[Tried]) -> Trial | None:
    """Returns what becomes the Delta of a task: the winner, and the seed of the restart that was best.

    Args:
        tried: Finished trials of the search.
        restarted: Finished fits of the winner with other seeds, and with the run's; empty without restarts.
    """
    found = best_seed(restarted) if restarted else best_candidate(selection, tried)
    return None if found is None else Trial(candidate=found.candidate, seed=found.seed)
