"""`taskstream show task`: the real task and its simulated twin side by side, with examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tasks.houlsby26 import DATA_FACTS
from tasks.lm15 import LM15_FACTS
from tasks.sources.simulated.registry import find_twin, twins
from tasks.sources.simulated.source import SimulatedSource
from tasks.sources.simulated.twin import Example, Twin, examples
from tasks.suite import TASKS
from tasks.task import Task

MEASURED = (300, 30_000)  # maximum number of examples, and of characters, used to measure the mean length
EXAMPLES = 6
LONGEST = 400  # number of characters of an example's text that are printed
ROWS = ("kind", "metric", "classes", "majority share", "train", "validation", "test", "mean characters", "best score",
        "clarity", "mechanism", "difficulty")  # fmt: skip

LM15_SOURCE = "arXiv 2301.12314 and 2310.14152, a sample of the benchmark that O-LoRA released"

Facts = Mapping[str, str | float | None]  # by name; no task has all of them


@dataclass(frozen=True)
class DescribedTask:
    """What is known about a task: its row in the table, the real data, the simulated task with examples.

    Attributes:
        name, title: Name of the task, and its title for readers.
        row: Fields of the task as `tasks.suite.TASKS` has them.
        real: Facts of the real data. None if the task has no real data.
        simulated: Facts of the simulated task. None if there is none.
        examples: Examples of the simulated task: `text`, `text_b` for pairs, `label`, and `meaning`, the label without
            noise.
        source: Source of the real data.
    """

    name: str
    title: str
    row: Mapping[str, object]
    real: Facts | None
    simulated: Facts | None
    examples: tuple[Facts, ...]
    source: str

    def as_dict(self) -> dict[str, object]:
        """The document of `taskstream show task NAME --display json`."""
        simulated = {} if self.simulated is None else {"simulated": self.simulated, "examples": list(self.examples)}
        return {**self.row, **({} if self.real is None else {"real": self.real}), **simulated}


def described_task(name: str) -> DescribedTask:
    """What is known about the task `name`.

    Raises:
        InputError: Unknown task.
    """
    known = TASKS.get(name)
    twin = find_twin(name) if known is None else twins().get(name)
    task = known or find_twin(name).task
    row: dict[str, object] = {"name": name, "title": task.title, "kind": task.kind, "metric": task.metric}
    if name in TASKS:
        row = {key: value for key, value in asdict(task).items() if value not in (None, (), "")}
    rows = [] if twin is None else _first(twin)
    return DescribedTask(
        name=name,
        title=task.title,
        row=row,
        real=_real(task) if name in TASKS else None,
        simulated=None if twin is None else _simulated(twin, rows),
        examples=() if twin is None else tuple(_example(twin, row) for row in rows[:EXAMPLES]),
        source=task.paper.source if task.paper else LM15_SOURCE if name in LM15_FACTS else "",
    )


def _real(task: Task) -> Facts:
    paper = task.paper
    if paper is None:
        sample = LM15_FACTS[task.name]
        return {"kind": task.kind, "metric": task.metric, "classes": task.classes, "majority share": sample.majority,
                "mean characters": sample.mean_characters}  # fmt: skip
    data = DATA_FACTS[task.name]
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


def _simulated(twin: Twin, rows: list[Example]) -> Facts:
    mechanism, task = twin.mechanism, twin.task
    summary = (type(mechanism).__doc__ or "").strip().partition("\n")[0]
    return {
        "kind": task.kind,
        "metric": task.metric,
        "classes": len(mechanism.shares) or None,
        "majority share": 100 * max(mechanism.shares) if mechanism.shares else None,
        "train": SimulatedSource().rows(twin, "train"),
        "validation": twin.test,
        "test": twin.test,
        "mean characters": round(sum(map(_length, rows)) / len(rows)),
        "ceiling": twin.ceiling,
        "clarity": twin.clarity,
        "mechanism": f"{type(mechanism).__name__}: {summary}",
        "difficulty": f"{mechanism.difficulty:g}: {mechanism.hard_by}",
    }


def _example(twin: Twin, row: Example) -> Facts:
    def named(target: float) -> str | float:
        labels = twin.mechanism.labels
        return labels[int(target)] if labels else float(target)

    second = {} if row.text_b is None else {"text_b": row.text_b}
    return {"text": row.text, **second, "label": named(row.target), "meaning": named(row.clean)}


def task_view(task: DescribedTask) -> RenderableType:
    """A task for the terminal. An example with a noisy label also shows the class of its meaning."""
    sides = {"real": task.real, "simulated": task.simulated}
    columns = {title: facts for title, facts in sides.items() if facts is not None}
    facts = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, title_justify="left")
    facts.add_column("")
    for side in columns:
        facts.add_column(side, overflow="fold")
    for row in ROWS:
        cells = [_cell(row, side) for side in columns.values()]
        if any(cells):
            facts.add_row(Text(row, style="bold"), *map(Text, cells))
    parts: list[RenderableType] = [Text.assemble((task.name, "bold"), f"  {task.title}"), facts]
    if task.real is not None:
        parts.append(Text(f"real: {task.source}; majority share and mean length are measured on its data", style="dim"))
    if task.simulated is not None:
        parts.append(Text("simulated: sizes by default; mean length is measured on its first examples", style="dim"))
    for number, example in enumerate(task.examples, start=1):
        label = f"label {example['label']}" + (
            "" if example["label"] == example["meaning"] else f" (noise: means {example['meaning']})"
        )
        parts += [Text(), Text(f"example {number}, {label}", style="bold")]
        parts += [Text(_short(str(example[column]))) for column in ("text", "text_b") if column in example]
    return Group(*parts)


def _cell(row: str, facts: Facts) -> str:
    value = facts.get(row)
    if row == "best score" and "ceiling" in facts:
        return f"{facts['ceiling']:.1f} % (ceiling)"
    if value is None:
        return ""
    if row == "best score":
        return f"{value:.1f} % ({facts['best method']})"
    if row == "majority share":
        return f"{value:.1f} %"
    if row == "clarity":
        return f"{value:.3f} of the labels follow from the meaning"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rstrip() + " ..."
