"""`taskstream show task`: the real task and its simulated twin side by side, with examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tasks.houlsby26 import DATA_FACTS
from tasks.sources.simulated.fresh import is_fresh
from tasks.sources.simulated.registry import find_twin, twins
from tasks.sources.simulated.twin import Example, Twin, examples
from tasks.suite import TASKS
from tasks.task import Task

MEASURED = (300, 30_000)  # at most so many examples, and characters, that the mean length is taken over
EXAMPLES = 6
LONGEST = 400  # characters of an example's text that are printed
ROWS = ("kind", "metric", "classes", "majority share", "train", "validation", "test", "mean characters", "best score",
        "clarity", "mechanism")  # fmt: skip


def task_document(name: str) -> dict[str, Any]:
    """What is known of a task: the table's row, facts of the real data, facts and examples of the simulated task.

    Raises:
        InputError: No such task.
    """
    twin = find_twin(name) if is_fresh(name) or name not in TASKS else twins().get(name)
    document: dict[str, Any] = {}
    if name in TASKS:
        document |= {key: value for key, value in asdict(TASKS[name]).items() if value not in (None, (), "")}
        document["real"] = _real(TASKS[name])
    elif twin is not None:
        document |= {"name": name, "title": twin.task.title, "kind": twin.task.kind, "metric": twin.task.metric}
    if twin is not None:
        rows = _first(twin)
        document["simulated"] = _simulated(twin, rows)
        document["examples"] = [_example(twin, row) for row in rows[:EXAMPLES]]
    return document


def _real(task: Task) -> dict[str, Any]:
    paper, data = task.paper, DATA_FACTS[task.name]
    assert paper is not None  # every row of the table has them
    method, best = paper.best
    return {
        "kind": task.kind,
        "metric": task.metric,
        "classes": paper.classes,
        "majority share": data.majority,
        "train": paper.train,
        "validation": paper.validation,
        "test": paper.test,
        "mean characters": data.mean_characters,
        "best score": best,
        "best method": method,
    }


def _first(twin: Twin) -> list[Example]:
    rows: list[Example] = []
    characters = 0
    for row in examples(twin, 0, "train", MEASURED[0]):
        rows.append(row)
        characters += _length(row)
        if characters > MEASURED[1] and len(rows) >= EXAMPLES:
            break
    return rows


def _length(row: Example) -> int:
    return len(row.text) + len(row.text_b or "")


def _simulated(twin: Twin, rows: list[Example]) -> dict[str, Any]:
    mechanism, task = twin.mechanism, twin.task
    summary = (type(mechanism).__doc__ or "").strip().partition("\n")[0]
    return {
        "kind": task.kind,
        "metric": task.metric,
        "classes": len(mechanism.shares) or None,
        "majority share": 100 * max(mechanism.shares) if mechanism.shares else None,
        "train": twin.train,
        "validation": twin.test,
        "test": twin.test,
        "mean characters": round(sum(map(_length, rows)) / len(rows)),
        "ceiling": twin.ceiling,
        "clarity": twin.clarity,
        "mechanism": f"{type(mechanism).__name__}: {summary}",
    }


def _example(twin: Twin, row: Example) -> dict[str, Any]:
    def named(target: float) -> str | float:
        labels = twin.mechanism.labels
        return labels[int(target)] if labels else float(target)

    second = {} if row.text_b is None else {"text_b": row.text_b}
    return {"text": row.text, **second, "label": named(row.target), "meaning": named(row.clean)}


def task_view(document: Mapping[str, Any]) -> RenderableType:
    """The document for the terminal; of an example whose label is noise, the class that its meaning has."""
    columns = [side for side in ("real", "simulated") if side in document]
    facts = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, title_justify="left")
    facts.add_column("")
    for side in columns:
        facts.add_column(side, overflow="fold")
    for row in ROWS:
        cells = [_cell(row, document[side]) for side in columns]
        if any(cells):
            facts.add_row(Text(row, style="bold"), *map(Text, cells))
    parts: list[RenderableType] = [Text.assemble((document["name"], "bold"), f"  {document['title']}"), facts]
    if "paper" in document:
        parts.append(Text(f"real: {document['paper']['source']}; share and length measured on its data", style="dim"))
    if "simulated" in document:
        parts.append(Text("simulated: sizes at scale 1, length measured on its first examples", style="dim"))
    for number, row in enumerate(document.get("examples", ()), start=1):
        label = f"label {row['label']}" + (
            "" if row["label"] == row["meaning"] else f" (noise: means {row['meaning']})"
        )
        parts += [Text(), Text(f"example {number}, {label}", style="bold")]
        parts += [Text(_short(row[column])) for column in ("text", "text_b") if column in row]
    return Group(*parts)


def _cell(row: str, facts: Mapping[str, Any]) -> str:
    value = facts.get(row)
    if row == "best score":
        return (
            f"{facts['ceiling']:.1f} % (ceiling)" if "ceiling" in facts else f"{value:.1f} % ({facts['best method']})"
        )
    if value is None:
        return ""
    if row == "majority share":
        return f"{value:.1f} %"
    if row == "clarity":
        return f"{value:.3f} of the labels follow from the meaning"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rstrip() + " ..."
