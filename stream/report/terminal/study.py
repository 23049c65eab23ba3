"""The report of one or several studies: means over seeds, paired differences, ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.text import Text

from stream.report.console import Page, page_of
from stream.report.names import legend, packed, shown_names
from stream.report.numbers import growth, points, scaled
from stream.report.terminal.grid import Column, fitting, table, table_width
from stream.report.terminal.league import NAME_WIDTH
from stream.report.terminal.summary import rule
from stream.study.members import seeds_text
from stream.study.study import Study

if TYPE_CHECKING:  # imports NumPy
    from stream.study.document import ComparisonEntry, NumberEntry, StudyDocument

LEVEL = 0.05
MANY = 28  # pairs of learners; of more, only those with the best learner are printed
TITLES = {"average_accuracy": "score", "forgetting_chaudhry": "forgetting"}


def print_study(study: Study, console: Console) -> None:
    """Prints the report of one study, finished or not."""
    print_studies([study], study.document, console)


def print_studies(studies: Sequence[Study], document: StudyDocument, console: Console) -> None:
    """Prints the report of several studies together.

    Args:
        studies: The studies, for the head of the report.
        document: What they say together.
        console: Its width, colours and encoding decide the form. No line is wider than the console.
    """
    page = page_of(console)
    for study in studies:
        console.print(header(study, page))
    for name, count in document.get("failed", {}).items():
        words = f"failed: {_count(count, 'fit')} of {name}; its means are over the other tasks"
        console.print(Text(page.text(words), style="bold red"))
    if not document["learners"]:
        return
    sections: list[tuple[str, RenderableType]] = [("Means over seeds", means(document, page))]
    if document["comparisons"]:
        sections.append(("Paired differences", differences(document, page)))
    if document["ranks"] is not None:
        sections.append(("Average ranks", rank_lines(document, page)))
    for title, part in sections:
        console.print()
        console.print(rule(title, page))
        console.print(part)


def header(study: Study, page: Page) -> Group:
    """Returns the facts of a study, and a warning if members are missing."""
    seeds = tuple(dict.fromkeys(member.seed for member in study.grid))
    orders = tuple(dict.fromkeys(member.order for member in study.grid))
    facts = page.joined(
        study.folder,
        f"{_count(len(study.grid), 'member')}",
        f"{'seed' if len(seeds) == 1 else 'seeds'} {seeds_text(seeds)}",
        f"{'order' if len(orders) == 1 else 'orders'} {'; '.join(orders)}",
    )
    lines = [Text.assemble(("taskstream study", "bold"), page.text(f"  {facts}"))]
    for results in [*study.members.values()][:1]:
        about = (
            f"suite {results.suite}",
            _count(len(results.order), "task"),
            f"source {results.source}" if results.source else "",
            f"backbone {results.backbone.name}",
            _count(len(results), "learner"),
        )
        lines.append(Text(page.text(page.joined(*about))))
    if missing := len(study.grid) - len(study.members):
        words = f"unfinished: {missing} of {len(study.grid)} members; the numbers are those of the others"
        lines.append(Text(page.text(words), style="bold yellow"))
    return Group(*lines)


def means(document: StudyDocument, page: Page) -> Group:
    """Returns one line per learner, best score first: means with their intervals over seeds."""
    learners, ranks = document["learners"], document["ranks"]
    names = best_first(document)
    rows = [learners[name] for name in names]

    def number(metric: str, of: str, **style: bool) -> list[str]:
        return [points(row[metric][of], page, **style) if metric in row else page.missing for row in rows]  # type: ignore[literal-required]

    def growths() -> list[str]:
        return [growth(_mean_or_none(row.get("growth_without_heads")), page) for row in rows]

    best = max((_mean(row.get("average_accuracy")) for row in rows), default=0.0)
    scores = [with_half(row.get("average_accuracy"), page) for row in rows]
    marked = [
        Text(score + page.best, style="bold green") if _mean(row.get("average_accuracy")) == best else Text(score)
        for score, row in zip(aligned(scores), rows, strict=True)
    ]
    columns = [
        Column("score", marked, "left"),
        Column("median", number("average_accuracy", "median"), rank=4),
        Column("lowest", number("average_accuracy", "lowest"), rank=5),
        Column("highest", number("average_accuracy", "highest"), rank=5),
        Column("forget", aligned([with_half(row.get("forgetting_chaudhry"), page) for row in rows]), rank=1),
        Column("BWT", aligned([with_half(row.get("bwt_gem"), page, sign=True) for row in rows]), rank=3),
        Column("growth\nno heads", growths(), rank=2),
        Column("seeds", [str(row["average_accuracy"]["seeds"]) if "average_accuracy" in row else "0" for row in rows]),
    ]
    if any("search_flops" in row for row in rows):
        flops = [scaled(_mean_or_none(row.get("search_flops")), page) for row in rows]
        columns.insert(-1, Column("search\nFLOPs", flops))
    if ranks is not None:
        columns.append(Column("rank", [f"{ranks['average'][name]:.2f}" for name in names]))
    shown = [page.text(name) for name in names]
    kept = fitting(columns, page.width - 1 - min(max(map(len, shown)), NAME_WIDTH))
    short = shown_names(shown, page.width - 1 - table_width(kept), [page.text(name) for name in learners])
    lines = [
        f"score: average_accuracy, mean and 95 % interval, points; {page.best} best.",
        "Intervals are over seeds; over orders too where scores depend on the order.",
        "A seed's value is the mean over its orders; lowest and highest are over all members.",
        "forget: forgetting_chaudhry; BWT: bwt_gem; growth: multiples of the backbone.",
    ]
    if any("search_flops" in row for row in rows):
        lines.append("search FLOPs: of all fits that were made to choose, the winners among them.")
    leader = Column("learner", short, "left")
    return Group(
        table([leader, *kept], page.width), *legend(shown, short, page), *(Text(line, style="dim") for line in lines)
    )


def best_first(document: StudyDocument) -> list[str]:
    """Returns the names of the learners, best mean score first."""
    learners = document["learners"]
    return sorted(learners, key=lambda name: -_mean(learners[name].get("average_accuracy")))


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
            Column("", [verdict(entry) for entry in chosen], "left"),
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
        parts += [Text(page.text(line), style="dim") for line in dict.fromkeys(map(method_line, chosen))]
    return Group(*parts, Text("p Holm: corrected for all pairs of the table; differ: below 0.05.", style="dim"))


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
    tasks = f"{_count(entry['tasks'], 'task')} in {_count(entry['groups'], 'group')}"
    alone = "; one seed says nothing of others" if entry["seeds"] == 1 else ""
    return f"{entry['method']}: {_count(entry['seeds'], 'seed')}, {tasks}; tasks that share texts are one group{alone}."


def rank_lines(document: StudyDocument, page: Page) -> Group:
    """Returns Friedman's test, and the sets of learners that the critical difference does not separate."""
    return Group(
        *(line for words in rank_words(document, page) for line in packed([Text(page.text(words))], page.width))
    )


def rank_words(document: StudyDocument, page: Page) -> Iterator[str]:
    ranks = document["ranks"]
    assert ranks is not None
    order = sorted(ranks["average"], key=lambda name: ranks["average"][name])
    yield from _wrapped([f"{ranks['average'][name]:.2f} {name}" for name in order], page.width, "", ", ")
    if ranks["critical_difference"] is None:
        yield "Friedman's test needs three learners and two groups of tasks."
        return
    yield f"Friedman: p {p_text(ranks['friedman_p'], page)} over {ranks['blocks']} groups of tasks"
    yield f"critical difference {ranks['critical_difference']:.2f} (Nemenyi, 5 %); not separated:"
    for bar in ranks["alike"] or [["none: all are separated"]]:
        yield from _wrapped(bar, page.width, "  ", ", ")


def _wrapped(words: Sequence[str], width: int, indent: str, separator: str) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line}{separator}{word}" if line else f"{indent}{word}"
        if line and len(longer) > width - 1:
            yield f"{line},"
            longer = f"{indent}{word}"
        line = longer
    yield line


def with_half(entry: NumberEntry | ComparisonEntry | None, page: Page, *, sign: bool = False) -> str:
    """Returns a mean or a difference in points with the half width of its interval: `79.0 ±1.2`."""
    if entry is None:
        return page.missing
    value: float = entry["difference"] if "difference" in entry else entry["mean"]  # type: ignore[typeddict-item]
    mark = "+-" if page.ascii else "±"
    half = entry["half"]
    if value == 0 and not half:
        return "0"
    return points(value, page, sign=sign) + ("" if half is None else f" {mark}{100 * half:.1f}")


def aligned(cells: Sequence[str]) -> list[str]:
    """Pads cells so that their decimal points stand one below the other."""
    fronts = [cell.partition(" ")[0] for cell in cells]
    backs = [cell.partition(" ")[2] for cell in cells]
    left, right = max(map(len, fronts), default=0), max(map(len, backs), default=0)
    gap = " " if right else ""
    return [f"{front:>{left}}{gap}{back:<{right}}" for front, back in zip(fronts, backs, strict=True)]


def p_text(value: float | None, page: Page) -> str:
    """Formats a probability: `0.031`, `<0.001`."""
    return page.missing if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def _mean(entry: NumberEntry | None) -> float:
    return float("-inf") if entry is None else entry["mean"]


def _mean_or_none(entry: NumberEntry | None) -> float | None:
    return None if entry is None else entry["mean"]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
