"""`taskstream cost`: the parameter counts of learners, from the backbone's config alone."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from stream.api.cost import cost as account
from stream.report import make_console
from stream.results.growth import CostDocument


def cost(backbone: str, suite: str, learners: str, plugins: Sequence[str], display: str) -> None:
    """Print the parameter counts.

    Raises:
        InputError: Unknown names, or a learner that does not fit this backbone.
    """
    document = account(backbone=backbone, suite=suite, learners=learners, plugins=plugins)
    if display == "json":
        print(json.dumps(document))
    elif display != "none":
        make_console(display).print(cost_table(document))


def cost_table(document: CostDocument) -> Table:
    """The counts as a table: growth over the stream, and the share of one task in the model and in the encoder."""
    backbone, tasks = document["backbone"], document["tasks"]
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=f"{backbone['name']}: {backbone['parameters']:,} parameters, {backbone['encoder_parameters']:,} of them "
        f"in the encoder layers; after {tasks} {'task' if tasks == 1 else 'tasks'}",
        caption="growth: parameters after all N tasks, in multiples of the backbone (N if each task has a copy; "
        "1 + N p if each task adds the share p); total: the same in millions. Only the last column counts heads.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("learner", overflow="fold")
    for heading in ("per task", "% model", "% encoder", "total", "growth", "+ heads"):
        table.add_column(heading, justify="right", no_wrap=True)
    for specification, row in document["learners"].items():
        table.add_row(
            Text(specification),  # not markup: specifications of peft have brackets
            f"{row['parameters_per_task']:,}",
            f"{100 * row['share_of_model']:.3f}",
            f"{100 * row['share_of_encoder']:.3f}",
            f"{row['growth_without_heads'] * backbone['parameters'] / 1e6:,.1f}M",
            f"{row['growth_without_heads']:.3f}x",
            f"{row['growth']:.3f}x",
        )
    return table
