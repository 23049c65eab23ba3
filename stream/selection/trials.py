"""The trials of a search: how many there are, what each of them fits, and which results it needs first."""

from __future__ import annotations

import random
from collections.abc import Sequence

from learners.specification.alternatives import argument
from learners.specification.learner import Selection
from stream.selection.choice import best_candidate
from stream.selection.rungs import rung_of, rung_share, rung_trial, rungs
from stream.selection.sampler import sampled_trial
from stream.storage.trials import Trial, Tried
from tasks.seeds import seed_of


def searched(selection: Selection) -> int:
    """Returns the number of trials of a search on one task, without restarts."""
    count = len(selection.alternatives)
    if selection.method.startswith(("random", "optuna")):  # neither tries an alternative twice
        return min(argument(selection.method), count)
    if selection.method == "halving":
        return sum(map(len, rungs(count)))
    return count


def restarts(selection: Selection) -> int:
    """Returns the number of fits of the winner on a task, one with the run's seed and the others with new seeds; 0
    without restarts."""
    return selection.restarts + 1 if selection.restarts else 0


def searched_at(selection: Selection, arrival: int) -> range:
    """Returns the arrivals whose searches decide what the task of an arrival keeps."""
    if selection.scope.startswith("first"):
        return range(1, min(arrival, argument(selection.scope)) + 1)
    return range(arrival, arrival + 1)


def trials_at(selection: Selection, arrival: int) -> range:
    """Returns the numbers of the trials at an arrival: those of the search, if it searches there, and the restarts."""
    first = 0 if arrival in searched_at(selection, arrival) else searched(selection)
    return range(first, searched(selection) + restarts(selection))


def trials_of(selection: Selection | None) -> int:
    """Returns the number of trials on one task, restarts included; 1 for a learner without alternatives, whose fit is
    its only one."""
    return 1 if selection is None else searched(selection) + restarts(selection)


def different_fits(selection: Selection | None, arrival: int) -> int:
    """Returns the number of different fits of a learner at one arrival, most of them trials."""
    if selection is None:
        return 1
    return fits_to_choose(selection, arrival) + begins_fit(selection, arrival, None)


def fits_to_choose(selection: Selection | None, arrival: int) -> int:
    """Returns the number of different fits at one arrival among which a learner chooses, restarts included."""
    if selection is None:
        return 0
    return sum(begins_fit(selection, arrival, trial) for trial in trials_at(selection, arrival))


def share_of_fit(selection: Selection, arrival: int, trial: int | None) -> float:
    """Returns how much of a whole fit a job trains that the jobs before it have not: 0 if it takes all from the store.

    Args:
        trial: Number of the trial; None for the fit that keeps the winner.
    """
    known = arrival in searched_at(selection, arrival) and selection.scope != "twin"  # the winner's fit on the task
    if trial is None:
        return 0.0 if known or selection.restarts else 1.0
    if trial >= searched(selection):
        return 0.0 if known and trial == searched(selection) else 1.0
    return rung_share(selection, trial) if selection.method == "halving" else 1.0


def begins_fit(selection: Selection, arrival: int, trial: int | None) -> bool:
    """Whether a job begins a fit: it neither goes on with the fit of an earlier rung nor takes all from the store.

    Args:
        trial: Number of the trial; None for the fit that keeps the winner.
    """
    if trial is not None and trial < searched(selection):
        return selection.method != "halving" or rung_of(len(selection.alternatives), trial) == 0
    return share_of_fit(selection, arrival, trial) > 0


def waits_for(selection: Selection, trial: int) -> range:
    """Returns the numbers of the trials on the same task whose results a trial of the search needs."""
    if selection.method == "halving":
        count = len(selection.alternatives)
        rung = rung_of(count, trial)
        return rungs(count)[rung - 1] if rung else range(0)
    return range(trial if selection.method.startswith("optuna") else 0)


def proposed(selection: Selection, seed: int, name: str, trial: int, earlier: Sequence[Tried]) -> Trial:
    """Returns what a trial of the search fits. The same arguments always give the same trial.

    Args:
        seed: Seed of the run.
        name: Specification of the learner with alternatives.
        trial: Number of the trial, from 0.
        earlier: Results of the trials that `waits_for` names, in any order.

    Raises:
        InputError: The method needs a library that is not installed (`stream.selection.sampler.check_method`).
    """
    if selection.method == "halving":
        return rung_trial(selection, trial, earlier)
    if selection.method.startswith("optuna"):
        return sampled_trial(selection, seed, name, trial, earlier)
    place = trial
    if selection.method.startswith("random"):
        places = list(range(len(selection.alternatives)))
        place = random.Random(seed_of(seed, name, "search")).sample(places, searched(selection))[trial]
    return Trial(candidate=selection.alternatives[place].specification)


def restarted(selection: Selection, seed: int, tried: Sequence[Tried], number: int) -> Trial | None:
    """Returns what a restart fits: the winner of the search with another seed, to where it paused if it did; None if no
    trial succeeded.

    Args:
        seed: Seed of the run.
        tried: Results of the search.
        number: Number of the restart; 0 has the seed of the run.
    """
    found = best_candidate(selection, tried)
    if found is None:
        return None
    other = seed_of(seed, "restart", str(number)) if number else None
    return Trial(candidate=found.candidate, until=found.until, seed=other)
