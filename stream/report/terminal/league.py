"""The league table: score, forgetting, growth, cost and proof of each learner, best score first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.leaders import Leaders, leaders
from stream.report.learner_summary import LearnerSummary, last, ranked, summaries
from stream.report.names import legend, shown_names
from stream.report.numbers import duration, growth, points, scaled, share
from stream.report.terminal.failures import failure_lines
from stream.report.terminal.grid import Column, fitting, table, table_width
from stream.results.learner_results import Retention
from stream.results.results import Results

NAME_WIDTH = 14  # cells; a reader no longer recognises shorter names


def league(results: Results, page: Page) -> RenderableType:
    """Returns the table, the proofs in words (learners with equal proofs on one line), and the meaning of columns."""
    learners = ranked(summaries(results))
    top = leaders(learners, results.order)
    names = [page.text(learner.name) for learner in learners]
    columns = fitting(
        figures(learners, top.names, page), page.width - 1 - min(max(map(len, names), default=0), NAME_WIDTH)
    )
    short = shown_names(names, page.width - 1 - table_width(columns), [page.text(name) for name in results])
    leader = Column("learner", short, "left")
    parts: list[RenderableType] = [table([leader, *columns], page.width)]
    parts += [
        *legend(names, short, page),
        *failure_lines(results, page),
        *proofs(learners, short, page),
        *(
            Text(line, style="dim")
            for line in caption(results, top, page, whole=all(learner.whole for learner in learners))
        ),
    ]
    return Group(*parts)


def figures(learners: Sequence[LearnerSummary], ahead: Sequence[str], page: Page) -> list[Column]:
    """Returns all columns except the names. Their titles are the keys of `ABOUT` in html/league.py.

    Args:
        ahead: Names of the learners that are ahead of the others beyond chance.
    """
    marks = [mark(learner, ahead, page) for learner in learners]
    wide = max((len(points(learner.average, page)) for learner in learners), default=0)
    forgetting = [points(learner.forgetting, page, exact_zero=True) for learner in learners]
    bwt = [points(learner.bwt, page, sign=True, exact_zero=True) for learner in learners]
    bytes_on_disk = [scaled(learner.bytes_per_task, page, "B") for learner in learners]
    return [
        # Aligned left and padded here: with right alignment, the marks would push the numbers out of line.
        Column("score", [score(x, own, wide, page) for x, own in zip(learners, marks, strict=True)], "left"),
        Column("forget", forgetting),
        Column("BWT", bwt, rank=3),
        Column("growth", [growth(last(learner.growth), page) for learner in learners]),
        Column("no\nheads", [growth(last(learner.growth_without_heads), page) for learner in learners], rank=4),
        Column("trained\n/task", [share(learner.trained_share, page) for learner in learners], rank=1),
        Column("disk\n/task", bytes_on_disk, rank=5),
        Column("train\ntime", [duration(learner.train_seconds, page) for learner in learners], rank=2),
        Column("proof", [verdict(learner) for learner in learners], "left"),
        *(Column(two_lines(name), [plain(x.own.get(name), page) for x in learners]) for name in own(learners)),
    ]


def own(learners: Sequence[LearnerSummary]) -> list[str]:
    """Returns the names of the user's own metrics, in the order of the results."""
    return [*dict.fromkeys(name for learner in learners for name in learner.own)]


def plain(value: float | None, page: Page) -> str:
    """Formats a metric of unknown unit with four digits."""
    return page.missing if value is None else f"{value:.4g}"


def two_lines(name: str) -> str:
    """Breaks a heading into two lines, after the `_` nearest to its middle."""
    places = [index for index, letter in enumerate(name, start=1) if letter == "_"]
    middle = min(places, key=lambda index: abs(2 * index - len(name)), default=len(name))
    return f"{name[:middle]}\n{name[middle:]}" if places else name


def mark(learner: LearnerSummary, ahead: Sequence[str], page: Page) -> str:
    """Returns the mark after an average: a star for those ahead, or `(n/m)` if only n of m tasks have a score."""
    if not learner.whole:
        return f" ({learner.counted}/{len(learner.rows)})"
    return page.best if learner.name in ahead else ""


def score(learner: LearnerSummary, mark: str, wide: int, page: Page) -> Text:
    """Returns the average in points, `wide` cells, and its mark. The mark is for readers who see no colour."""
    written = points(learner.average, page).rjust(wide) + mark
    return Text(written, style="bold green" if mark == page.best else "")


def caption(results: Results, top: Leaders, page: Page, *, whole: bool) -> tuple[str, ...]:
    """Returns the meaning of the columns. `whole`: no learner has failed tasks."""
    star = f"; {page.best} ahead" if top.names else ""
    return (
        f"score: mean over the arrived tasks after the last arrival, points{star}.",
        *sentence(page.text(top.sentence)),
        *sentence(interval_words(results)),
        *([] if whole else ["(n/m): only n of m tasks count, as the other fits failed; not comparable, ranked last."]),
        "forget: best earlier score minus last score (Chaudhry et al. 2018), points.",
        "BWT: last score minus first, over T-1 tasks (Lopez-Paz, Ranzato 2017), points.",
        "points: score x100, one decimal; a plain 0 is exactly zero, 0.0 is rounded.",
        "growth: parameters kept after the last arrival, in multiples of the backbone.",
        "trained/task: trained parameters per task without head, % of the backbone.",
        "disk/task: stored bytes per task with head, 1 kB = 1000 B.",
        *([PARTLY] if any(learner.retention.cells_partly_measured for learner in summaries(results)) else []),
        *([f"{', '.join(names)}: your own metric, not in points."] if (names := own(summaries(results))) else []),
    )


def sentence(words: str) -> list[str]:
    return [f"{words}."] if words else []


def interval_words(results: Results) -> str:
    """Returns what the 95 % interval of the scores is; empty if it is not known.

    Runs of earlier versions did not record standard errors. For these it is the bound for accuracies.
    """
    learners = [learner for learner in summaries(results) if learner.average is not None]
    halves = [100 * learner.half for learner in learners if learner.half is not None]
    if halves and len(halves) == len(learners):
        low, high = f"{min(halves):.1f}", f"{max(halves):.1f}"
        each = low if low == high else f"{low} to {high}"
        return f"95 % interval of score: {each} points on each side (bootstrap over test rows)"
    half = uncertainty([task.test for task in results.tasks.values()])
    if half is None:
        return ""
    only = all(task.metric == "accuracy" for task in results.tasks.values())
    whose = "" if only else "; this holds for accuracies, other metrics can vary more"
    return f"95 % interval of score: up to {half:.1f} points on each side, for this number of test rows{whose}"


def margin(learner: LearnerSummary, results: Results) -> float:
    """Returns the half width of the 95 % interval of a learner's score, in points: the bound for accuracies if it is
    not known, and 0 if that is not known either."""
    if learner.half is not None:
        return 100 * learner.half
    return uncertainty([task.test for task in results.tasks.values()]) or 0.0


def uncertainty(tests: Sequence[float | None]) -> float | None:
    """Returns the largest possible half width, in points, of the 95 % interval of an average of T accuracies. It is no
    bound for F1, Matthews and Spearman: their standard errors can be twice as large.

    1.96 sqrt(sum 0.25 / n) / T for n test examples per task: the standard error of an accuracy is largest at one half.

    Args:
        tests: Number of test examples of each task, [T].

    Returns:
        None if a number is not known.
    """
    known = [n for n in tests if n]
    if not known or len(known) < len(tests):
        return None
    return 196 * math.sqrt(sum(0.25 / n for n in known)) / len(known)


PARTLY = "partly measured: frozen layers were not run again; an earlier evaluation of this run kept their output."
# What the words of the column `proof` mean.
VERDICTS = {
    "exact": "every re-evaluation is bitwise equal to the first evaluation of the task",
    "forgets": "later tasks change the weights, and scores fell on average",
    "kept": "later tasks change the weights, but scores did not fall on average; this is not a proof",
    "changed": "a re-evaluation is not equal to the first evaluation: the proof failed",
    "open": "not verified yet",
}


def verdict(learner: LearnerSummary) -> Text:
    """Returns the verdict on a learner in one word; `VERDICTS` explains the words."""
    is_sequential = learner.sharing == "sequential"
    if learner.retention.violations:
        return Text("changed", style="bold red")
    if is_sequential and learner.forgetting is not None:
        return Text("forgets", style="yellow") if learner.forgetting > 0 else Text("kept", style="dim")
    if learner.retention.verified and not is_sequential and any(cells(learner).values()):
        return Text("exact", style="green")
    return Text("open", style="dim")


def cells(learner: LearnerSummary) -> dict[str, int]:
    """Returns the number of cells of R for each kind of evidence."""
    proof = learner.retention
    return {
        "measured": proof.cells_measured,
        "partly measured": proof.cells_partly_measured,
        "certified": proof.cells_certified,
        "audited": proof.cells_audited,
    }


def proofs(learners: Sequence[LearnerSummary], names: Sequence[str], page: Page) -> list[Text]:
    """Returns one line per distinct proof, with the learners that have it."""
    groups: dict[tuple[str, str], list[str]] = {}
    for learner, name in zip(learners, names, strict=True):
        groups.setdefault((verdict(learner).plain, evidence(learner)), []).append(name)
    return [
        Text.assemble(
            (page.text(f"{word}: {words}"), "bold"), f" ({'each: ' if len(members) > 1 else ''}{', '.join(members)})"
        )
        for (word, words), members in groups.items()
    ]


def evidence(learner: LearnerSummary) -> str:
    """Returns the evidence for the verdict: "351 cells measured, bitwise equal"."""
    counted = [f"{count} cell{'' if count == 1 else 's'} {kind}" for kind, count in cells(learner).items() if count]
    endings = {
        "exact": "bitwise equal",
        "forgets": "scores fell",
        "kept": "scores did not fall on average, not a proof",
        "open": "not verified" if learner.sharing == "sequential" else "no difference found so far, not verified",
        "changed": f"NOT equal: {violations(learner.retention)}",
    }
    return ", ".join([*counted, endings[verdict(learner).plain]])


def violations(retention: Retention) -> str:
    """Returns the first violation, and the number of violations if there are more."""
    words = [" ".join(f"{key} {value}" for key, value in vars(x).items() if value) for x in retention.violations[:1]]
    more = [f"({len(retention.violations)} in total)"] if len(retention.violations) > 1 else []
    return " ".join([*words, *more])
