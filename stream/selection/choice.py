"""The choice among finished trials: by validation scores alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from learners.specification.learner import Selection
from stream.storage.trials import Trial, Tried


def best_candidate(selection: Selection, tried: Sequence[Tried]) -> Tried | None:
    """Returns the trial of the winning alternative; None if none succeeded.

    Only trials that ran all their epochs, with the seed of the run, count. The best mean score over the tasks of the
    trials wins. Of equal means the one with fewer parameters wins, then the one that the specification names first.

    Args:
        tried: Finished trials: of one task, or of several tasks with the same alternatives.
    """
    scores: dict[str, list[Tried]] = {}
    for each in tried:
        if each.until is None and each.seed is None:
            scores.setdefault(each.candidate, []).append(each)
    order = [each.specification for each in selection.alternatives]
    ranked = [(*_rank(trials), -order.index(candidate), trials[-1]) for candidate, trials in scores.items()]
    good = [entry for entry in ranked if entry[0] > -math.inf]
    return max(good, key=lambda entry: entry[:3])[3] if good else None


def best_seed(tried: Sequence[Tried]) -> Tried | None:
    """Returns the best of several fits of one alternative with different seeds; of equal scores the first one; None if
    none succeeded."""
    good = [each for each in tried if each.score is not None]
    return max(good, key=lambda each: (each.score, -each.trial), default=None)


def _rank(trials: Sequence[Tried]) -> tuple[float, float]:
    """Mean score and size of an alternative; an alternative that failed on a task is below all others."""
    scores = [-math.inf if each.score is None else each.score for each in trials]
    return math.fsum(scores) / len(scores) if -math.inf not in scores else -math.inf, -max(t.parameters for t in trials)


def winning(selection: Selection, tried: Sequence[Tried], restarted: Sequence[Tried]) -> Trial | None:
    """Returns what becomes the Delta of a task: the winner, and the seed of the restart that was best.

    Args:
        tried: Finished trials of the search.
        restarted: Finished fits of the winner with other seeds, and with the run's; empty without restarts.
    """
    found = best_seed(restarted) if restarted else best_candidate(selection, tried)
    return None if found is None else Trial(candidate=found.candidate, seed=found.seed)
