"""The league table: the terminal's figures, with the words of each proof, and a bar for each score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream.report.console import Page
from stream.report.html.badge import bar, named
from stream.report.html.markup import Markup, tag
from stream.report.html.table import Column, table
from stream.report.learner_summary import Standing, last, ranked, standings
from stream.report.numbers import points
from stream.report.terminal.league import caption, evidence, figures, proofs, verdict

ABOUT = {
    "score": "average over the arrived tasks after the last arrival, points",
    "forget": "Chaudhry et al. 2018: best earlier score less the last, points",
    "BWT": "Lopez-Paz and Ranzato 2017: last score less first, over T-1 tasks, points",
    "growth": "parameters kept after the last arrival, in times of the backbone",
    "no heads": "the same without heads",
    "trained /task": "parameters trained a task, heads apart, of the backbone",
    "disk /task": "stored bytes a task, head included",
    "train time": "wall clock, summed over fits",
    "proof": "exact: every re-evaluation bitwise equal to the day the task was learned",
}


def league(results: Mapping[str, Any], page: Page) -> Markup:
    """Best average first; sortable by every column where scripts run."""
    places = {name: index for index, name in enumerate(results["learners"])}
    learners = ranked(standings(results))
    columns = [Column("learner", [named(places[x.name], x.name) for x in learners], [x.name for x in learners], "left")]
    for figure, keys in zip(figures(learners, page), sort_keys(learners), strict=True):
        title, cells = figure.title.replace("\n", " "), [str(cell).strip() for cell in figure.cells]
        if title == "score":
            shown = [score(x, words, places[x.name], page) for x, words in zip(learners, cells, strict=True)]
            columns.append(Column("score", shown, keys, about=ABOUT[title]))
        elif title == "proof":
            shown = [
                tag("span", word, class_=f"verdict {word}", title=evidence(x))
                for x, word in zip(learners, cells, strict=True)
            ]
            columns.append(Column("proof", shown, keys, "left", about=ABOUT[title]))
        else:
            columns.append(Column(title, cells, keys, about=ABOUT[title]))
    words = caption(results, page, whole=all(x.whole for x in learners))
    return tag(
        "section",
        tag("h2", "League table"),
        table(columns, label="League table", class_="league"),
        tag(
            "ul",
            [tag("li", line.plain) for line in proofs(learners, [x.name for x in learners], page)],
            class_="proofs",
        ),
        tag("p", " ".join(sentence(line) for line in words), class_="caption"),
        id="league",
    )


def sort_keys(learners: Sequence[Standing]) -> list[list[float | str | None]]:
    """By column, as `stream.report.terminal.league.figures` orders them."""
    return [
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


def score(learner: Standing, words: str, index: int, page: Page) -> Markup:
    """The figure with its mark, over a bar."""
    star = page.best if words.endswith(page.best) else ""
    return bar(index, words.removesuffix(page.best), learner.average, star=star)


def sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}"


def headline(results: Mapping[str, Any], page: Page) -> str:
    """The run in two or three sentences."""
    learners = ranked(standings(results))
    scored = [x for x in learners if x.average is not None and x.whole]
    if not scored:
        return "No learner has a score over all tasks that arrived."
    words = [f"{scored[0].name} scores best: {points(scored[0].average, page)} points on average."]
    exact = [x for x in learners if verdict(x).plain == "exact"]
    if exact:
        words.append(f"{len(exact)} of {len(learners)} learners forgot nothing, bit for bit.")
    worst = max(learners, key=lambda x: x.forgetting or 0.0)
    if worst.forgetting:
        words.append(f"{worst.name} forgot most: {points(worst.forgetting, page)} points.")
    return " ".join(words)
