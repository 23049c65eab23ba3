"""Successive halving: all alternatives train for a share of their epochs, and only the best third goes on.

Jamieson and Talwalkar 2016 (Non-stochastic best arm identification and hyperparameter optimization), with the factor 3
that Li et al. 2018 (Hyperband) use. Each round is a *rung*. A fit that goes on resumes where it paused; its learning
rate follows the schedule of all its epochs from the first step on.

n alternatives have s + 1 rungs, s = ceil(log3 n). Rung k trains ceil(n / 3^k) alternatives to 1 / 3^(s - k) of their
epochs; the last rung trains one to its end. With nine alternatives of nine epochs these are 9 x 1 + 3 x 2 + 1 x 6 = 21
of 81 epochs. Few alternatives save less: three cost 5 of 9 epochs, two 4 of 6. Rungs end at whole epochs, so few epochs
save less too: rungs that end at the same epoch train nothing.
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


def rung_end(alternatives: int, k: int, epochs: int) -> int:
    """Returns the epoch at which rung k ends, for an alternative of `epochs` epochs."""
    last = _last_rung(alternatives)
    return epochs if k == last else max(1, round(epochs * ETA**k / ETA**last))


def rung_share(selection: Selection, trial: int) -> float:
    """Returns the share of its epochs that a trial adds to those of the rung before.

    Whole epochs count. In the first rung they are those of the trial's alternative. Later it is not known which ones go
    on, so the share is the mean over all alternatives.
    """
    count = len(selection.alternatives)
    k = rung_of(count, trial)
    tried = selection.alternatives if k else selection.alternatives[trial : trial + 1]
    return sum(_added(count, k, each.learner.training.epochs) for each in tried) / len(tried)


def _added(count: int, k: int, epochs: int) -> float:
    """Returns the share of its epochs that an alternative trains in rung k."""
    ends = [min(rung_end(count, rung, epochs), epochs) for rung in range(max(k - 1, 0), k + 1)]
    return (ends[-1] - (ends[0] if k else 0)) / epochs if epochs else 0.0


def saves_little(selection: Selection) -> str:
    """Returns in one sentence that rungs end at the same epoch, because an alternative has few epochs; "" if not."""
    count, last = len(selection.alternatives), _last_rung(len(selection.alternatives))
    fewest = min(each.learner.training.epochs for each in selection.alternatives)
    ends = [rung_end(count, k, fewest) for k in range(last + 1)]
    if selection.method != "halving" or len(set(ends)) == len(ends):
        return ""
    trained = sum(rung_share(selection, trial) for rung in rungs(count) for trial in rung) / count
    return (
        f"halving saves little: {count} alternatives want at least {ETA**last} epochs for {last + 1} rungs; found "
        f"{fewest}; it trains {trained:.0%} of what a grid trains"
    )


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
    return Trial(candidate=candidate, until=rung_end(count, k, epochs))


def _last_rung(alternatives: int) -> int:
    """Returns ceil(log3 n), computed on integers."""
    k = 0
    while ETA**k < alternatives:
        k += 1
    return k
