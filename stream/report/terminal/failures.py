"""Failures in the report: fits that diverged, found no memory or whose workers ended; and what the user can do."""

from __future__ import annotations

from rich.text import Text

from stream.report.console import Page
from stream.results.results import Results
from stream.storage.fits import OUT_OF_MEMORY, PASSING, WORKER_DIED

SHOWN = 8  # the report only counts the others; results.json lists them all
REMEDY = (
    "what to do: use a lower learning rate (LEARNER:learning_rate=X), or leave the learner out; "
    "the same command does not repeat a failed fit"
)
SMALLER = (
    "what to do: give the same command with a smaller --batch-size or --max-length in another --out, or with fewer "
    "--workers or more memory here; it repeats these fits"
)
KILLED = "what to do: give the same command with fewer --workers or more memory; it repeats these fits"


def failures(results: Results) -> list[str]:
    """Returns one phrase per failure, learner by learner, in order of arrival."""
    return [
        f"{name} on {failure.task}, arrival {failure.arrival}: {failure.message}"
        for name, learner in results.items()
        for failure in learner.failures
    ]


def remedy(results: Results) -> str:
    """Returns what the user can do, for each kind of failure."""
    types = {failure.type for learner in results.values() for failure in learner.failures}
    return "; ".join(
        [KILLED] * (WORKER_DIED in types) + [SMALLER] * (OUT_OF_MEMORY in types) + [REMEDY] * bool(types - PASSING)
    )


def one_line(results: Results) -> str | None:
    """Returns all failures in one line, for standard error; None if nothing failed."""
    found = failures(results)
    more = [f"and {len(found) - SHOWN} more, in results.json"] if len(found) > SHOWN else []
    return "; ".join([f"{len(found)} failed: {found[0]}", *found[1:SHOWN], *more, remedy(results)]) if found else None


def failure_lines(results: Results, page: Page) -> list[Text]:
    """Returns the failures as lines below a table, one per line."""
    found = failures(results)
    lines = [Text(page.text(f"failed: {words}"), style="bold red") for words in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(Text(f"and {len(found) - SHOWN} more, in results.json", style="bold red"))
    return [*lines, Text(remedy(results), style="red")] if found else []
