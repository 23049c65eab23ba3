"""`taskstream show`: one task, learner or metric in full."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from stream.commands.show_task import task_document, task_view
from stream.report import make_console
from tasks.errors import unknown_name


def show(what: str, name: str, display: str) -> None:
    document = {"task": task_document, "learner": _learner, "metric": _metric}[what](name)
    if display == "json":
        print(json.dumps(document))
    elif display != "none" and what == "task":
        make_console(display).print(task_view(document))
    elif display != "none":
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for key, value in document.items():
            table.add_row(key.replace("_", " "), Text(_lines(value)))  # Text: a default in [] is no markup
        make_console(display).print(table)


def _learner(name: str) -> dict[str, Any]:
    from learners.family import TRAINING_OPTIONS, families, parse_learner

    learner = parse_learner(name)
    family = families()[learner.family]
    return {
        "learner": learner.name,
        "title": family.title,
        "summary": family.summary,
        "citation": family.citation,
        "sharing": learner.sharing,
        "tunes": {name: value for name, value in asdict(learner.tuned).items() if value not in (False, 0, "none")},
        "modifications": [
            {"site": m.site, "insertion": m.insertion, "reads": m.reads or m.site, "form": repr(m.form),
             "composition": "h + Δh" if m.scale == 1 else f"h + {m.scale:g} Δh",
             "shared across layers": ", ".join(m.shared) or "nothing"}
            for m in learner.modifications
        ],
        "training": asdict(learner.training),
        "options": {o.name: f"{o.help} [{o.default}]" for o in family.options},
        "training_options": {o.name: o.help for o in TRAINING_OPTIONS},
        "examples": list(family.examples),
    }  # fmt: skip


def _metric(name: str) -> dict[str, Any]:
    from stream.metrics import describe, metric, metrics
    from stream.scores import TASK_METRICS

    if name in TASK_METRICS:
        return describe(TASK_METRICS[name])
    if name not in metrics():
        raise unknown_name("metric", name, (*metrics(), *TASK_METRICS))
    return describe(metric(name))


def _lines(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_lines(entry)}" for key, entry in value.items() if entry not in (None, (), ""))
    if isinstance(value, list | tuple):
        return "\n".join(_lines(entry) for entry in value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
