"""What a stream could not give: fits that diverged, cells without a number, and what to do about them."""

from __future__ import annotations

from rich.text import Text

from stream.report.console import Page
from stream.results.results import Results

SHOWN = 8  # of more, the rest is counted: results.json holds them all
REMEDY = (
    "what to do: a lower learning rate (LEARNER:learning_rate=X), or leave the learner out; "
    "the same command does not try a failed fit again"
)


def failures(results: Results) -> list[str]:
    """One phrase for each, learner by learner, in order of arrival."""
    return [
        f"{name} on {failure.task}, arrival {failure.arrival}: {failure.message}"
        for name, learner in results.items()
        for failure in learner.failures
    ]


def one_line(results: Results) -> str | None:
    """All in one line, for standard error; None where nothing failed."""
    found = failures(results)
    more = [f"and {len(found) - SHOWN} more, in results.json"] if len(found) > SHOWN else []
    return "; ".join([f"{len(found)} failed: {found[0]}", *found[1:SHOWN], *more, REMEDY]) if found else None


def failure_lines(results: Results, page: Page) -> list[Text]:
    """The same below a table, one a line."""
    found = failures(results)
    lines = [Text(page.text(f"failed: {words}"), style="bold red") for words in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(Text(f"and {len(found) - SHOWN} more, in results.json", style="bold red"))
    return [*lines, Text(REMEDY, style="red")] if found else []
