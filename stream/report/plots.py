"""Writes the charts of the report as PNG or SVG files for papers, with the colours and signs of the HTML page.

Needs matplotlib (extra `plots`).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stream.report.axis import counting, logarithmic, spread
from stream.report.labels import Box, place
from stream.report.learner_summary import LearnerSummary, last, summaries
from stream.report.names import cut, shown_names
from stream.report.palette import LIGHT, sign
from stream.report.terminal.forgetting import may_forget
from stream.report.terminal.heatmap import SHADES
from stream.report.terminal.league import margin
from stream.results.intervals import Interval, interval
from stream.results.results import Results, load_results
from stream.storage.learner_folder import folder_name
from tasks.errors import InputError

Plot = Callable[[Any], None]  # draws on matplotlib's Axes
DASHES = ("-", "--", ":")
STYLE = {
    "font.size": 8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "text.parse_math": False,  # a name with two dollar signs is not a formula
    "svg.hashsalt": "taskstream",  # the same results give the same bytes
    "svg.fonttype": "none",  # text stays text
}
CROWD = 14  # learners; with more, the key has three columns
LINE = 9.5  # points of print between the names of two curves
NAME_WIDTH = 34  # characters of a learner's name beside its curve; a longer one is abbreviated
TASK_WIDTH = 24  # characters of a task's name beside a matrix
MANY_TASKS = 40  # with more, their names would overlap
SAME = ("suite", "source", "backbone", "order", "settings")  # must be equal in runs that differ only in the seed


def write(results: Results, seeds: Sequence[Results], folder: Path, form: str) -> list[Path]:
    """Writes the charts and returns their paths.

    Args:
        seeds: Results of the same run with several seeds, including this one. Two or more also give a league chart.
        folder: An existing folder.
        form: `png` or `svg`.

    Raises:
        InputError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise InputError("matplotlib is not installed", where=f"--{form}", fix="pip install 'taskstream[plots]'")
    learners = summaries(results)
    height = axes_height(len(learners)) + 0.5  # inches: the axes, and the numbers below them
    figures: dict[str, tuple[float, float, Plot]] = {
        "growth": (5.2, height, partial(growth, results=results, learners=learners)),
        "trade_off": (4.8, height, partial(trade_off, results=results, learners=learners)),
    }
    if any(map(may_forget, learners)):
        tall = 1.2 + 0.16 * min(len(results.order), 300)
        figures["forgetting"] = (4.2, tall, partial(forgetting, results=results, learners=learners))
    if len(seeds) > 1:
        figures["league"] = (4.2, 0.8 + 0.24 * len(learners), partial(league, seeds=seeds))
    for index, learner in enumerate(learners):
        name = f"R-{index + 1:0{len(str(len(learners)))}}-{folder_name(learner.name)}"
        figures[name] = (3.8, 3.9, partial(matrix, order=results.order, learner=learner))
    paths = []
    for name, (width, height, plot) in figures.items():
        save(folder / f"{name}.{form}", width, height, plot)
        paths.append(folder / f"{name}.{form}")
    return paths


def save(path: Path, width: float, height: float, plot: Plot, edge: float | None = None) -> None:
    """Writes one chart. The settings of matplotlib stay as they were.

    Args:
        width, height: Size, inches.
        edge: Empty space around all that is drawn, inches: the picture then grows with what stands outside the axes.
            None (default): the picture has exactly the given size.
    """
    matplotlib = importlib.import_module("matplotlib")
    with matplotlib.rc_context(STYLE):
        figure = importlib.import_module("matplotlib.figure").Figure(figsize=(width, height), layout="constrained")
        plot(figure.subplots())
        box = {} if edge is None else {"bbox_inches": "tight", "pad_inches": edge}
        figure.savefig(path, dpi=300, metadata={"Date": None} if path.suffix == ".svg" else None, **box)


def same_run_other_seeds(folder: Path, results: Results) -> list[Results]:
    """Finds the same run with other seeds, in folders `seed0`, `seed1`, ... beside `folder`.

    Other runs count only if they are finished and differ in nothing but the seed.

    Returns:
        The results of all these runs, including this one; `[results]` alone if `folder` has another kind of name.
    """
    here = folder.resolve()
    if not re.fullmatch(r"seed\d+", here.name):
        return [results]
    found = []
    for path in sorted(here.parent.glob("seed*/results.json")):
        try:
            other = load_results(path.parent)
        except (OSError, InputError):
            continue
        alike = all(unseeded(getattr(other, name)) == unseeded(getattr(results, name)) for name in SAME)
        if alike and other.arrivals == len(results.order) and list(other) == list(results):
            found.append(other)
    return found or [results]


def unseeded(value: object) -> object:
    """Removes the seed from the name of a source: `simulated:seed=1`."""
    return re.sub(r":seed=\d+", "", value) if isinstance(value, str) else value


def look(index: int) -> dict[str, str]:
    """Returns the colour and the dashes of a learner's line."""
    return {"color": LIGHT[index % len(LIGHT)], "linestyle": DASHES[index // len(LIGHT) % len(DASHES)]}


def growth(axes: Any, results: Results, learners: Sequence[LearnerSummary]) -> None:
    """Draws the parameters kept, in multiples of the backbone, on a log scale, with its name beside each curve."""
    known = [value for learner in learners for value in learner.growth if value]
    for index, learner in enumerate(learners):
        values = [float("nan") if value is None else value for value in learner.growth]
        axes.plot(range(1, len(values) + 1), values, linewidth=1.5, **look(index))
    axes.set(xlabel="arrivals", ylabel="parameters kept, × backbone", yscale="log")
    axes.set_xlim(1, max(len(results.order), 2))
    axes.xaxis.get_major_locator().set_params(integer=True)
    if not known:
        return
    scale = logarithmic(min(1.0, *known), max(1.1, *known), "{:g}×".format)
    ticks(axes.yaxis, scale.ticks)
    axes.set_ylim(scale.low * 0.97, scale.high * 1.05)
    axis = logarithmic(scale.low * 0.97, scale.high * 1.05, str)
    ends = [(index, value) for index, x in enumerate(learners) if (value := last(x.growth))]
    gap = LINE / (72 * axes_height(len(learners)))
    places = spread([axis.at(value) for _, value in ends], gap, 1.0)
    for (index, value), up in zip(ends, places, strict=True):
        end = len(learners[index].growth)
        axes.annotate(
            label(index, learners), (end, value), (1.06, up), textcoords="axes fraction", va="center", fontsize=7,
            color=look(index)["color"], annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": look(index)["color"], "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def trade_off(axes: Any, results: Results, learners: Sequence[LearnerSummary]) -> None:
    """Draws score against trained parameters (Houlsby et al. 2019, Figures 1 and 3). Zero is at the left."""
    drawn = [(i, x) for i, x in enumerate(learners) if x.average is not None and x.trained_share is not None]
    shares = [100 * share for _, learner in drawn if (share := learner.trained_share)]
    low, high = min(shares, default=1.0) / 1.5, max(shares, default=100.0) * 1.5
    zero = low / 4  # a log scale has no 0: here are learners without trained parameters
    points = [(100 * (x.trained_share or 0.0) or zero, 100 * (x.average or 0.0)) for _, x in drawn]
    halves = [margin(learner, results) for _, learner in drawn]
    for (index, _), (x, y), half in zip(drawn, points, halves, strict=True):
        axes.errorbar([x], [y], yerr=half, fmt="o", markersize=4, color=look(index)["color"], capsize=2,
                      elinewidth=0.8)  # fmt: skip
    axes.set(xlabel="trained parameters per task, % of the backbone", ylabel="average score, points", xscale="log")
    marks = logarithmic(low, high, "{:g}%".format).ticks
    if any(learner.trained_share == 0 for _, learner in drawn):
        marks = ((zero, "0"), *marks)
        axes.axvline(low / 2, color="#888888", linewidth=0.8, linestyle=":")
    ticks(axes.xaxis, marks)
    axes.margins(0.08, 0.12)
    names, colours = [label(index, learners) for index, _ in drawn], [look(index)["color"] for index, _ in drawn]
    named(axes, names, colours, points, halves)


def named(
    axes: Any,
    names: Sequence[str],
    colours: Sequence[str],
    points: Sequence[tuple[float, float]],
    halves: Sequence[float],
) -> None:
    """Writes its name beside each point. No name covers another one, a point or its whiskers of these half lengths."""
    axes.figure.draw_without_rendering()  # decides how large the axes are
    to_pixels, box = axes.transData, axes.get_window_extent()
    scale = 72 / axes.figure.dpi  # points of print per pixel
    centres = []
    for (x, y), half in zip(points, halves, strict=True):
        (across, up), (_, end) = scale * to_pixels.transform((x, y)), scale * to_pixels.transform((x, y + half))
        centres.append(Box(across, up, 8, 8 + 2 * (end - up)))
    sizes = []
    for name in names:
        text = axes.text(0, 0, name, fontsize=7)
        extent = text.get_window_extent()
        sizes.append((scale * extent.width, scale * extent.height))
        text.remove()
    frame = Box(*(scale * value for value in ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, box.width, box.height)))
    for name, colour, centre, point, found in zip(
        names, colours, centres, points, place(centres, sizes, frame), strict=True
    ):
        way = (found.x - centre.x, found.y - centre.y)
        far = max(abs(way[0]) - found.width / 2, abs(way[1]) - found.height / 2) > 12
        arrow = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2} if far else None
        axes.annotate(name, point, way, textcoords="offset points", ha="center", va="center", fontsize=7, color=colour,
                      arrowprops=arrow)  # fmt: skip


def whiskers(axes: Any, rows: Sequence[tuple[float, Interval]], **style: Any) -> None:
    """Draws means in points with their intervals; each row has its height and its interval."""
    means, halves = [100 * found.mean for _, found in rows], [100 * (found.half or 0.0) for _, found in rows]
    axes.errorbar(means, [line for line, _ in rows], xerr=halves, **{"fmt": "o", "capsize": 2} | style)


def ticks(axis: Any, marks: Sequence[tuple[float, str]]) -> None:
    """Sets these ticks and no others."""
    axis.set_ticks([value for value, _ in marks], [name for _, name in marks])
    axis.set_ticks([], minor=True)


def forgetting(axes: Any, results: Results, learners: Sequence[LearnerSummary]) -> None:
    """Draws the score when learned (a ring) and now (a dot), for each learner that can forget."""
    losing = [(index, learner) for index, learner in enumerate(learners) if may_forget(learner)]
    for rank, (index, learner) in enumerate(losing):
        colour, shift = LIGHT[index % len(LIGHT)], (rank - (len(losing) - 1) / 2) * 0.7 / len(losing)
        pairs = [(task, row[task], learner.now[task]) for task, row in enumerate(learner.rows)]
        known = [(task + shift, 100 * a, 100 * b) for task, a, b in pairs if a is not None and b is not None]
        lines, first, now = [row[0] for row in known], [row[1] for row in known], [row[2] for row in known]
        axes.hlines(lines, first, now, color=colour, linewidth=1.2)
        axes.plot(now, lines, "o", color=colour, markersize=4, label=label(index, learners))
        axes.plot(first, lines, "o", color=colour, markersize=4, markerfacecolor="white")
    axes.set_yticks(range(len(results.order)), results.order, fontsize=7)
    axes.invert_yaxis()
    axes.set(xlabel="score when learned (ring) and now (dot), points")
    key(axes, len(losing))


def league(axes: Any, seeds: Sequence[Results]) -> None:
    """Draws average scores with their 95 % intervals over seeds (Student's t), the best on top."""
    by_seed = [summaries(results) for results in seeds]
    means = [
        (index, interval([x for x in scores if x is not None]))
        for index, group in enumerate(zip(*by_seed, strict=True))
        if None not in (scores := [learner.average for learner in group])
    ]
    ordered = sorted(means, key=lambda entry: -entry[1].mean)
    for line, (index, found) in enumerate(ordered):
        whiskers(axes, [(line, found)], markersize=4, **look(index))
    axes.set_yticks(range(len(ordered)), [label(index, by_seed[0]) for index, _ in ordered])
    axes.invert_yaxis()
    axes.set(xlabel=f"average score, points; mean of {len(seeds)} seeds, 95 % interval")


def matrix(axes: Any, order: Sequence[str], learner: LearnerSummary) -> None:
    """Draws R as a heat map; the row on top is before any training. A cell that was not evaluated or failed is grey."""
    colours = importlib.import_module("matplotlib.colors").LinearSegmentedColormap.from_list("scores", SHADES)
    colours = colours.with_extremes(bad="#eeeeee")
    rows = [learner.before, *learner.rows]
    cells = [[float("nan") if score is None else 100 * score for score in row] for row in rows]
    tasks = len(order)
    extent = (0.5, tasks + 0.5, len(rows) - 0.5, -0.5)
    image = axes.imshow(cells, cmap=colours, vmin=0, vmax=100, aspect="equal", extent=extent, interpolation="nearest")
    axes.axhline(0.5, color="white", linewidth=1.5)
    axes.grid(visible=False)
    axes.set(xlabel="task, in order of arrival", ylabel="arrivals so far")
    if tasks <= MANY_TASKS:
        names = [cut(task, TASK_WIDTH) for task in order]
        axes.set_xticks(range(1, tasks + 1), names, rotation=90, fontsize=max(4, min(7, 150 / tasks)))
    every = counting(max(len(rows) - 1, 1)).ticks
    numbers = [int(value) for value, _ in every if value > 1] if len(rows) > 6 else [*range(1, len(rows))]
    axes.set_yticks([0, *numbers], ["before", *map(str, numbers)], fontsize=7)
    axes.set_title(learner.name, fontsize=8)
    axes.figure.colorbar(image, ax=axes, shrink=0.8, label="points")


def label(index: int, learners: Sequence[LearnerSummary]) -> str:
    """Returns the sign and the name of a learner; a long name is abbreviated as in the rest of the report."""
    names = [learner.name for learner in learners]
    return f"{sign(index)}  {shown_names(names, NAME_WIDTH, names)[index]}"


def axes_height(learners: int) -> float:
    """Returns the height in inches at which the names of all learners fit, one above the other."""
    return max(2.3, LINE * (learners + 1) / 72)


def key(axes: Any, entries: int) -> None:
    if entries:
        axes.figure.legend(fontsize=7, loc="outside lower center", ncols=columns(entries))


def columns(entries: int) -> int:
    """Returns the number of columns of the key."""
    return 2 if entries < CROWD else 3
