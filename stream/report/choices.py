"""What a learner with alternatives chose on each task, as the report shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stream.report.console import Page
from stream.report.numbers import points
from stream.results.learner_results import LearnerResults

RESTART = "restart"  # mark of a kept fit with another seed than the run's


@dataclass(frozen=True)
class ChoiceLine:
    """The choice on one task.

    Attributes:
        task: The task.
        chosen, runner_up: Specifications; "" if there is none.
        val: Validation score of the kept fit, a fraction; None if not known.
        behind: How far the runner-up is behind, in points, or after how many epochs it was stopped.
        to_the_end: Number of alternatives that were fitted to the end, of all that were tried.
        mark: `RESTART` if a restart won, else "".
    """

    task: str
    chosen: str
    val: float | None
    runner_up: str
    behind: str
    to_the_end: str
    mark: str


def choice_lines(learner: LearnerResults, page: Page) -> list[ChoiceLine]:
    """Returns the choices of a learner, in the order of its tasks; none if it has no alternatives."""
    return [
        ChoiceLine(
            task=task,
            chosen=choice.chosen,
            val=choice.kept_score(learner.fits.get(task)),
            runner_up=choice.runner_up,
            behind=points(choice.margin, page) if choice.stopped is None else f"stopped after {epochs(choice.stopped)}",
            to_the_end=f"{len(choice.candidates) - len(choice.epochs)} of {len(choice.candidates)}",
            mark="" if choice.seed is None else RESTART,
        )
        for task, choice in learner.selection.items()
    ]


def epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"


def captions(learners: Iterable[LearnerResults], settings: Mapping[str, object]) -> list[str]:
    """Returns what the columns mean.

    Args:
        learners: The learners that the table shows.
        settings: Settings of the run. Its `scope` counts for a learner whose specification has none.
    """
    shown = [*learners]
    choices = [choice for learner in shown for choice in learner.selection.values()]
    scopes = dict.fromkeys(scope_of(learner, settings) for learner in shown)
    return [
        "chosen: the best alternative on validation rows; test rows are read later.",
        "val: validation score of the kept fit on its task, points (x100).",
        *(words for scope in scopes if (words := scope_words(scope))),
        "margin: score of the chosen one minus that of the next best, the runner-up.",
        *(
            ["stopped after N epochs: by halving; scores of fewer epochs do not compare."]
            if any(choice.epochs for choice in choices)
            else []
        ),
        *(
            [f"{RESTART}: another seed won than the run's, with which margins are measured."]
            if any(choice.seed is not None for choice in choices)
            else []
        ),
        "to end: alternatives fitted for all their epochs, of all that were tried.",
    ]


def scope_of(learner: LearnerResults, settings: Mapping[str, object]) -> str:
    """Returns what the choice of a learner rests on: `task`, `first:K` or `twin`."""
    for text in (learner.canonical, learner.spec):
        if found := re.search(r":scope=(first:\d+|twin|task)", text):
            return found[1]
    return str(settings.get("scope") or "task")


def scope_words(scope: str) -> str:
    """Returns on what scores the choice rests; "" if they are those of the task itself."""
    if scope.startswith("first:"):
        return f"scope {scope}: choice and margin rest on the mean over the first {scope[6:]} tasks."
    if scope == "twin":
        return "scope twin: choice and margin rest on the simulated twin of the task."
    return ""


def varying(specifications: Iterable[str]) -> dict[str, str]:
    """Returns specification -> its parts that are not the same in all: adapter:8:epochs=3 and adapter:64:epochs=3 give
    8 and 64."""
    split = {text: text.split(":") for text in specifications}
    if len({len(parts) for parts in split.values()}) != 1:
        return {text: text for text in split}
    columns = list(zip(*split.values(), strict=True))
    vary = [place for place, column in enumerate(columns) if len(set(column)) > 1]
    return {text: ":".join(parts[place] for place in vary) or text for text, parts in split.items()}


def bare(name: str) -> str:
    """Returns the values alone: 8:learning_rate=3e-3 gives 8:3e-3."""
    return ":".join(part.rpartition("=")[2] or part for part in name.split(":"))


def alternatives(learner: LearnerResults) -> dict[str, str]:
    """Returns specification -> short name of every alternative that was tried on some task."""
    named = [name for choice in learner.selection.values() for name in (*choice.candidates, choice.chosen) if name]
    return varying(named)
