"""Summaries of learners over all seeds of a study, and the verdict on a paper's finding about two learners."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import study
from rich.console import Console
from rich.text import Text

from stream import Results
from stream.results.learner_cost import Cost

Scores = Sequence[Mapping[str, float]]  # one entry per seed: score by task, a fraction


class SeedSummary(NamedTuple):
    """One learner over all seeds of a study. Scores and differences are fractions.

    Attributes:
        sharing: `isolated`, `sequential` or `frozen-shared`.
        scores: Score after the last arrival, by task, one entry per seed.
        score: Mean over tasks, with its interval over seeds.
        to_reference: Difference to the reference learner, paired over tasks and over seeds.
        trained, kept: Parameters per task, without heads: trained, and stored after zeros are pruned.
        bytes: Size on disk of one task's Delta without its head; names, shapes and indices of sparse tensors included.
        seconds: Training time per task.
        growth: Parameters kept after the last arrival, in multiples of the backbone.
        forgetting: Forgetting (Chaudhry et al. 2018) with its interval over seeds; None if a run does not define it.
        verified: Whether the proof of retention holds in every run.
    """

    sharing: str
    scores: list[dict[str, float]]
    score: study.Interval
    to_reference: study.Paired
    trained: float
    kept: float
    bytes: float
    seconds: float
    growth: float
    forgetting: study.Interval | None
    verified: bool


def summarise(runs: Sequence[Results], name: str, reference: str) -> SeedSummary:
    """Summarise one learner of these runs, one run per seed, and compare it with a reference learner of them."""
    learners = [results[name] for results in runs]
    costs = [learner.cost for learner in learners]
    scores = [study.last_row(results, name) for results in runs]
    forgetting = [lost for learner in learners if (lost := learner.metrics["forgetting_chaudhry"]) is not None]
    fits = max(sum(len(cost.bytes_per_task) for cost in costs), 1)

    def mean(by_task: Callable[[Cost], Mapping[str, int]]) -> float:
        return sum(sum(by_task(cost).values()) for cost in costs) / fits

    return SeedSummary(
        sharing=learners[0].sharing,
        scores=scores,
        score=study.average(scores),
        to_reference=study.paired(scores, [study.last_row(results, reference) for results in runs]),
        trained=mean(lambda cost: cost.trained_parameters_per_task),
        kept=mean(lambda cost: cost.kept_parameters_per_task),
        bytes=mean(lambda cost: cost.bytes_per_task) - 4 * mean(lambda cost: cost.head_parameters_per_task),
        seconds=sum(cost.train_seconds or 0.0 for cost in costs) / fits,
        growth=sum(cost.growth[-1] or math.nan for cost in costs) / len(costs),
        forgetting=study.interval(forgetting) if len(forgetting) == len(learners) else None,
        verified=all(learner.retention.verified for learner in learners),
    )


def complete(runs: Sequence[Results], console: Console) -> list[str]:
    """Names of the learners without a failed fit. A note names the others: their means would cover fewer tasks."""
    names = []
    for name in runs[0]:
        failed = sum(len(results[name].failures) for results in runs)
        if failed:
            console.print(f"{name} is left out: {failed} fits failed", style="yellow", markup=False)
        else:
            names.append(name)
    return names


def summarise_all(runs: Sequence[Results], reference: str, console: Console) -> dict[str, SeedSummary]:
    """Summaries by name of every learner without a failed fit."""
    return {name: summarise(runs, name, reference) for name in complete(runs, console)}


class Claim(NamedTuple):
    """A paper's finding: score of `first` minus score of `second` lies within [low, high]; None means no bound."""

    paper: str
    first: str
    second: str
    low: float | None = None
    high: float | None = None


class Finding(NamedTuple):
    """A paper's finding, our finding, and the verdict: `holds`, `fails` or `open`."""

    paper: str
    found: str
    verdict: str


def judge(claims: Sequence[Claim], scores: Mapping[str, Scores]) -> list[Finding]:
    """Judge each claim whose two learners ran, by their differences paired over tasks."""
    found = []
    for claim in claims:
        if claim.first in scores and claim.second in scores:
            tasks = study.paired(scores[claim.first], scores[claim.second]).tasks
            words = f"{claim.first} minus {claim.second} is {tasks.points(sign=True)} points"
            equal = tasks.mean == 0 and not tasks.half  # neither is above the other
            verdict = "open" if equal and 0.0 in (claim.low, claim.high) else tasks.verdict(claim.low, claim.high)
            found.append(Finding(claim.paper, words, verdict))
    return found


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print each finding of a paper beside ours; intervals are 95 %."""
    console.print("\nFindings of the papers, and ours", style="bold")
    for each in findings:
        verdict = Text(each.verdict, style=study.VERDICTS[each.verdict])
        console.print(Text.assemble(f"* {each.paper} Here {each.found}: ", verdict, "."))


def judge_and_print(claims: Sequence[Claim], learners: Mapping[str, SeedSummary], console: Console) -> list[Finding]:
    """Judge claims about these learners, and print the findings."""
    findings = judge(claims, {name: summary.scores for name, summary in learners.items()})
    print_findings(console, findings)
    return findings
