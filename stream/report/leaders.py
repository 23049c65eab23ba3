"""Which learners are ahead of the others by more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stream.report.learner_summary import LearnerSummary, arrivals_done, ranked
from tasks.suite import text_groups

LEVEL = 0.05


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
        how = f"paired t over {self.tasks} task{'' if self.tasks == 1 else 's'}, Holm's p < {LEVEL}"
        if not self.names:
            return f"no learner is ahead beyond chance ({how})"
        if len(self.names) == 1:
            return f"{self.names[0]} is ahead of all others beyond chance ({how})"
        return f"ahead of the others beyond chance, but not of each other: {', '.join(self.names)} ({how})"


def leaders(learners: Sequence[LearnerSummary], order: Sequence[str]) -> Leaders:
    """Compares the best average with each other one, as studies do: paired t over tasks, with Holm's correction.

    Tasks that share texts count as one. One run has one seed: what another seed would change is not in it. Without a
    spread, as with a single task, nothing is shown.
    """
    whole = [learner for learner in ranked(learners) if learner.whole and learner.average is not None]
    arrived = arrivals_done(whole)
    if len(whole) < 2 or not arrived:
        return Leaders((), len(whole), arrived)
    import numpy as np

    from stream.study.statistics import holm, paired

    places = {name: place for place, name in enumerate(order[:arrived])}
    groups = [[places[name] for name in group] for group in text_groups(order[:arrived])]
    scores = np.array([learner.now[:arrived] for learner in whole], np.float64)
    found = [paired((scores[0] - other)[None], groups) for other in scores[1:]]
    chances = holm([each.p for each in found])
    behind = [p is not None and p < LEVEL and each.difference > 0 for p, each in zip(chances, found, strict=True)]
    names = tuple(learner.name for learner, worse in zip(whole, [False, *behind], strict=True) if not worse)
    return Leaders(() if len(names) == len(whole) else names, len(whole), arrived)
