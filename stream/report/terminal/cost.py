"""What each learner has cost so far: FLOPs, seconds, memory, bytes on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.names import legend, short_names
from stream.report.numbers import duration, number, scaled
from stream.report.terminal.grid import Column, table, table_width

CAPTION = (
    "FLOPs: matrix products of all training steps, padding included, a multiply-add counts as two.",
    "time: wall clock, summed over fits, and over every evaluation of a past task.",
    "memory: highest resident memory of the fitting process, libraries and backbone included.",
    "disk: Deltas that must be kept, the backbone not included.",
)


def cost_table(results: Mapping[str, Any], page: Page) -> RenderableType:
    """One line a learner, in the order of the results."""
    costs: dict[str, Mapping[str, Any]] = {name: record["cost"] for name, record in results["learners"].items()}
    kept = [
        sum(sizes.values()) if (sizes := {k: number(v) or 0.0 for k, v in cost["bytes_per_task"].items()}) else None
        for cost in costs.values()
    ]
    columns = [
        Column("train\nFLOPs", [scaled(number(cost.get("train_flops")), page) for cost in costs.values()]),
        Column("train\ntime", [duration(number(cost.get("train_seconds")), page) for cost in costs.values()]),
        Column("evaluate\ntime", [duration(number(cost.get("evaluate_seconds")), page) for cost in costs.values()]),
        Column("memory", [scaled(number(cost.get("peak_memory_bytes")), page, "B") for cost in costs.values()]),
        Column("disk", [scaled(size, page, "B") for size in kept]),
    ]
    names = [page.text(name) for name in costs]
    short = short_names(names, page.width - 1 - table_width(columns))
    shown = table([Column("learner", short, "left"), *columns], page.width)
    return Group(shown, *legend(names, short, page), *(Text(page.text(line), style="dim") for line in CAPTION))
