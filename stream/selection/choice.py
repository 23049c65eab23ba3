"""The choice among finished trials: by validation scores alone."""

from __future__ import annotations

from collections.abc import Sequence

from learners.specification.learner import Learner, Selection
from stream.selection.ranking import ranked
from stream.selection.rungs import rung_of
from stream.storage.trials import Trial, Tried


def candidates_inside(learner: Learner) -> int:
    """Returns the number of models among which each fit of a learner chooses by itself; 0 if there is no choice.

    Only a learner that reads texts has several (`learners.specification.text_model.TextModel.candidates`). One with
    alternatives chooses among these, so it is left out.
    """
    count = 0 if learner.selection is not None or learner.text_model is None else len(learner.text_model.candidates)
    return count if count > 1 else 0


def chooses(learner: Learner) -> bool:
    """Whether a learner chooses on the validation rows of a task what the task keeps: among its alternatives, or inside
    its fit."""
    return learner.selection is not None or candidates_inside(learner) > 0


def best_candidate(selection: Selection, tried: Sequence[Tried]) -> Tried | None:
    """Returns the trial of the winning alternative (`ranked`); None if none succeeded.

    Only trials that ran all their epochs, with the seed of the run, count. If successive halving has none that
    succeeded, the best paused trial of its highest rung that has a score counts instead: its Delta is that of the
    epochs before the pause.

    Args:
        tried: Finished trials, as for `ranked`.
    """
    own = [each for each in tried if each.seed is None]
    whole = [each for each in own if each.until is None]
    failed = {each.candidate for each in whole if each.score is None}
    found = next((each for each in ranked(selection, whole) if each.candidate not in failed), None)
    return found or _best_paused(selection, [each for each in own if each.until is not None])


def _best_paused(selection: Selection, paused: Sequence[Tried]) -> Tried | None:
    good = [each for each in paused if each.score is not None]
    place = {each.trial: rung_of(len(selection.alternatives), each.trial) for each in good}
    highest = [each for each in good if place[each.trial] == max(place.values())]
    return next(iter(ranked(selection, highest)), None)


def best_seed(tried: Sequence[Tried]) -> Tried | None:
    """Returns the best of several fits of one alternative with different seeds; of equal scores the first one; None if
    none succeeded."""
    good = [each for each in tried if each.score is not None]
    return max(good, key=lambda each: (each.score, -each.trial), default=None)


def winning(selection: Selection, tried: Sequence[Tried], restarted: Sequence[Tried]) -> Trial | None:
    """Returns what becomes the Delta of a task: the winner, where it paused if no trial succeeded to its end, and the
    seed of the restart that was best. None if none succeeded.

    Args:
        tried: Finished trials of the search.
        restarted: Finished fits of the winner with other seeds, and with the run's; empty without restarts.
    """
    found = best_seed(restarted) if restarted else best_candidate(selection, tried)
    return None if found is None else Trial(candidate=found.candidate, until=found.until, seed=found.seed)


def nothing_kept(selection: Selection, tried: Sequence[Tried], restarted: Sequence[Tried]) -> str:
    """Returns why a task keeps nothing, in words for the failure of its fit. Arguments as for `winning`."""
    if restarted and best_candidate(selection, tried) is not None:
        return "every fit of the alternative that won failed"
    if selection.scope.startswith("first"):
        return "every alternative failed on a task on which the choice rests"
    some = len({each.candidate for each in tried}) < len(selection.alternatives)
    return "every alternative that was tried failed" if some else "every alternative failed"
