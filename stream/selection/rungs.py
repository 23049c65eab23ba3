"""Successive halving: all alternatives train for a share of their epochs, and only the best third goes on.

Jamieson and Talwalkar 2016 (Non-stochastic best arm identification and hyperparameter optimization), with the factor 3
that Li et al. 2018 (Hyperband) use. Each round is a *rung*. A fit that goes on resumes where it paused; its learning
rate follows the schedule of all its epochs from the first step on.

n alternatives have s + 1 rungs, s = ceil(log3 n). Rung k trains ceil(n / 3^k) alternatives to 1 / 3^(s - k) of their
epochs; the last rung trains one to its end. With nine alternatives of nine epochs these are 9 x 1 + 3 x 2 + 1 x 6 = 21
of 81 epochs. Few alternatives save less: three cost 5 of 9 epochs, two 4 of 6.
"""

from __future__ import annotations

from collections.abc import Sequence

from learners.specification.learner import Selection
from stream.selection.ranking import ranked
from stream.storage.trials import Trial, Tried

ETA = 3  # one of so many alternatives goes on to the next rung


def rungs(alternatives: int) -> tuple[range, ...]:
    """Returns the numbers of the trials in each rung.

    Args:
        alternatives: Number of alternatives, at least 1.
    """
    found, start = [], 0
    for k in range(_last_rung(alternatives) + 1):
        size = -(-alternatives // ETA**k)
        found.append(range(start, start + size))
        start += size
    return tuple(found)


def rung_of(alternatives: int, trial: int) -> int:
    """Returns the number of the rung of a trial, from 0."""
    return next(k for k, rung in enumerate(rungs(alternatives)) if trial in rung)


def rung_share(alternatives: int, trial: int) -> float:
    """Returns the share of its epochs that a trial adds to those of the rung before."""
    k, last = rung_of(alternatives, trial), len(rungs(alternatives)) - 1
    return float(ETA**k - (ETA ** (k - 1) if k else 0)) / float(ETA**last)


def rung_trial(selection: Selection, trial: int, earlier: Sequence[Tried]) -> Trial:
    """Returns what a trial of successive halving fits.

    Args:
        earlier: Results of the trials of the rung before; others are left out of account.
    """
    count = len(selection.alternatives)
    k, every = rung_of(count, trial), rungs(count)
    candidates = [each.specification for each in selection.alternatives]
    if k > 0:
        before = [each for each in earlier if each.trial in every[k - 1] and each.seed is None]
        candidates = [each.candidate for each in ranked(selection, before)]
    candidate, last = candidates[trial - every[k].start], len(every) - 1
    if k == last:
        return Trial(candidate=candidate)
    epochs = selection[candidate].learner.training.epochs
    return Trial(candidate=candidate, until=max(1, round(epochs * ETA**k / ETA**last)))


def _last_rung(alternatives: int) -> int:
    """Returns ceil(log3 n), computed on integers."""
    k = 0
    while ETA**k < alternatives:
        k += 1
    return k
