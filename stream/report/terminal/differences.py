"""The table of paired differences between learners, with the method in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.names import legend, shown_names
from stream.report.numbers import count
from stream.report.terminal.grid import Column, table, table_width
from stream.report.terminal.study_numbers import aligned, best_first, p_text, with_half

if TYPE_CHECKING:  # imports NumPy
    from stream.study.document import ComparisonEntry, StudyDocument

LEVEL = 0.05
MANY = 28  # pairs of learners; of more, only those with the best learner are printed
TITLES = {"average_accuracy": "score", "forgetting_chaudhry": "forgetting"}


def differences(document: StudyDocument, page: Page) -> Group:
    """Returns for each metric one line per pair of learners, the one with the higher score first: the difference, its
    interval, p with Holm's correction."""
    everyone = [page.text(name) for name in document["learners"]]
    parts: list[RenderableType] = []
    for metric in dict.fromkeys(entry["metric"] for entry in document["comparisons"]):
        entries = oriented(document, metric)
        chosen = shown_pairs(entries, document)
        columns = [
            Column(f"{TITLES.get(metric, metric)}\na - b", aligned([with_half(e, page, sign=True) for e in chosen])),
            Column("p", [p_text(entry["p"], page) for entry in chosen], rank=1),
            Column("p\nHolm", [p_text(entry["p_holm"], page) for entry in chosen]),
            Column("verdict", [verdict(entry) for entry in chosen], "left"),
        ]
        room = (page.width - 2 - table_width(columns)) // 2
        pair = []
        shortened: dict[str, str] = {}
        for side in ("a", "b"):
            names = [page.text(entry[side]) for entry in chosen]
            short = shown_names(names, room, everyone)
            shortened |= dict(zip(names, short, strict=True))
            pair.append(Column(side, short, "left"))
        parts += [table([*pair, *columns], page.width), *legend(shortened, shortened.values(), page)]
        if len(chosen) < len(entries):
            parts.append(Text(f"the best learner against each other one, of {len(entries)} pairs", style="dim"))
        if zero := always_zero(document, metric):
            parts.append(Text(f"left out: the pairs of {len(zero)} learners that are 0 everywhere.", style="dim"))
        words = [*map(method_line, chosen), *(f"method: {entry['method']}." for entry in chosen)]
        parts += [Text(page.text(line), style="dim") for line in dict.fromkeys(words)]
    lines = (
        "p Holm: corrected for all pairs of the table. differ: it is below 0.05.",
        "open: not shown to differ (Holm's p >= 0.05), which does not show that they are equal.",
    )
    return Group(*parts, *(Text(page.text(line), style="dim") for line in lines))


def always_zero(document: StudyDocument, metric: str) -> list[str]:
    """Returns the learners whose pairs `stream.study.document.comparisons` leaves out: those that are exactly 0 in all
    members. Empty if there are fewer than two."""
    if metric == "average_accuracy":
        return []
    entries = {name: row[metric] for name, row in document["learners"].items() if metric in row}
    zero = [name for name, entry in entries.items() if entry["lowest"] == entry["highest"] == 0]
    return zero if len(zero) > 1 else []


def verdict(entry: ComparisonEntry) -> Text:
    """Returns `differ` if the corrected p is below the level, else `open`: no difference is not shown by it."""
    differs = entry["p_holm"] is not None and entry["p_holm"] < LEVEL
    return Text("differ", style="green") if differs else Text("open", style="dim")


def oriented(document: StudyDocument, metric: str) -> list[ComparisonEntry]:
    """Returns the comparisons in a metric, by the rank of their learners; of each pair the better one comes first."""
    place = {name: index for index, name in enumerate(best_first(document))}
    found = []
    for entry in document["comparisons"]:
        if entry["metric"] == metric:
            a, b = sorted((entry["a"], entry["b"]), key=place.__getitem__)
            sign = 1 if a == entry["a"] else -1
            found.append(entry | {"a": a, "b": b, "difference": sign * entry["difference"]})
    return sorted(found, key=lambda entry: (place[entry["a"]], place[entry["b"]]))


def shown_pairs(entries: Sequence[ComparisonEntry], document: StudyDocument) -> Sequence[ComparisonEntry]:
    """Returns all pairs, or those with the best learner if there are more than `MANY`."""
    if len(entries) <= MANY:
        return entries
    best = best_first(document)[0]
    return [entry for entry in entries if best in (entry["a"], entry["b"])]


def method_line(entry: ComparisonEntry) -> str:
    """Returns in words what the interval and p rest on."""
    over, note = "seeds and tasks, both treated as random", ""
    if entry["method"].endswith("over seeds"):
        over = "seeds, treated as random"
    elif entry["seeds"] == 1:
        over, note = "tasks, treated as random", "; one seed says nothing of others"
    grouped = entry["groups"] < entry["tasks"] and "over seeds" not in entry["method"]
    groups = f" in {count(entry['groups'], 'group')} (tasks that share texts are one group)" if grouped else ""
    counts = f"{count(entry['seeds'], 'seed')}, {count(entry['tasks'], 'task')}{groups}"
    return f"a - b: mean difference over {over}; {counts}{note}."
