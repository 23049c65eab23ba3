"""Which learners are ahead of the others by more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from stream.report.learner_summary import LearnerSummary, arrivals_done, ranked
from stream.study.holm import holm
from tasks.suite import text_groups

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.05
FLIPS = 9999


class Leaders(NamedTuple):
    """The learners at the top.

    Attributes:
        names: The learner of the best average and those that are not shown to be worse; () if that is all of them.
        compared: Number of learners with a score on every task that arrived.
        tasks: Number of tasks over which they are compared.
    """

    names: tuple[str, ...]
    compared: int
    tasks: int

    @property
    def sentence(self) -> str:
        """The result in words; "" with fewer than two learners."""
        if self.compared < 2:
            return ""
        how = f"sign flips over {self.tasks} task{'' if self.tasks == 1 else 's'}, Holm's p < {LEVEL}"
        if not self.names:
            return f"no learner is ahead beyond chance ({how})"
        if len(self.names) == 1:
            return f"{self.names[0]} is ahead of all others beyond chance ({how})"
        return f"ahead of the others beyond chance, but not of each other: {', '.join(self.names)} ({how})"


def leaders(learners: Sequence[LearnerSummary], order: Sequence[str]) -> Leaders:
    """Compares the best average with each other one, by `chance` with Holm's correction.

    One run has one seed: what another seed would change is not in it. A study of several seeds says more.
    """
    whole = [learner for learner in ranked(learners) if learner.whole and learner.average is not None]
    arrived = arrivals_done(whole)
    if len(whole) < 2 or not arrived:
        return Leaders((), len(whole), arrived)
    import numpy as np

    places = {name: place for place, name in enumerate(order[:arrived])}
    groups = [[places[name] for name in group] for group in text_groups(order[:arrived])]
    scores = np.array([learner.now[:arrived] for learner in whole], np.float64)
    found = [scores[0] - other for other in scores[1:]]
    chances = holm([chance(each, groups) for each in found])
    behind = [p is not None and p < LEVEL and each.mean() > 0 for p, each in zip(chances, found, strict=True)]
    names = tuple(learner.name for learner, worse in zip(whole, [False, *behind], strict=True) if not worse)
    return Leaders(() if len(names) == len(whole) else names, len(whole), arrived)


def chance(differences: np.ndarray, groups: Sequence[Sequence[int]]) -> float:
    """Returns the two-sided p of a mean paired difference, by the randomisation test (Fisher 1935).

    If neither learner is better, each group of tasks could as well have the opposite sign. p is the share of 9,999
    random choices of signs, and of the one that was seen, whose mean is at least as far from zero. The choices are the
    same each time. It assumes no distribution, and needs no library but NumPy.

    Args:
        differences: Score of one learner minus score of the other, [T].
        groups: Indices of the tasks of each group: tasks that share texts count as one.
    """
    import numpy as np

    sums = np.array([differences[list(group)].sum() for group in groups])
    signs = np.random.default_rng(0).choice((-1.0, 1.0), (FLIPS, len(sums)))
    far = np.abs(signs @ sums) >= abs(float(sums.sum())) - 1e-12
    return float(1 + far.sum()) / (1 + FLIPS)
