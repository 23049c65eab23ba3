"""The order of alternatives by their validation scores, in the rungs of halving as in the choice."""

from __future__ import annotations

import math
from collections.abc import Sequence

from learners.specification.learner import Selection
from stream.storage.trials import Tried


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


def _mean_score(trials: Sequence[Tried]) -> float:
    scores = [-math.inf if each.score is None else each.score for each in trials]
    return -math.inf if -math.inf in scores else math.fsum(scores) / len(scores)
