"""What learners with alternatives chose in the runs of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.results.results import Results
from stream.study.members import Member
from stream.study.scores import Arm

COLUMNS = ("seed", "order", "learner", "task", "chosen", "score")


def chosen_of(arm: Arm) -> dict[str, dict[str, int]]:
    """Returns for each task how many seeds chose each alternative that was tried; empty without alternatives.

    A choice that several orders of a seed repeat counts once: an isolated learner has the same fits in every order. If
    orders of a seed choose differently, as they can with `scope=first:K`, each choice counts.

    Returns:
        task -> specification -> number of seeds, in the order of the tasks and of naming; a task whose fit failed in a
        run has no choice there.
    """
    found: dict[str, dict[str, set[int]]] = {}
    for member, results in zip(arm.members, arm.results, strict=True):
        for task, choice in results.selection.items():
            seeds = found.setdefault(task, {})
            for name in choice.candidates:
                seeds.setdefault(name, set())
            if choice.chosen:
                seeds.setdefault(choice.chosen, set()).add(member.seed)
    return {task: {name: len(seeds) for name, seeds in each.items()} for task, each in found.items()}


def selection_rows(finished: Mapping[Member, Results]) -> list[dict[str, Any]]:
    """Returns one row with `COLUMNS` for each member, learner with alternatives and task; see `Study.selection`."""
    rows = []
    for member, results in finished.items():
        for name, learner in results.learners.items():
            for task, choice in learner.selection.items():
                score = choice.kept_score(learner.fits.get(task))
                rows.append(
                    dict(zip(COLUMNS, (member.seed, member.order, name, task, choice.chosen, score), strict=True))
                )
    return rows
