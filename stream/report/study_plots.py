"""Draws the charts of studies as PNG or SVG files for papers: means over seeds, and Demsar's diagram of ranks.

Needs matplotlib (extra `plots`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.report.names import shown_names
from stream.report.palette import sign
from stream.report.plots import NAME_WIDTH, Plot, look, save, whiskers
from stream.report.terminal.study_numbers import best_first
from stream.results.intervals import Interval
from tasks.errors import InputError

if TYPE_CHECKING:  # imports NumPy
    from stream.study.document import RanksEntry, StudyDocument

LINE = 0.24  # inches between two learners
STEP = 0.55  # of a line, between two bars
EDGE = 0.08  # inches around a chart
MARGIN = 0.3  # of a rank, from the axis to the names beside it


def write_study(document: StudyDocument, folder: Path, form: str) -> list[Path]:
    """Writes the charts and returns their paths: `scores`, and `ranks` if a critical difference is defined.

    Args:
        folder: An existing folder.
        form: `png` or `svg`.

    Raises:
        InputError: matplotlib is not installed, or no member of the study is finished.
    """
    if find_spec("matplotlib") is None:
        raise InputError("matplotlib is not installed", where=f"--{form}", fix="pip install 'taskstream[plots]'")
    if not document["learners"]:
        raise InputError("no member of the study is finished", where=f"--{form}", fix="give its command again")
    names = shown(document)
    figures: dict[str, tuple[float, float, Plot]] = {
        "scores": (4.2, 0.8 + LINE * len(names), partial(scores, document=document, names=names))
    }
    if (ranks := document["ranks"]) is not None and ranks["critical_difference"] is not None:
        bars = len(ranks["alike"])
        height = 0.9 + LINE * (math.ceil(len(names) / 2) + STEP * bars)
        figures["ranks"] = (6.0, height, partial(rank_diagram, ranks=ranks, names=names))
    for name, (width, height, plot) in figures.items():
        save(folder / f"{name}.{form}", width, height, plot, EDGE)
    return [folder / f"{name}.{form}" for name in figures]


def shown(document: StudyDocument) -> dict[str, tuple[int, str]]:
    """Returns the place of each learner, which gives its colour, and its sign with its name, shortened if long."""
    everyone = [*document["learners"]]
    short = shown_names(everyone, NAME_WIDTH, everyone)
    return {name: (place, f"{sign(place)}  {short[place]}") for place, name in enumerate(everyone)}


def scores(axes: Any, document: StudyDocument, names: Mapping[str, tuple[int, str]]) -> None:
    """Draws mean scores with their 95 % intervals over seeds, the best on top."""
    entries = [
        (name, entry)
        for name in best_first(document)
        if (entry := document["learners"][name].get("average_accuracy")) is not None
    ]
    for line, (name, entry) in enumerate(entries):
        found = Interval(entry["mean"], entry["half"], entry["n"])
        whiskers(axes, [(line, found)], markersize=4, **look(names[name][0]))
    axes.set_yticks(range(len(entries)), [names[name][1] for name, _ in entries])
    axes.set_ylim(len(entries) - 0.4, -0.6)  # the first is on top, and neither it nor the last is on the frame
    axes.margins(x=0.08)
    seeds = max((entry["seeds"] for _, entry in entries), default=0)
    axes.set(xlabel=f"average score, points\nmean of {seeds} seed{'' if seeds == 1 else 's'}, 95 % interval")


def rank_diagram(axes: Any, ranks: RanksEntry, names: Mapping[str, tuple[int, str]]) -> None:
    """Draws average ranks on an axis, the best at the left. A bar joins learners that the critical difference does not
    separate (Demsar 2006, Figure 1)."""
    average, difference = ranks["average"], ranks["critical_difference"]
    assert difference is not None
    order = sorted(average, key=lambda name: average[name])
    count, half = len(order), math.ceil(len(order) / 2)
    lowest = STEP * (len(ranks["alike"]) + 1)
    for index, name in enumerate(order):
        left = index < half
        depth = lowest + (index if left else count - 1 - index)
        edge = 1 - MARGIN if left else count + MARGIN
        colour = look(names[name][0])["color"]
        axes.plot([average[name], average[name], edge], [0, depth, depth], color=colour, linewidth=0.9,
                  clip_on=False)  # fmt: skip
        text = f"{names[name][1]}  {average[name]:.2f}" if left else f"{average[name]:.2f}  {names[name][1]}"
        axes.annotate(text, (edge, depth), (-3 if left else 3, 0), textcoords="offset points", va="center",
                      ha="right" if left else "left", fontsize=7, color=colour, annotation_clip=False)  # fmt: skip
    for level, bar in enumerate(ranks["alike"], start=1):
        places = [average[name] for name in bar]
        axes.plot([min(places) - 0.04, max(places) + 0.04], [STEP * level] * 2, color="#222222", linewidth=3,
                  solid_capstyle="butt")  # fmt: skip
    axes.plot([1, 1 + difference], [-1.4, -1.4], "|-", color="#222222", linewidth=1, markersize=6,
              clip_on=False)  # fmt: skip
    axes.annotate(f"critical difference {difference:.2f}", (1 + difference / 2, -1.4), (0, 3), ha="center",
                  textcoords="offset points", fontsize=7)  # fmt: skip
    axes.set_xlim(1, count)
    axes.set_ylim(lowest + half - 0.5, -2.2)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_position(("data", 0))
    axes.set_yticks([])
    axes.set_xticks(range(1, count + 1))
    axes.tick_params(axis="x", direction="in", top=False, bottom=True, labelbottom=True, pad=-12)
