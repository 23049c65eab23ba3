"""The cost of each learner so far: FLOPs, seconds, memory, bytes on disk."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.names import legend, shown_names
from stream.report.numbers import duration, scaled
from stream.report.terminal.grid import Column, table, table_width
from stream.results.learner_cost import Cost
from stream.results.results import Results

CAPTION = (
    "FLOPs: matrix products of all training steps, with padding; multiply-add = 2.",
    "train, evaluate time: wall clock of all fits, and of all evaluations.",
    "memory: peak resident memory of a training process, with libraries and backbone.",
    "disk: all Deltas that must be kept, without the backbone.",
)
SEARCH = "search: all fits made to choose among alternatives, the kept ones included; train: the kept ones."


def cost_table(results: Results, page: Page) -> RenderableType:
    """Returns a table with one line per learner, in the order of the results."""
    costs = [learner.cost for learner in results.learners.values()]
    kept = [sum(cost.bytes_per_task.values()) if cost.bytes_per_task else None for cost in costs]
    columns = [
        Column("train\nFLOPs", [scaled(cost.train_flops, page) for cost in costs]),
        Column("train\ntime", [duration(cost.train_seconds, page) for cost in costs]),
        *_search(costs, page),
        Column("evaluate\ntime", [duration(cost.evaluate_seconds, page) for cost in costs]),
        Column("memory", [scaled(cost.peak_memory_bytes, page, "B") for cost in costs]),
        Column("disk", [scaled(size, page, "B") for size in kept]),
    ]
    names = [page.text(name) for name in results]
    short = shown_names(names, page.width - 1 - table_width(columns), names)
    shown = table([Column("learner", short, "left"), *columns], page.width)
    return Group(shown, *legend(names, short, page), *(Text(page.text(line), style="dim") for line in captions(costs)))


def captions(costs: Sequence[Cost]) -> tuple[str, ...]:
    """Returns what the columns mean; those of searches only if a learner has alternatives."""
    searched = any(cost.search_fits is not None for cost in costs)
    return (*CAPTION[:1], *([SEARCH] if searched else []), *CAPTION[1:])


def _search(costs: Sequence[Cost], page: Page) -> list[Column]:
    """Returns the columns about searches; none if no learner has alternatives."""
    if all(cost.search_fits is None for cost in costs):
        return []
    fits = ["" if cost.search_fits is None else f"{cost.search_fits:,}" for cost in costs]
    flops = ["" if cost.search_flops is None else scaled(cost.search_flops, page) for cost in costs]
    seconds = ["" if cost.search_seconds is None else duration(cost.search_seconds, page) for cost in costs]
    return [
        Column("search\nfits", fits, rank=1),
        Column("search\nFLOPs", flops),
        Column("search\ntime", seconds, rank=2),
    ]
