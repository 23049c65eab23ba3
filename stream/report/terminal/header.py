"""The head of the report: suite, order, backbone, settings, and whether the stream is finished."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.learner_summary import LearnerSummary, arrivals_done, summaries
from stream.report.names import packed
from stream.report.numbers import scaled
from stream.results.results import Results

MANY = 60  # tasks; the names of more tasks would push the league table off the screen
FIRST = 5  # with more tasks, only the first 5 and the last are named
SETTINGS = (
    "evaluate",
    "epochs",
    "batch_size",
    "learning_rate",
    "max_length",
    "train_examples",
    "validation_examples",
    "test_examples",
    "dtype",
    "device",
    "select",
    "scope",
    "restarts",
)


def header(results: Results, page: Page) -> RenderableType:
    """Returns the facts of the run, the tasks by arrival number, and a warning if the stream is not finished."""
    lines: list[RenderableType] = [Text.assemble(("taskstream", "bold"), page.text(f"  {title(results, page)}"))]
    lines.append(Text(page.text(backbone_line(results, page))))
    settings = settings_line(results, page)
    lines += [Text(page.text(settings))] if settings else []
    arrivals = [f"{index} {page.text(name)}" for index, name in enumerate(results.order, start=1)]
    if len(arrivals) > MANY:
        arrivals = [*arrivals[:FIRST], f"... {len(arrivals) - FIRST - 1} more ...", arrivals[-1]]
    lines += packed([Text(words, style="dim") for words in ["order:", *arrivals]], page.width, gap=2)
    warning = unfinished(summaries(results), len(results.order))
    lines += [Text(page.text(warning), style="bold yellow")] if warning else []
    return Group(*lines)


def title(results: Results, page: Page) -> str:
    tasks, learners = len(results.order), len(results)
    return page.joined(
        f"suite {results.suite or 'unnamed'}",
        f"{tasks} task{'' if tasks == 1 else 's'}",
        f"source {results.source}" if results.source else "",
        f"{learners} learner{'' if learners == 1 else 's'}",
        f"seed {results.seed}" if results.seed is not None else "",
    )


def backbone_line(results: Results, page: Page) -> str:
    backbone = results.backbone
    return page.joined(
        f"backbone {backbone.name or page.missing}",
        f"{scaled(backbone.parameters, page)} parameters",
        f"content id {backbone.id[:12]}" if backbone.id else "",
    )


def settings_line(results: Results, page: Page) -> str:
    """Returns the settings of training and of the search in one line, and how many rows the tasks have."""
    known = [(key, value) for key in SETTINGS if (value := results.settings.get(key)) is not None]
    return page.joined(*(f"{key.replace('_', ' ')} {value}" for key, value in known), *rows_of_tasks(results))


def rows_of_tasks(results: Results) -> tuple[str, ...]:
    """Returns the numbers of training and of validation rows of a task, the least and the most, as far as known."""
    tasks = results.tasks.values()
    known = {
        "training": {task.train for task in tasks if task.train is not None},
        "validation": {task.validation for task in tasks if task.validation is not None},
    }
    return tuple(
        f"{name} rows {min(rows):,}" + (f" to {max(rows):,}" if len(rows) > 1 else "")
        for name, rows in known.items()
        if rows
    )


def unfinished(learners: tuple[LearnerSummary, ...], tasks: int) -> str:
    """Returns one sentence if the stream is not finished, else an empty string."""
    done = arrivals_done(learners)
    if done >= tasks:
        return ""
    ahead = [f"{learner.name} {len(learner.rows)}" for learner in learners if len(learner.rows) > done]
    more = f" (some learners have more: {', '.join(ahead)})" if ahead else ""
    return f"unfinished: {done} of {tasks} arrivals are done{more}; metrics use the arrived tasks only"
