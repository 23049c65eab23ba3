"""How the fits of a learner went: validation scores by epoch, and the choice among alternatives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from stream.results.reading import items, number, section, text, whole


@dataclass(frozen=True)
class Choice:
    """What a learner with alternatives chose on a task.

    Attributes:
        chosen: Specification of the alternative that the task keeps; "" if all failed.
        candidates: Best validation score of each alternative that was tried, a fraction, in the order of naming; None
            if its fit failed.
        epochs: Epochs of the alternatives that were stopped before their last epoch.
        seed: Seed of the kept fit if a restart won; None if the fit with the seed of the run did.
        restarts: Best validation score of the winner's fit with each seed, by seed, the run's own included; None if
            that fit failed. Empty (default) without restarts.
    """

    chosen: str
    candidates: Mapping[str, float | None]
    epochs: Mapping[str, int]
    seed: int | None = None
    restarts: Mapping[int, float | None] = field(default_factory=dict)

    @property
    def runner_up(self) -> str:
        """The alternative that is best after the chosen one; "" if there is none.

        One that was fitted to the end is before all that were stopped, one with more epochs before one with fewer, as
        scores after different numbers of epochs do not compare. Then the better score counts, then the order of naming.
        """
        others = {name: score for name, score in self.candidates.items() if score is not None and name != self.chosen}
        return max(others, key=lambda name: (self.epochs.get(name, math.inf), others[name]), default="")

    @property
    def stopped(self) -> int | None:
        """Epochs after which the runner-up was stopped; None if it was fitted to the end, or if there is none."""
        return self.epochs.get(self.runner_up)

    @property
    def margin(self) -> float | None:
        """Score of the chosen alternative minus that of the runner-up, both fitted to the end with the same seed; None
        if one of them is missing or was stopped."""
        scores = [self.candidates.get(name) for name in (self.chosen, self.runner_up)]
        if scores[0] is None or scores[1] is None or self.stopped is not None:
            return None
        return scores[0] - scores[1]

    def kept_score(self, fit: FitHistory | None) -> float | None:
        """Returns the validation score of the kept fit on its task, a fraction. It differs from the score in
        `candidates` if a restart won, or if the choice rests on other tasks.

        Args:
            fit: How the kept fit went; None if not known, then the score is that of the candidate.
        """
        if fit is None or not 0 <= fit.best < len(fit.validation):
            return self.candidates.get(self.chosen)
        return fit.validation[fit.best]


@dataclass(frozen=True)
class FitHistory:
    """How a fit went: validation score and mean training loss after each epoch, and the epoch that was kept, from 0;
    -1 if nothing is trained."""

    validation: tuple[float, ...]
    losses: tuple[float, ...]
    best: int


def read_choices(value: object, where: str) -> dict[str, Choice]:
    """Reads `selection` of a learner in results.json: the choice on each task, by task.

    Args:
        where: Place of the value, for error messages.

    Raises:
        InputError: The value is damaged.
    """
    found = {}
    for task, each in section(value, where).items():
        entry = section(each, f"{where}/{task}")
        candidates = section(entry.get("candidates"), f"{where}/{task}/candidates")
        epochs = section(entry.get("epochs"), f"{where}/{task}/epochs")
        restarts = section(entry.get("restarts"), f"{where}/{task}/restarts")
        found[task] = Choice(
            chosen=text(entry.get("chosen")),
            candidates={name: number(score) for name, score in candidates.items()},
            epochs={name: n for name, count in epochs.items() if (n := whole(count)) is not None},
            seed=whole(entry.get("seed")),
            restarts={int(seed): number(score) for seed, score in restarts.items() if seed.isdecimal()},
        )
    return found


def read_histories(value: object, where: str) -> dict[str, FitHistory]:
    """Reads `fits` of a learner in results.json: how the fit of each task went, by task.

    Args:
        where: Place of the value, for error messages.

    Raises:
        InputError: The value is damaged.
    """
    found = {}
    for task, each in section(value, where).items():
        entry = section(each, f"{where}/{task}")
        validation, losses = (
            tuple(x for score in items(entry.get(name), f"{where}/{task}/{name}") if (x := number(score)) is not None)
            for name in ("validation", "losses")
        )
        best = whole(entry.get("best"))
        found[task] = FitHistory(validation, losses, -1 if best is None else best)
    return found
