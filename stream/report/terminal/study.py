"""The report of one or several studies: means over seeds, paired differences, ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.text import Text

from stream.report.console import Page, page_of
from stream.report.names import legend, packed, shown_names, wrapped
from stream.report.numbers import count, growth, points, scaled
from stream.report.terminal.chosen import chosen_by_task
from stream.report.terminal.differences import differences
from stream.report.terminal.grid import Column, fitting, table, table_width
from stream.report.terminal.league import NAME_WIDTH
from stream.report.terminal.study_numbers import aligned, best_first, mean_of, mean_or_none, p_text, with_half
from stream.report.terminal.summary import rule
from stream.study.members import seeds_text
from stream.study.study import Study

if TYPE_CHECKING:  # imports NumPy
    from stream.study.document import StudyDocument


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
    for name, failed in document.get("failed", {}).items():
        words = f"failed: {count(failed, 'fit')} of {name}; its means are over the other tasks"
        console.print(Text(page.text(words), style="bold red"))
    if not document["learners"]:
        return
    sections: list[tuple[str, RenderableType]] = [("Means over seeds", means(document, page))]
    if document["comparisons"]:
        sections.append(("Paired differences", differences(document, page)))
    if chosen := document.get("chosen"):
        sections.append(("Chosen, by task", chosen_by_task(chosen, page)))
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
        f"{count(len(study.grid), 'member')}",
        f"{'seed' if len(seeds) == 1 else 'seeds'} {seeds_text(seeds)}",
        f"{'order' if len(orders) == 1 else 'orders'} {'; '.join(orders)}",
    )
    lines = [Text.assemble(("taskstream study", "bold"), page.text(f"  {facts}"))]
    for results in [*study.members.values()][:1]:
        about = (
            f"suite {results.suite}",
            count(len(results.order), "task"),
            f"source {results.source}" if results.source else "",
            f"backbone {results.backbone.name}",
            count(len(results), "learner"),
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
        return [growth(mean_or_none(row.get("growth_without_heads")), page) for row in rows]

    best = max((mean_of(row.get("average_accuracy")) for row in rows), default=0.0)
    scores = [with_half(row.get("average_accuracy"), page) for row in rows]
    marked = [
        Text(score.rstrip() + page.best, style="bold green")
        if mean_of(row.get("average_accuracy")) == best
        else Text(score)
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
        flops = [scaled(mean_or_none(row.get("search_flops")), page) for row in rows]
        columns.insert(-1, Column("search\nFLOPs", flops))
    if ranks is not None:
        columns.append(Column("rank", [f"{ranks['average'][name]:.2f}" for name in names]))
    shown = [page.text(name) for name in names]
    kept = fitting(columns, page.width - 1 - min(max(map(len, shown)), NAME_WIDTH))
    short = shown_names(shown, page.width - 1 - table_width(kept), [page.text(name) for name in learners])
    lines = means_caption(document, [column.title for column in kept], page)
    leader = Column("learner", short, "left")
    return Group(
        table([leader, *kept], page.width), *legend(shown, short, page), *(Text(line, style="dim") for line in lines)
    )


def means_caption(document: StudyDocument, titles: Sequence[str], page: Page) -> list[str]:
    """Returns what the columns of the table of means are; `titles` are those that the page has room for."""
    several = any(
        entry["average_accuracy"]["half"] is not None
        for entry in document["learners"].values()
        if "average_accuracy" in entry
    )
    orders = {member["order"] for member in document["members"]}
    spread = "mean and 95 % interval over seeds (Student's t)" if several else "one seed: no interval"
    lines = [f"score: average_accuracy, {spread}, points; {page.best} best."]
    if several and len(orders) > 1:
        lines.append("Where scores depend on the order, the interval is over seeds and orders.")
    words = {
        "median": "median: over seeds",
        "lowest": "lowest: of all members",
        "highest": "highest: of all members",
        "forget": "forget: forgetting_chaudhry",
        "BWT": "BWT: bwt_gem",
        "growth\nno heads": "growth: all kept parameters without heads, in multiples of the backbone",
        "search\nFLOPs": "search FLOPs: of all fits that were made to choose, the winners among them",
        "rank": "rank: mean place among the learners over groups of tasks, 1 is best",
    }
    shown = [f"{text}." for title, text in words.items() if title in titles]
    return [*lines, *wrapped_sentences(shown, page.width)]


def wrapped_sentences(sentences: Sequence[str], width: int) -> list[str]:
    """Puts sentences into as few lines as possible, and breaks none that fits on a line."""
    lines: list[str] = []
    for text in sentences:
        if lines and len(lines[-1]) + 1 + len(text) < width:
            lines[-1] += f" {text}"
        else:
            lines.append(text)
    return lines


def rank_lines(document: StudyDocument, page: Page) -> Group:
    """Returns Friedman's test, and the sets of learners that the critical difference does not separate."""
    return Group(
        *(line for words in rank_words(document, page) for line in packed([Text(page.text(words))], page.width))
    )


def rank_words(document: StudyDocument, page: Page) -> Iterator[str]:
    ranks = document["ranks"]
    assert ranks is not None
    yield "rank: place among the learners by score, 1 is best; mean over groups of tasks"
    order = sorted(ranks["average"], key=lambda name: ranks["average"][name])
    yield from wrapped([f"{ranks['average'][name]:.2f} {name}" for name in order], page.width, "", ", ")
    if ranks["critical_difference"] is None:
        yield "Friedman's test needs three learners and two groups of tasks."
        return
    yield f"Friedman: p {p_text(ranks['friedman_p'], page)} over {ranks['blocks']} groups of tasks"
    yield f"critical difference {ranks['critical_difference']:.2f} (Nemenyi, 5 %); not separated:"
    for bar in ranks["alike"] or [["none: all are separated"]]:
        yield from wrapped(bar, page.width, "  ", ", ")
