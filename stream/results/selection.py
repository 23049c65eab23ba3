"""What a learner with alternatives chose on each task, and what the search cost. Computed from the events alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NotRequired, TypedDict

from learners.specification.learner import Learner
from stream.selection.choice import candidates_inside
from stream.selection.trials import searched, searched_at
from stream.storage.events import FitEvent, SearchEvent
from stream.storage.finished import Finished, fits_of, searches_of


class ChoiceEntry(TypedDict):
    """The choice on one task: an entry of `selection` in results.json.

    Attributes:
        chosen: Specification of the alternative that the task keeps; None if all failed.
        candidates: Best validation score of each alternative that was tried, by specification: a mean over tasks if
            the choice rests on several; None if its fit failed.
        epochs: Epochs of the alternatives that were stopped before their last epoch, by specification. The chosen one
            is among them if every fit of successive halving that went on to its end failed.
        seed: Seed of the kept fit, if a restart won with another seed than the run's.
        restarts: If there are restarts: best validation score of the winner's fit with each seed, by seed, the run's
            own included; None if that fit failed.
    """

    chosen: str | None
    candidates: Mapping[str, float | None]
    epochs: NotRequired[Mapping[str, int]]
    seed: NotRequired[int]
    restarts: NotRequired[Mapping[str, float | None]]


class SearchCost(TypedDict):
    """The cost of a search: of all fits that were made to choose, those that won included.

    A fit that goes on after a pause is one fit. A fit that the store already had counts as if it had been made here.
    """

    search_fits: int
    search_examples: int
    search_flops: float
    search_seconds: float


def choices(order: Sequence[str], name: str, learner: Learner, events: Finished, seed: int) -> dict[str, ChoiceEntry]:
    """Returns the choice on each task whose fit is done, by task; empty for a learner without alternatives.

    Args:
        seed: Seed of the run.
    """
    if learner.selection is None:
        return {}
    trials, found = searches_of(events, name), {}
    for arrival, fit in enumerate(fits_of(order, name, events), start=1):
        decided = [trial for trial in trials if trial.arrival in searched_at(learner.selection, arrival)]
        mine = _last(trial for trial in decided if trial.trial < searched(learner.selection))
        specifications = dict.fromkeys(trial.candidate for trial in mine)
        entry: ChoiceEntry = {
            "chosen": fit.chosen if isinstance(fit, FitEvent) else None,
            "candidates": {text: _mean([t.score for t in mine if t.candidate == text]) for text in specifications},
        }
        if paused := {trial.candidate: trial.until for trial in mine if trial.until is not None}:
            entry["epochs"] = paused
        if isinstance(fit, FitEvent) and fit.chosen is not None and fit.until is not None:
            kept = next(t.score for t in decided if (t.candidate, t.until, t.seed) == (fit.chosen, fit.until, None))
            entry["candidates"] = {**entry["candidates"], fit.chosen: kept}
            entry["epochs"] = {**entry.get("epochs", {}), fit.chosen: fit.until}
        if isinstance(fit, FitEvent) and fit.seed is not None:
            entry["seed"] = fit.seed
        again = [each for each in trials if each.arrival == arrival and each.trial >= searched(learner.selection)]
        if again:
            entry["restarts"] = {str(seed if each.seed is None else each.seed): each.score for each in again}
        found[fit.task] = entry
    return found


def candidate_choices(learner: Learner, fits: Iterable[FitEvent]) -> dict[str, ChoiceEntry]:
    """Returns the choice inside each fit of a learner that reads texts, by task.

    Its candidates are fitted together in one fit, so their cost is that of the fit.

    Args:
        fits: The fits that succeeded.
    """
    if learner.text_model is None:
        return {}
    names = [candidate.specification(learner.name) for candidate in learner.text_model.candidates]
    return {
        fit.task: {"chosen": names[fit.best], "candidates": dict(zip(names, fit.validation, strict=True))}
        for fit in fits
    }


def search_cost(name: str, events: Finished) -> SearchCost:
    """Returns the cost of a learner's search so far."""
    fits = _last(searches_of(events, name))
    return {
        "search_fits": len(fits),
        "search_examples": sum(fit.examples for fit in fits),
        "search_flops": math.fsum(fit.flops for fit in fits),
        "search_seconds": math.fsum(fit.seconds for fit in fits),
    }


def inside_cost(order: Sequence[str], name: str, learner: Learner, events: Finished) -> SearchCost:
    """Returns the cost of the search that a learner made inside its fits so far (`candidates_inside`).

    A fit of it is the search: its floating point operations and seconds are those of all its models together, and what
    the winner alone took is not known. Its `examples` count each row once, so they are multiplied by the number of
    models here. The examples of a failed fit are not known and count as none.
    """
    fits, count = fits_of(order, name, events), candidates_inside(learner)
    return {
        "search_fits": count * len(fits),
        "search_examples": count * sum(fit.examples for fit in fits if isinstance(fit, FitEvent)),
        "search_flops": math.fsum(fit.flops for fit in fits),
        "search_seconds": math.fsum(fit.seconds for fit in fits),
    }


def _last(trials: Iterable[SearchEvent]) -> list[SearchEvent]:
    """Returns the last trial of each fit: those before it are parts of the same fit."""
    last: dict[tuple[str, str, int | None], SearchEvent] = {}
    for trial in trials:
        last[trial.task, trial.candidate, trial.seed] = trial
    return [*last.values()]


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(scores) else None
