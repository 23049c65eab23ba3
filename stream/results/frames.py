"""The results of learners as pandas frames, and as a short table in text or HTML. Only a frame imports pandas."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from stream.results.learner_results import LearnerResults

if TYPE_CHECKING:
    import pandas

SHORT = {"average_accuracy": "average", "forgetting_chaudhry": "forgetting", "bwt_gem": "bwt"}
HEADINGS = ("learner", "average", "forgetting", "bwt", "growth", "verified")


def score_frame(learners: Iterable[LearnerResults], tests: Mapping[str, int | None]) -> pandas.DataFrame:
    """Returns one row per learner, arrival and task with a score: see `Results.frame`.

    Args:
        tests: Number of test examples of each task; None if not known.
    """
    import pandas

    parts = []
    for learner in learners:
        arrivals, places = (learner.matrix == learner.matrix).nonzero()  # not nan
        tasks = [learner.order[place] for place in places]
        columns = {
            "learner": [learner.name] * len(tasks),
            "arrival": arrivals,
            "task": tasks,
            "score": learner.matrix[arrivals, places],
            "n": pandas.array([tests.get(task) for task in tasks], dtype="Int64"),
            "provenance": [how or None for how in learner.provenance[arrivals, places]],
        }
        parts.append(pandas.DataFrame(columns))
    if not parts:
        return pandas.DataFrame(columns=["learner", "arrival", "task", "score", "n", "provenance"])
    return pandas.concat(parts, ignore_index=True)


def summary_frame(learners: Iterable[LearnerResults], backbone: int | None) -> pandas.DataFrame:
    """Returns one row per learner: see `Results.summary`.

    Args:
        backbone: Number of parameters of the backbone; None if not known.
    """
    import pandas

    rows = []
    for learner in learners:
        cost = learner.cost
        rows.append({
            "learner": learner.name,
            "sharing": learner.sharing,
            "arrivals": learner.arrivals,
            "counted": learner.counted,
            **{short: _plain(learner.metrics.get(name)) for name, short in SHORT.items()},
            "growth": _plain(cost.growth[-1] if cost.growth else None),
            "growth_without_heads": _plain(cost.growth_without_heads[-1] if cost.growth_without_heads else None),
            "trained_share": _plain(learner.trained_share(backbone)),
            "bytes_per_task": _plain(learner.bytes_per_task),
            "train_flops": _plain(cost.train_flops),
            "train_seconds": _plain(cost.train_seconds),
            "evaluate_seconds": _plain(cost.evaluate_seconds),
            "verified": learner.retention.verified,
            "failures": len(learner.failures),
            **{name: _plain(value) for name, value in learner.metrics.items() if name not in SHORT},
        })  # fmt: skip
    return pandas.DataFrame(rows)


def _plain(value: float | None) -> float:
    return math.nan if value is None else float(value)


def short_rows(learners: Iterable[LearnerResults]) -> list[tuple[str, ...]]:
    """Returns `HEADINGS` and one row per learner: scores in points (x100), growth in multiples of the backbone."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    for learner in learners:
        scores = [learner.metrics.get(name) for name in SHORT]
        shown = ["-" if score is None else f"{round(100 * score, 1) + 0.0:.1f}" for score in scores]
        growth = learner.cost.growth[-1] if learner.cost.growth else None
        times = "-" if growth is None else f"{growth:.4g}x"
        rows.append((learner.name, *shown, times, "yes" if learner.retention.verified else "no"))
    return rows


def text_table(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    """Returns a title and aligned rows. The first column is aligned left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    return "\n".join((title, *lines))


def html_table(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    """Returns the same rows as an HTML table."""
    head, *body = ["".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) for tag, row in _tagged(rows)]
    lines = "".join(f"<tr>{row}</tr>" for row in body)
    return f"<p>{html.escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _tagged(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, tuple[str, ...]]]:
    return [("td" if place else "th", row) for place, row in enumerate(rows)]
