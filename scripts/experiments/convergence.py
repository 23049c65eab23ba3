"""Did each fit of a finished study converge? Its curve on validation rows: the best epoch, and what came last."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from learners.specification.family import parse_learner
from stream import Study
from stream.results.fit_history import FitHistory

ENOUGH = 0.01  # a fit that gains less in its last quarter has converged: one answer of 100


class Curve(NamedTuple):
    """The fits of one learner on one task, over the runs of a study.

    Attributes:
        scores: Mean validation score after each epoch, over the runs that trained it; a fraction.
        best: Mean epoch that was kept, from 1; 0 if nothing is trained.
        epochs: Mean number of epochs that were trained.
        gain: Mean of `late_gain`.
        open: Number of fits that had not converged.
        fits: Number of fits.
    """

    scores: tuple[float, ...]
    best: float
    epochs: float
    gain: float
    open: int
    fits: int


def late_gain(fit: FitHistory) -> float:
    """What the last quarter of the epochs added to the best validation score, a fraction.

    Of a fit that stopped early this is small, as its last epochs gained nothing. One epoch added all.
    """
    before = len(fit.validation) - math.ceil(len(fit.validation) / 4)
    return max(fit.validation) - max(fit.validation[:before], default=0.0)


def curve_of(fits: Sequence[FitHistory]) -> Curve:
    """The curve of the fits of one learner on one task, one per run."""
    trained = [fit for fit in fits if fit.validation]
    if not trained:
        return Curve((), 0.0, 0.0, 0.0, 0, len(fits))
    longest = max(len(fit.validation) for fit in trained)
    reached = [[fit.validation[epoch] for fit in trained if epoch < len(fit.validation)] for epoch in range(longest)]
    gains = [late_gain(fit) for fit in trained]
    return Curve(
        tuple(sum(scores) / len(scores) for scores in reached),
        sum(fit.best + 1 for fit in trained) / len(trained),
        sum(len(fit.validation) for fit in trained) / len(trained),
        sum(gains) / len(gains),
        sum(gain > ENOUGH for gain in gains),
        len(fits),
    )


def curves_of(study: Study) -> Mapping[str, Mapping[str, Curve]]:
    """The curves of a study, by learner and task. Learners that train nothing, or not in epochs, are left out."""
    found: dict[str, dict[str, Curve]] = {}
    for arm in study.arms:
        if not parse_learner(arm.name).trains:
            continue
        found[arm.name] = {task: curve_of([results.fits[task] for results in arm.results if task in results.fits])
                           for task in arm.results[0].order}  # fmt: skip
    return found


def cell(curve: Curve) -> str:
    """A cell of the table: `7.3/10 +0.4 !2`: kept epoch, epochs, gain in points, fits that had not converged."""
    if not curve.scores:
        return "–"
    return f"{curve.best:.3g}/{curve.epochs:.3g} {100 * curve.gain:+.1f}" + (f" !{curve.open}" if curve.open else "")
