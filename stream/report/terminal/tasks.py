"""The task table: kind, metric and the scores of all learners, one line per task."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.learner_summary import LearnerSummary, summaries
from stream.report.names import legend, numbered, short_names, shown_names
from stream.report.numbers import mean, points, scaled
from stream.report.terminal.grid import Column, table, table_width
from stream.results.results import Results, TaskInfo

METRICS = {"accuracy": "acc", "f1": "F1", "matthews": "MCC", "spearman": "rho"}
SCORE_WIDTH = 6  # "-100.0"; also the least width of a shortened learner name
TASK_WIDTH = 12  # cells; a reader no longer recognises shorter names of tasks
# all-MiniLM-L6-v2 was trained on these data, as its model card says: its scores there are not scores of unseen tasks.
MINILM_SAW = ("mnli_m", "mnli_mm", "qqp", "snli")


def task_table(results: Results, page: Page) -> RenderableType:
    """Returns the table, with tasks in order of arrival. The learner `majority`, if it ran, comes first.

    Learners that do not fit one table get more tables below it.
    """
    order = results.order
    learners = sorted(summaries(results), key=lambda learner: not learner.name.startswith("majority"))
    names = [page.text(learner.name) for learner in learners]
    arrived = max((len(learner.rows) for learner in learners), default=0)
    descriptions = described(infos(results), arrived, page)
    tasks = [*numbered([page.text(task) for task in order]), "mean"]
    room = page.width - TASK_WIDTH - 1 - table_width([column for column in descriptions if not column.rank]) - 1
    per_table = max(1, (room + 1) // (SCORE_WIDTH + 1))
    chunks = -(-len(learners) // per_table) or 1
    per_table = -(-len(learners) // chunks)
    widest = max(SCORE_WIDTH, min(15, (room + 1) // max(per_table, 1) - 1))
    short = shown_names(names, widest, [page.text(name) for name in results])
    parts: list[RenderableType] = []
    for start in range(0, len(learners), max(per_table, 1)):
        shown = slice(start, start + per_table)
        scores = [
            score_column(learner, title, page) for learner, title in zip(learners[shown], short[shown], strict=True)
        ]
        columns = room_for([*descriptions, *scores], max(map(cell_len, tasks)), page)
        leader = Column("task", short_names(tasks, page.width - 1 - table_width(columns)), "left")
        parts += [table([leader, *columns], page.width), Text()]
    return Group(*parts[:-1], *legend(names, short, page), Text(caption(results, page), style="dim"))


def infos(results: Results) -> list[TaskInfo]:
    """Returns the facts about each task, in order of arrival."""
    return [results.tasks.get(task, TaskInfo()) for task in results.order]


def described(tasks: Sequence[TaskInfo], arrived: int, page: Page) -> list[Column]:
    """Returns columns about the tasks: metric, ceiling if one has it; if they fit, training rows, kind and test rows.

    The last row holds means over the arrived tasks.
    """
    metrics = [METRICS.get(task.metric, page.text(task.metric or page.missing)[:8]) for task in tasks]
    kinds = [page.text(task.kind or page.missing)[:10] for task in tasks]
    trained = [scaled(task.train, page) for task in tasks]
    tests = [scaled(task.test, page) for task in tasks]
    ceilings = [task.ceiling for task in tasks]
    known = any(ceiling is not None for ceiling in ceilings)
    best = [points(ceiling, page) for ceiling in [*ceilings, mean(ceilings[:arrived])]]
    return [
        Column("metric", [*metrics, ""], "left"),
        *([Column("ceiling", best)] if known else []),
        Column("rows", [*trained, ""], rank=1),
        Column("kind", [*kinds, ""], "left", rank=2),
        Column("test n", [*tests, ""], rank=3),
    ]


def score_column(learner: LearnerSummary, title: str, page: Page) -> Column:
    """Returns the scores of the arrived tasks after the last arrival, and their mean."""
    arrived = len(learner.rows)
    scores = [score if index < arrived else None for index, score in enumerate(learner.now)]
    return Column(title, [points(score, page) for score in [*scores, mean(scores)]])


def room_for(columns: list[Column], task_width: int, page: Page) -> list[Column]:
    """Drops test rows, kind and training rows before it would have to cut names of tasks."""
    while table_width(columns) + 1 + task_width > page.width and any(column.rank for column in columns):
        columns.remove(max(columns, key=lambda column: column.rank))
    return columns


def caption(results: Results, page: Page) -> str:
    words = (
        "Scores after the last arrival, in each task's own metric (accuracy, F1, Matthews or Spearman correlation), "
        f"points (x100); {page.missing} not evaluated or failed, not in the mean. rows: for training; test n: "
        "rows for testing."
    )
    if any(task.ceiling is not None for task in infos(results)):
        words += " ceiling: best expected score under the label noise of a simulated task."
    seen = [task for task in results.order if task in MINILM_SAW]
    if "minilm" in results.backbone.name.lower() and seen:
        words += f" The authors of this backbone trained it on {', '.join(seen)}."
    return page.text(words)
