"""What was run: suite, order, backbone, settings, and whether the stream came to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from stream.report.console import Page
from stream.report.learner_summary import Standing, arrivals_done, standings
from stream.report.names import packed
from stream.report.numbers import number, scaled

MANY = 60  # tasks; the names of more would push the league table off the screen
FIRST = 5  # of which so many are named, and the last
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
)


def header(results: Mapping[str, Any], page: Page) -> RenderableType:
    """The head of the report: facts of the run, the tasks by arrival number, and a warning if unfinished."""
    lines: list[RenderableType] = [Text.assemble(("taskstream", "bold"), page.text(f"  {title(results, page)}"))]
    lines.append(Text(page.text(backbone_line(results, page))))
    settings = settings_line(results, page)
    lines += [Text(page.text(settings))] if settings else []
    arrivals = [f"{index} {page.text(name)}" for index, name in enumerate(results["order"], start=1)]
    if len(arrivals) > MANY:
        arrivals = [*arrivals[:FIRST], f"... {len(arrivals) - FIRST - 1} more ...", arrivals[-1]]
    lines += packed([Text(words, style="dim") for words in ["order:", *arrivals]], page.width, gap=2)
    warning = unfinished(standings(results), len(results["order"]))
    lines += [Text(page.text(warning), style="bold yellow")] if warning else []
    return Group(*lines)


def title(results: Mapping[str, Any], page: Page) -> str:
    tasks, learners = len(results["order"]), len(results["learners"])
    source = results.get("source")
    return page.joined(
        f"suite {results.get('suite') or 'unnamed'}",
        f"{tasks} task{'' if tasks == 1 else 's'}",
        f"source {source}" if source else "",
        f"{learners} learner{'' if learners == 1 else 's'}",
        f"seed {results['seed']}" if results.get("seed") is not None else "",
    )


def backbone_line(results: Mapping[str, Any], page: Page) -> str:
    backbone: Mapping[str, Any] = results.get("backbone") or {}
    content_id = str(backbone.get("id") or "")[:12]
    return page.joined(
        f"backbone {backbone.get('name') or page.missing}",
        f"{scaled(number(backbone.get('parameters')), page)} parameters",
        f"content id {content_id}" if content_id else "",
    )


def settings_line(results: Mapping[str, Any], page: Page) -> str:
    """The training settings that the results carry, at their top or under `settings`."""
    settings = {**(results.get("settings") or {}), **{key: results[key] for key in SETTINGS if key in results}}
    known = [(key, settings[key]) for key in SETTINGS if settings.get(key) is not None]
    return page.joined(*(f"{key.replace('_', ' ')} {value}" for key, value in known))


def unfinished(learners: tuple[Standing, ...], tasks: int) -> str:
    """One sentence if the stream was interrupted, else nothing."""
    done = arrivals_done(learners)
    if done >= tasks:
        return ""
    ahead = [f"{learner.name} {len(learner.rows)}" for learner in learners if len(learner.rows) > done]
    further = f" (further: {', '.join(ahead)})" if ahead else ""
    return f"unfinished: {done} of {tasks} arrivals are done{further}; metrics are over the arrived tasks"
