"""Figures of the studies, drawn with matplotlib if it is installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from study import Interval

from stream.report import plots
from stream.report.palette import LIGHT as COLOURS


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
