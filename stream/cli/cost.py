"""`taskstream cost`: the parameter account from a config alone."""

from __future__ import annotations

import json

from rich import box
from rich.table import Table
from rich.text import Text

from learners.backbones.architecture import Architecture, architecture_from_config
from learners.backbones.locate import pooling_of
from learners.backbones.published import known_architecture
from learners.specification.family import parse_learners
from stream.report import make_console
from stream.results.growth import CostDocument, account
from tasks.documents import read_object
from tasks.paths import user_path
from tasks.sources.simulated.fresh import draw_names, fresh_task
from tasks.suite import TASKS, resolve_suite


def cost(backbone: str, suite: str, learners: str, display: str) -> None:
    _, names = resolve_suite(suite, draw=draw_names)
    outputs = {name: (TASKS[name] if name in TASKS else fresh_task(name).task).outputs for name in names}
    document = account(backbone, named_architecture(backbone), parse_learners(learners), outputs)
    if display == "json":
        print(json.dumps(document))
    elif display != "none":
        make_console(display).print(cost_table(document))


def cost_table(document: CostDocument) -> Table:
    """The account as a table: growth over the stream, and each task's share under both denominators."""
    backbone, tasks = document["backbone"], document["tasks"]
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=f"{backbone['name']}: {backbone['parameters']:,} parameters, {backbone['encoder_parameters']:,} of them "
        f"in the encoder layers; after {tasks} {'task' if tasks == 1 else 'tasks'}",
        caption="growth: parameters after all tasks, in multiples of the backbone (copies: N x; else 1 + N p); total: "
        "the same in millions. Heads are left out of all columns but the last.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("learner", overflow="fold")
    for heading in ("a task", "% model", "% encoder", "total", "growth", "+ heads"):
        table.add_column(heading, justify="right", no_wrap=True)
    for specification, row in document["learners"].items():
        table.add_row(
            Text(specification),  # no markup: that of peft has brackets
            f"{row['parameters_per_task']:,}",
            f"{100 * row['share_of_model']:.3f}",
            f"{100 * row['share_of_encoder']:.3f}",
            f"{row['growth_without_heads'] * backbone['parameters'] / 1e6:,.1f}M",
            f"{row['growth_without_heads']:.3f}x",
            f"{row['growth']:.3f}x",
        )
    return table


def named_architecture(backbone: str) -> Architecture:
    """The architecture of a folder or of a well-known name, with no weights read."""
    file = user_path(backbone, where="--backbone") / "config.json"
    if not file.is_file():
        return known_architecture(backbone)
    config = read_object(file, what="damaged config")
    pooler = False if pooling_of(file.parent) == "mean" else None
    return architecture_from_config(config, pooler=pooler, where=str(file))
