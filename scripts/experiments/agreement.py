"""Do two worlds order learners alike? Two finished studies with the same learners, such as twins and real tasks.

Learners count as the same if their names are, without how they are trained (`adapter:64`, whatever its rates).

Two questions, each with an interval that resamples tasks (BCa bootstrap; tasks that share texts are drawn together):

* The order: Spearman's rank correlation of the learners' mean scores in both studies, and of their mean ranks. The
  tasks of the studies may differ; they are resampled in each study by itself.
* The differences, on the tasks that both studies have: the correlation over all pairs of a task and a learner of the
  difference to the reference, first study against second. Tasks are resampled as pairs. `within tasks` takes the
  mean over learners of each task away first: a task where all learners differ much from the reference says then
  nothing.

A correlation below 1 has noise in it too: a score on 200 test rows is uncertain by some points.

    python scripts/experiments/agreement.py runs/twins26 runs/fresh
    python scripts/experiments/agreement.py runs/twins runs/real --out runs/agreement
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import pictures
import study
import typer
from measures import of_metric
from scipy import stats

from stream import InputError
from stream.report.names import plain_names
from stream.report.palette import LIGHT as COLOURS
from stream.study.scores import Array
from tasks.suite import text_groups

CONSTANT = ("majority",)  # it learns nothing: that it is last tells nothing of the other learners
RESAMPLES = 2000
FEWEST = 4  # tasks, or groups of tasks, that an interval can be resampled from


class Scores(NamedTuple):
    """The scores of a study: learners, tasks, and their mean over seeds, [L, T]; fractions."""

    learners: tuple[str, ...]
    tasks: tuple[str, ...]
    values: Array

    def of(self, learners: Sequence[str], tasks: Sequence[str]) -> Array:
        """The scores of these learners on these tasks, [L, T]."""
        rows = [self.learners.index(name) for name in learners]
        found: Array = self.values[np.ix_(rows, [self.tasks.index(task) for task in tasks])]
        return found


class Correlation(NamedTuple):
    """A correlation with its 95 % interval.

    Attributes:
        value: None if one side is the same everywhere.
        low, high: None without a value, with too few tasks, and where tasks are alike.
    """

    value: float | None
    low: float | None = None
    high: float | None = None

    def text(self) -> str:
        if self.value is None:
            return "none, one side is the same everywhere"
        if self.low is None or self.high is None:
            return f"{self.value:.2f}"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def scores_in(folder: Path) -> Scores:
    """The scores of a finished study or run after its last arrival.

    Raises:
        InputError: There is none, or it lacks scores.
    """
    arms = study.open_runs(folder).arms
    tasks = arms[0].results[0].order
    values = np.array([of_metric("average_accuracy")(arm, tasks, 0).mean(axis=0) for arm in arms])
    if np.isnan(values).any():
        raise InputError("some scores are missing", where=str(folder), fix="finish the study, or run it without them")
    return Scores(tuple(plain_names([arm.name for arm in arms]).values()), tasks, values)


def resampled(statistic: Callable[..., float], groups: Sequence[Sequence[Sequence[int]]], seed: int = 0) -> Correlation:
    """A correlation, and its interval over groups of tasks.

    Args:
        statistic: From the places of the tasks in each sample to the correlation.
        groups: For each sample, places of the tasks that are drawn together.
    """
    value = statistic(*([place for group in sample for place in group] for sample in groups))
    if np.isnan(value):
        return Correlation(None)
    if min(map(len, groups)) < FEWEST:
        return Correlation(value)

    def drawn(*chosen: Array) -> float:
        each = zip(groups, chosen, strict=True)
        return statistic(*([place for index in which for place in sample[int(index)]] for sample, which in each))

    data = [np.arange(len(sample)) for sample in groups]
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # such an interval is None, which says it
        found = stats.bootstrap(data, drawn, n_resamples=RESAMPLES, vectorized=False, paired=False, method="BCa",
                                random_state=np.random.default_rng(seed))  # fmt: skip
    low, high = map(float, found.confidence_interval)
    return Correlation(value, *((None, None) if np.isnan([low, high]).any() else (low, high)))


def grouped(tasks: Sequence[str]) -> list[list[int]]:
    """Places of the tasks that share texts, together."""
    return [[tasks.index(task) for task in group] for group in text_groups(tasks)]


def order_agreement(first: Array, second: Array, groups: Sequence[Sequence[Sequence[int]]]) -> dict[str, Correlation]:
    """Rank correlations of the learners' means over tasks: of scores, and of ranks. Scores are [L, T] and [L, U]."""
    ranks = [stats.rankdata(-scores, axis=0) for scores in (first, second)]

    def across(a: Array, b: Array) -> Callable[..., float]:
        return lambda here, there: rank_correlation(a[:, here].mean(axis=1), b[:, there].mean(axis=1))

    return {
        "mean scores": resampled(across(first, second), groups),
        "mean ranks": resampled(across(ranks[0], ranks[1]), groups),
    }


def difference_agreement(first: Array, second: Array, groups: Sequence[Sequence[int]]) -> dict[str, Correlation]:
    """Correlations of the differences to the reference over all tasks and learners, [L, T] each."""

    def correlation(a: Array, b: Array, of: Callable[[Array, Array], float]) -> Callable[..., float]:
        return lambda places: of(a[:, places].ravel(), b[:, places].ravel())

    inner = [gaps - gaps.mean(axis=0) for gaps in (first, second)]
    found = {"Pearson": resampled(correlation(first, second, linear_correlation), [groups]),
             "Spearman": resampled(correlation(first, second, rank_correlation), [groups])}  # fmt: skip
    if len(first) > 1:
        found["Pearson, within tasks"] = resampled(correlation(inner[0], inner[1], linear_correlation), [groups])
    return found


def linear_correlation(a: Array, b: Array) -> float:
    """Pearson's; NaN if one side is constant."""
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else float("nan")


def rank_correlation(a: Array, b: Array) -> float:
    """Spearman's; NaN if one side is constant."""
    return linear_correlation(stats.rankdata(a), stats.rankdata(b))


def main(
    first: Annotated[Path, typer.Argument(help="Folder of a finished study or run.")],
    second: Annotated[Path, typer.Argument(help="Folder of another one.")],
    reference: Annotated[str, typer.Option(help="Learner that differences are to.")] = "full:isolated",
    out: study.Out = Path("runs/agreement"),
) -> None:
    console = study.open_console()
    a, b = scores_in(first), scores_in(second)
    learners = [name for name in a.learners if name in b.learners and name not in CONSTANT]
    if len(learners) < 3:
        raise InputError("too few learners in both", where=f"{first}, {second}", expected="3", found=str(len(learners)))
    here, there = a.of(learners, a.tasks), b.of(learners, b.tasks)
    order = order_agreement(here, there, [grouped(a.tasks), grouped(b.tasks)])
    means = [(name, x.mean(), y.mean()) for name, x, y in zip(learners, here, there, strict=True)]
    lines = [
        [name, study.points(float(x)), study.points(float(y))] for name, x, y in sorted(means, key=lambda e: -e[1])
    ]
    show = [str(first), str(second)]
    study.show(console, f"Mean scores on {len(a.tasks)} and {len(b.tasks)} tasks", ["learner", *show], lines)
    console.print(f"order of {len(learners)} learners, rank correlation (95 % over tasks):", style="bold")
    for name, found in order.items():
        console.print(f"  {name}: {found.text()}", markup=False)
    document: dict[str, Any] = {"runs": show, "learners": learners, "means": means, "order": order}
    common = [task for task in a.tasks if task in b.tasks]
    others = [name for name in learners if name != reference]
    if reference in learners and len(common) > 1:
        gaps = [scores.of(others, common) - scores.of([reference], common) for scores in (a, b)]
        found_differences = difference_agreement(gaps[0], gaps[1], grouped(common))
        pairs = [(name, x.mean(), y.mean()) for name, x, y in zip(others, *gaps, strict=True)]
        lines = [[name, *(study.points(float(mean), sign=True) for mean in of)] for name, *of in pairs]
        study.show(console, f"Mean differences to {reference} on {len(common)} tasks", ["learner", *show], lines)
        console.print(f"differences of {len(others)} learners on {len(common)} tasks, correlation (95 % over tasks):",
                      style="bold")  # fmt: skip
        for name, found in found_differences.items():
            console.print(f"  {name}: {found.text()}", markup=False)
        document |= {"tasks": common, "differences": found_differences, "gaps": [each.tolist() for each in gaps]}
    study.save(out / "agreement.json", document, None, console)
    if "gaps" in document:

        def plot(axes: Any) -> None:
            for colour, name, x, y in zip(COLOURS, others, *gaps, strict=False):
                axes.plot(100 * x, 100 * y, "o", color=colour, markersize=4, label=name)
            axes.set(xlabel=f"{first}: minus {reference}, points", ylabel=f"{second}: the same")
            axes.legend(fontsize=6, frameon=False)

        pictures.draw(out / "agreement.png", 5, 5, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
