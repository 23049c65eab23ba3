"""The section of a study's report on what learners with alternatives chose, task by task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.choices import bare, varying
from stream.report.console import Page
from stream.report.names import legend, wrapped

CAPTION = "xN: N seeds chose it on validation rows; orders that repeat a choice count once."
Counts = Mapping[str, Mapping[str, int]]  # task -> specification -> number of seeds that chose it


def chosen_by_task(chosen: Mapping[str, Counts], page: Page) -> Group:
    """Returns for each learner one line per task: `sst2: 8 x3, 64 x2`.

    Args:
        chosen: Learner -> its counts, as study.json has them.
    """
    parts: list[RenderableType] = []
    for learner, counts in chosen.items():
        names = short_names_of(counts)
        parts.append(Text(page.text(learner), style="bold"))
        parts += [Text(page.text(line)) for task in counts for line in _lines(task, counts, names, page)]
        if unused := unused_of(counts):
            words = ["never chosen: " + names[unused[0]], *(names[name] for name in unused[1:])]
            parts += [Text(page.text(line), style="dim") for line in wrapped(words, page.width, "  ", ", ")]
        used = [name for name in names if name not in unused]
        full = varying(names)
        parts += legend([page.text(full[x]) for x in used], [page.text(names[x]) for x in used], page)
    return Group(*parts, Text(page.text(CAPTION), style="dim"))


def counts_text(counts: Mapping[str, int], names: Mapping[str, str], page: Page) -> list[str]:
    """Returns the alternatives that were chosen on a task, the most frequent first: ["8 x3", "64 x2"]."""
    order = sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])
    return [f"{names[name]} {page.times}{counts[name]}" for name in order]


def short_names_of(counts: Counts) -> dict[str, str]:
    """Returns specification -> short name of all alternatives of a learner: the values in which they differ."""
    full = varying([name for each in counts.values() for name in each])
    short = {name: bare(text) for name, text in full.items()}
    return short if len(set(short.values())) == len(short) else full


def unused_of(counts: Counts) -> list[str]:
    """Returns the alternatives that no task chose, in the order of naming."""
    names = dict.fromkeys(name for each in counts.values() for name in each)
    return [name for name in names if not any(each.get(name) for each in counts.values())]


def _lines(task: str, counts: Counts, names: Mapping[str, str], page: Page) -> Iterator[str]:
    words = counts_text(counts[task], names, page) or [page.missing]
    yield from wrapped([f"{task}: {words[0]}", *words[1:]], page.width, "  ", ", ")
