"""`taskstream show`: print one task, learner or metric in full."""

from __future__ import annotations

import json

from rich.table import Table
from rich.text import Text

from stream.cli.show_learner import learner_document
from stream.cli.show_task import described_task, task_view
from stream.report import make_console
from tasks.errors import unknown_name


def show(what: str, name: str, display: str, backbone: str = "embedded") -> None:
    """Print what is known about one name.

    Args:
        what: task, learner, metric or protocol.
        backbone: Backbone on which to count the parameters of a learner.

    Raises:
        InputError: Unknown name, or a learner that does not fit this backbone.
    """
    if what == "task":
        task = described_task(name)
        if display == "json":
            print(json.dumps(task.as_dict()))
        elif display != "none":
            make_console(display).print(task_view(task))
        return
    if what == "protocol":
        _show_protocol(name, display)
        return
    document = learner_document(name, backbone) if what == "learner" else _metric(name)
    if display == "json":
        print(json.dumps(document))
    elif display != "none":
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for key, value in document.items():
            table.add_row(key.replace("_", " "), Text(_lines(value)))  # Text, because [] around a default is not markup
        make_console(display).print(table)


def _show_protocol(name: str, display: str) -> None:
    """Print the file of a protocol with its comments, and what it costs."""
    from stream.config.protocol import read_protocol
    from stream.engine.protocol_cost import protocol_cost
    from stream.study.settings import resolve_study

    protocol = read_protocol(name, "show protocol")
    settings, _, grid = resolve_study({"protocol": name})
    cost = protocol_cost(settings, len(grid.seeds))
    if display == "json":
        about = {"name": name, "title": protocol.title, "source": protocol.source, "differs": list(protocol.differs)}
        print(json.dumps({**about, "settings": dict(protocol.settings), "cost": cost.as_dict()}))
    elif display != "none":
        print(protocol.text.rstrip())
        print()
        for line in cost.lines[: 1 + len(cost.learners)]:
            print(f"# {line}")


def _metric(name: str) -> dict[str, object]:
    from stream.results.metrics import describe, metric, metrics
    from tasks.metrics import TASK_METRICS

    if name in TASK_METRICS:
        return describe(TASK_METRICS[name])
    if name not in metrics():
        raise unknown_name("metric", name, (*metrics(), *TASK_METRICS))
    return describe(metric(name))


def _lines(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_one_line(entry)}" for key, entry in value.items() if entry not in (None, (), ""))
    if isinstance(value, list | tuple):
        return "\n".join(_lines(entry) for entry in value)
    if isinstance(value, bool):
        return "yes" if value else "no"  # as in specifications
    return f"{value:,}" if isinstance(value, int) else str(value)


def _one_line(value: object) -> str:
    """Writes an entry of a table in one line: numbers [least, most] as a range, other lists with `/` between them."""
    if not isinstance(value, list | tuple) or not value or isinstance(value[0], dict | list | tuple):
        return _lines(value)
    numbers = all(isinstance(entry, int | float) and not isinstance(entry, bool) for entry in value)
    return (" to " if numbers else " / ").join(map(_lines, value))
