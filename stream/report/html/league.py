"""The league table: the columns of the terminal report, with a bar for each score and the evidence for each proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stream.report.html.marks import PAGE, badge
from stream.report.html.table import Bar, Column, Content, Key, Table, Verdict
from stream.report.leaders import Leaders
from stream.report.learner_summary import LearnerSummary, last, ranked
from stream.report.numbers import points
from stream.report.terminal.league import VERDICTS, caption, evidence, figures, own, proofs, verdict
from stream.results.results import Results

# The meaning of each column. The keys are the titles in `stream.report.terminal.league.figures`.
ABOUT = {
    "score": "mean score over the arrived tasks after the last arrival, points",
    "forget": "Chaudhry et al. 2018: best earlier score minus last score, points",
    "BWT": "Lopez-Paz and Ranzato 2017: last score minus first score, over T-1 tasks, points",
    "growth": "total parameters after the last arrival, in multiples of the backbone",
    "no heads": "growth without the heads",
    "trained /task": "trained parameters per task, without head, % of the backbone",
    "disk /task": "stored bytes per task, with head",
    "train time": "wall clock of all fits",
    "proof": "; ".join(f"{word}: {meaning}" for word, meaning in VERDICTS.items()),
}


@dataclass(frozen=True)
class League:
    """The table, one sentence per distinct proof, and the meaning of the columns."""

    table: Table
    proofs: Sequence[str]
    caption: str


def league(results: Results, learners: Sequence[LearnerSummary], top: Leaders) -> League:
    """Returns the league table, best average first. If scripts run, the reader can sort it by any column."""
    badges = {learner.name: badge(index, learner.name) for index, learner in enumerate(learners)}
    rows = ranked(learners)
    words = caption(results, top, PAGE, whole=all(x.whole for x in rows))
    columns = [Column("learner", [badges[x.name] for x in rows], [x.name for x in rows], "left")]
    for figure, keys in zip(figures(rows, top.names, PAGE), sort_keys(rows), strict=True):
        title, cells = figure.title.replace("_\n", "_").replace("\n", " "), [str(cell).strip() for cell in figure.cells]
        shown: Sequence[Content] = cells
        if title == "score":
            shown = [bar(badges[x.name].tone, cell, x.average) for x, cell in zip(rows, cells, strict=True)]
        elif title == "proof":
            shown = [Verdict(word, evidence(x)) for x, word in zip(rows, cells, strict=True)]
        about = ABOUT.get(title, "your own metric")
        columns.append(Column(title, shown, keys, "left" if title == "proof" else "right", about=about))
    return League(
        Table(columns, "League table", "league"),
        [line.plain for line in proofs(rows, [x.name for x in rows], PAGE)],
        " ".join(f"{line[:1].upper()}{line[1:]}" for line in words),
    )


def sort_keys(learners: Sequence[LearnerSummary]) -> list[list[Key]]:
    """Returns the sort keys of each column, in the order of `stream.report.terminal.league.figures`."""
    keys: list[list[Key]] = [
        [x.average for x in learners],
        [x.forgetting for x in learners],
        [x.bwt for x in learners],
        [last(x.growth) for x in learners],
        [last(x.growth_without_heads) for x in learners],
        [x.trained_share for x in learners],
        [x.bytes_per_task for x in learners],
        [x.train_seconds for x in learners],
        [verdict(x).plain for x in learners],
    ]
    return keys + [[x.own.get(name) for x in learners] for name in own(learners)]


def bar(tone: str, words: str, score: float | None, limit: float | None = None) -> Bar:
    """Returns a score over a bar.

    Args:
        words: The score as written, followed by a star if it is the best.
        score: The score, a fraction.
        limit: The best possible score, a fraction; it gets a mark on the bar. Default: no mark.
    """
    length = 0.0 if score is None else round(100 * min(max(score, 0.0), 1.0), 1)
    mark = None if limit is None else round(100 * limit, 1)
    return Bar(words.removesuffix(PAGE.best), tone, length, mark, PAGE.best if words.endswith(PAGE.best) else "")


def headline(learners: Sequence[LearnerSummary], top: Leaders) -> str:
    """Returns the main results in up to three sentences. Nobody is called the best within chance."""
    learners = ranked(learners)
    scored = [x for x in learners if x.average is not None and x.whole]
    if not scored:
        return "No learner has a score over all tasks that arrived."
    best, told = scored[0], top.sentence
    words = [f"{told[:1].upper()}{told[1:]}."] if told else []
    words.append(f"{best.name} has {points(best.average, PAGE)} points on average.")
    exact = [x for x in learners if verdict(x).plain == "exact"]
    if exact:
        words.append(f"It is proved that {len(exact)} of {len(learners)} learners forgot nothing.")
    worst = max(learners, key=lambda x: x.forgetting or 0.0)
    if worst.forgetting:
        words.append(f"{worst.name} forgot most: {points(worst.forgetting, PAGE)} points.")
    return " ".join(words)
