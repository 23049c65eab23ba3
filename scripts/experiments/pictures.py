"""Figures of the studies, drawn with matplotlib if it is installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console

from stream.report import plots
from stream.report.palette import LIGHT as COLOURS
from stream.results.intervals import Interval


def task_axis(axes: Any, names: Sequence[str], label: str, columns: int) -> None:
    """Label the axes of a figure with one line per name, the first on top, and put the legend above it.

    Args:
        names: Labels of the lines.
        label: Label of the x axis.
        columns: Columns of the legend.
    """
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel=label)
    axes.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns)


def grouped(axes: Any, groups: Mapping[str, Sequence[tuple[int, Interval]]]) -> None:
    """Draw intervals as whiskers, one colour per group. The x axis fits the means, so wide intervals are cut off.

    Args:
        groups: Label of a group -> its intervals, each with the line (y) it stands on.
    """
    for colour, (label, rows) in zip(COLOURS, groups.items(), strict=False):
        plots.whiskers(axes, rows, color=colour, label=label)
    found = [100 * row.mean for rows in groups.values() for _, row in rows]
    margin = max(max(found) - min(found), 5.0)
    axes.set_xlim(min(found) - margin, max(found) + margin)


def study_picture(kind: str, found: Any, path: Path, console: Console) -> None:
    """Draw what a study found (`run_study.Found`).

    `score` and `difference` are intervals, one line per learner; `curve` is the difference to the reference against the
    trained parameters, one line per family: the median over tasks, shaded from the 20th to the 80th percentile.
    """
    facts = [(row, found.facts[row.name]) for row in found.file.rows]
    if kind == "curve":
        draw(path, 7, 4.5, lambda axes: _curves(axes, facts, found.file.reference), console)
        return
    if kind == "score":
        facts.sort(key=lambda entry: -entry[1].score.mean)

    def plot(axes: Any) -> None:
        groups: dict[str, list[tuple[int, Interval]]] = {}
        for place, (row, of) in enumerate(facts):
            value = of.score if kind == "score" else of.difference or Interval(0.0, None, 1)
            groups.setdefault(row.group or of.sharing, []).append((place, value))
        grouped(axes, groups)
        what = (
            "mean score after the last arrival, points" if kind == "score" else f"minus {found.file.reference}, points"
        )
        task_axis(axes, [f"{row.name} ({of.trained:,.0f})" for row, of in facts], what, 4)

    draw(path, 7, 1.5 + 0.25 * len(facts), plot, console)


def _curves(axes: Any, facts: Sequence[tuple[Any, Any]], reference: str) -> None:
    axes.axhline(0, color="black", linewidth=0.8)
    families: dict[str, list[Any]] = {}
    for row, of in facts:
        if row.learner != reference and of.trained:  # the axis is logarithmic
            families.setdefault(row.learner.split(":")[0], []).append(of)
    for colour, (family, members) in zip(COLOURS, families.items(), strict=False):
        members.sort(key=lambda of: of.trained)
        places = [of.trained for of in members]
        low, middle, high = ([100 * of.percentiles[mark] for of in members] for mark in (20, 50, 80))
        axes.plot(places, middle, "o-", color=colour, linewidth=1, markersize=4, label=family)
        if len(members) > 1:
            axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
        else:
            axes.vlines(places, low, high, color=colour, linewidth=1)
    axes.set(xscale="log", xlabel="trained parameters per task, without head")
    axes.set(ylabel=f"score minus that of {reference}, points")
    axes.set_title("median over tasks; shaded: 20th to 80th percentile", loc="left", fontsize=10)
    axes.legend(fontsize=8, frameon=False)


def draw(path: Path, width: float, height: float, plot: Callable[..., None], console: Console, panels: int = 1) -> None:
    """Let `plot` draw on matplotlib Axes, one per panel, and save the figure.

    Without matplotlib (extra `plots`) it prints a note and draws nothing: the numbers do not need it.

    Args:
        path: File to write; its suffix gives the format, such as .png or .svg.
        width, height: Inches.
        plot: Function that takes the Axes of all panels.
        panels: Number of panels side by side. Default: 1.
    """
    if find_spec("matplotlib") is None:
        fix = "pip install 'taskstream[plots]' and give the command again"
        console.print(f"no picture, as matplotlib is not installed; {fix}", style="dim")
        return
    figure = importlib.import_module("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
    row = figure.subplots(1, panels, squeeze=False)[0]
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_axisbelow(True)
        axes.grid(color="#dddddd", linewidth=0.6)
    plot(*row)
    figure.savefig(path, dpi=150)
    console.print(f"picture: {path}", style="dim", soft_wrap=True)
