"""Pictures of the experiments, drawn with matplotlib where it is installed."""

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
    """A line for each task, the first on top; scores to the right; what the marks mean above."""
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel=label)
    axes.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns)


def grouped(axes: Any, groups: Mapping[str, Sequence[tuple[int, Interval]]]) -> None:
    """Intervals of each group at their lines, a colour for each; the axis fits the means, so wide intervals are cut."""
    for colour, (label, rows) in zip(COLOURS, groups.items(), strict=False):
        plots.whiskers(axes, rows, color=colour, label=label)
    found = [100 * row.mean for rows in groups.values() for _, row in rows]
    margin = max(max(found) - min(found), 5.0)
    axes.set_xlim(min(found) - margin, max(found) + margin)


def draw(path: Path, width: float, height: float, plot: Callable[..., None], console: Console, panels: int = 1) -> None:
    """Have `plot` draw on matplotlib Axes, one for each panel, and save them, PNG or SVG by the path's ending; inches.

    Without matplotlib (extra `plots`) a note says so: the numbers do not depend on it.
    """
    if find_spec("matplotlib") is None:
        console.print("no picture: pip install 'taskstream[plots]' and give the command again", style="dim")
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
