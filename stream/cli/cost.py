"""`taskstream cost`: the parameter counts of learners, from the backbone's config alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from stream.api.cost import cost as account
from stream.report import make_console
from stream.results.growth import CostDocument, Figure


def cost(backbone: str, suite: str, learners: str, chosen: str | None, plugins: Sequence[str], display: str) -> None:
    """Print the parameter counts.

    Args:
        chosen: The alternative of each task, as TASK=VALUE,...; None: ranges.

    Raises:
        InputError: Unknown names, a learner that does not fit this backbone, or a choice that is none.
    """
    document = account(backbone=backbone, suite=suite, learners=learners, chosen=chosen, plugins=plugins)
    if display == "json":
        print(json.dumps(document))
    elif display != "none":
        make_console(display).print(cost_table(document))


def cost_table(document: CostDocument) -> Table:
    """The counts as a table: growth over the stream, and the share of one task in the model and in the encoder.

    A learner with alternatives has two lines: the least and the most.
    """
    backbone, tasks = document["backbone"], document["tasks"]
    rows = document["learners"]
    caption = (
        "growth: parameters after all N tasks, in multiples of the backbone (N if each task has a copy; "
        "1 + N p if each task adds the share p); total: the same in millions. Only the last column counts heads."
    )
    if any(isinstance(row["growth"], list) for row in rows.values()):
        caption += " Two lines: the least and the most that the alternatives can give; --chosen gives one number."
    if any("chosen" in row for row in rows.values()):
        caption += " With --chosen: per task, % model and % encoder are means over the tasks."
    caption += "".join(
        f" {specification}: {backbone['name']} does not allow {', '.join(left)}."
        for specification, row in rows.items()
        if (left := row.get("left_out"))
    )
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=f"{backbone['name']}: {backbone['parameters']:,} parameters, {backbone['encoder_parameters']:,} of them "
        f"in the encoder layers; after {tasks} {'task' if tasks == 1 else 'tasks'}",
        caption=caption,
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("learner", overflow="fold")
    for heading in ("per task", "% model", "% encoder", "total", "growth", "+ heads"):
        table.add_column(heading, justify="right", no_wrap=True)
    for specification, row in rows.items():
        table.add_row(
            Text(specification),  # not markup: specifications of peft have brackets
            _lines(row["parameters_per_task"], lambda count: f"{round(count):,}"),
            _lines(row["share_of_model"], lambda share: f"{100 * share:.3f}"),
            _lines(row["share_of_encoder"], lambda share: f"{100 * share:.3f}"),
            _lines(row["growth_without_heads"], lambda times: f"{times * backbone['parameters'] / 1e6:,.1f}M"),
            _lines(row["growth_without_heads"], lambda times: f"{times:.3f}x"),
            _lines(row["growth"], lambda times: f"{times:.3f}x"),
        )
    return table


def _lines(figure: Figure, form: Callable[[float], str]) -> str:
    """A number, or the least and the most on two lines if they differ."""
    return "\n".join(dict.fromkeys(map(form, figure))) if isinstance(figure, list) else form(figure)
