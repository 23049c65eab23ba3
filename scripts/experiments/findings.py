"""What runs over seeds tell of a learner, and what becomes of a paper's finding about two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import study
from rich.console import Console
from rich.text import Text

Scores = Sequence[Mapping[str, float]]  # score by task, for every seed


class Told(NamedTuple):
    """What the runs of all seeds tell of a learner; scores and differences as fractions.

    Attributes:
        trained, kept: Parameters of a task, heads left out; trained, and stored after zeros are pruned.
        bytes: On disk of a task's Delta without its head, names, shapes and indices of sparse tensors included.
        seconds: Of training a task.
    """

    sharing: str
    scores: list[dict[str, float]]  # of each seed and task
    score: study.Interval
    to_reference: study.Paired
    trained: float
    kept: float
    bytes: float
    seconds: float
    growth: float
    forgetting: study.Interval | None
    verified: bool


def told(runs: Sequence[Mapping[str, Any]], name: str, reference: str) -> Told:
    """Of a learner of these runs, compared with another of them."""
    learners = [results["learners"][name] for results in runs]
    costs = [each["cost"] for each in learners]
    scores = [study.last_row(results, name) for results in runs]
    forgotten = [each["metrics"]["forgetting_chaudhry"] for each in learners]
    fits = sum(len(cost["bytes_per_task"]) for cost in costs)

    def mean(what: str) -> float:
        return sum(sum(cost[f"{what}_per_task"].values()) for cost in costs) / max(fits, 1)

    return Told(
        sharing=learners[0]["sharing"],
        scores=scores,
        score=study.average(scores),
        to_reference=study.paired(scores, [study.last_row(results, reference) for results in runs]),
        trained=mean("trained_parameters"),
        kept=mean("kept_parameters"),
        bytes=mean("bytes") - 4 * mean("head_parameters"),
        seconds=sum(cost["train_seconds"] for cost in costs) / max(fits, 1),
        growth=sum(cost["growth"][-1] for cost in costs) / len(costs),
        forgetting=None if None in forgotten else study.interval(forgotten),
        verified=all(each["retention"]["verified"] for each in learners),
    )


def complete(runs: Sequence[Mapping[str, Any]], console: Console) -> list[str]:
    """Learners whose fits all came to an end; a note names the others, of which means would not compare."""
    names = []
    for name in runs[0]["learners"]:
        failed = sum(len(results["learners"][name]["failures"]) for results in runs)
        if failed:
            console.print(f"{name} is left out: {failed} fits diverged", style="yellow", markup=False)
        else:
            names.append(name)
    return names


def told_all(runs: Sequence[Mapping[str, Any]], reference: str, console: Console) -> dict[str, Told]:
    """Of every learner whose fits all came to an end, by name."""
    return {name: told(runs, name, reference) for name in complete(runs, console)}


class Claim(NamedTuple):
    """A paper's finding: the scores of one learner less those of another lie within [low, high]; None: no bound."""

    paper: str
    first: str
    second: str
    low: float | None = None
    high: float | None = None


class Finding(NamedTuple):
    """A paper's finding, what was found here, and whether it holds."""

    paper: str
    found: str
    verdict: str


def judged(claims: Sequence[Claim], scores: Mapping[str, Scores]) -> list[Finding]:
    """Each claim whose two learners ran, by their differences paired over tasks."""
    found = []
    for claim in claims:
        if claim.first in scores and claim.second in scores:
            tasks = study.paired(scores[claim.first], scores[claim.second]).tasks
            words = f"{claim.first} less {claim.second} is {tasks.points(sign=True)} points"
            equal = tasks.mean == 0 and not tasks.half  # neither is above the other
            verdict = "open" if equal and 0.0 in (claim.low, claim.high) else tasks.verdict(claim.low, claim.high)
            found.append(Finding(claim.paper, words, verdict))
    return found


def state(console: Console, findings: Sequence[Finding]) -> None:
    """Print what the papers found next to what came out; intervals are of 95 %."""
    console.print("\nWhat the papers found, and what came out here", style="bold")
    for each in findings:
        verdict = Text(each.verdict, style=study.VERDICTS[each.verdict])
        console.print(Text.assemble(f"* {each.paper} Here {each.found}: ", verdict, "."))


def weighed(claims: Sequence[Claim], learners: Mapping[str, Told], console: Console) -> list[Finding]:
    """Judge claims by what is told of the learners, and state what came out."""
    findings = judged(claims, {name: facts.scores for name, facts in learners.items()})
    state(console, findings)
    return findings
