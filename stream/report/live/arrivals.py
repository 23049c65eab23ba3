"""The table of arrivals in the live view: one more line per finished arrival."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from stream.report.console import Page
from stream.report.live.state import RunState, entries
from stream.report.names import cut, legend, packed, shown_names
from stream.report.numbers import count, duration, points, scaled
from stream.results.reading import number

SCORE_WIDTH = 6  # "-100.0"
TASK_WIDTH = (12, 24)  # smallest and largest width of a task's name, in cells
TIME_WIDTH = 7  # "59m59s" and a blank


@dataclass(frozen=True)
class ArrivalTable:
    """The layout of the arrival lines. It is fixed when the first arrival is finished.

    Attributes:
        tasks: Number of tasks.
        learners, names: The shown learners, and their names in the heading.
        task_width, score_width: Widths of columns, in cells.
        has_time: Whether there is a column for the time.
        hidden: Number of learners that do not fit.
    """

    page: Page
    tasks: int
    learners: tuple[str, ...]
    names: tuple[str, ...]
    task_width: int
    score_width: int
    has_time: bool
    hidden: int

    def heading(self) -> Text:
        titles = "".join(f" {pad(name, self.score_width, right=True)}" for name in self.names)
        more = f" (+{self.hidden})" if self.hidden else ""
        time_title = f"{'time':>{TIME_WIDTH}}" if self.has_time else ""
        number_width = 2 * len(str(self.tasks)) + 1
        return Text(f"{'#':>{number_width}} {pad('task', self.task_width)}{titles}{time_title}{more}", style="bold")

    def line(self, arrival: int, task: str, state: RunState, seconds: float | None) -> Text:
        """Returns the line of one arrival: number, task, each learner's score right after learning it, and seconds."""
        digits = len(str(self.tasks))
        learners = [state.learners[name] for name in self.learners]
        scores = [
            "failed" if arrival in learner.failed else points(learner.learned.get(arrival), self.page)
            for learner in learners
        ]
        cells = "".join(f" {score:>{self.score_width}}" for score in scores)
        took = f"{duration(seconds, self.page):>{TIME_WIDTH}}" if self.has_time else ""
        return Text(f"{arrival:>{digits}}/{self.tasks} {pad(self.page.text(task), self.task_width)}{cells}{took}")

    def head(self) -> list[Text]:
        """Returns the explanation of shortened names, a note about the scores, and the heading."""
        note = Text("score of each task right after it was learned, points (x100)", style="dim")
        names = [self.page.text(name) for name in self.learners]
        return [*legend(names, self.names, self.page), note, self.heading()]


def arrival_table(state: RunState, page: Page) -> ArrivalTable:
    """Returns the widest layout that keeps each arrival on one line."""
    tasks = len(state.order)
    learners = list(state.learners)
    longest = max((cell_len(page.text(task)) for task in state.order), default=TASK_WIDTH[0])
    room = page.width - 2 * len(str(tasks)) - 2
    task_width = min(max(longest, 4), TASK_WIDTH[1], max(room - len(learners) * (SCORE_WIDTH + 1), TASK_WIDTH[0]))
    room -= task_width
    fit = max(0, min(len(learners), room // (SCORE_WIDTH + 1)))
    while 0 < fit < len(learners) and room - fit * (SCORE_WIDTH + 1) < len(f" (+{len(learners) - fit})"):
        fit -= 1
    names = [page.text(name) for name in learners[:fit]]
    has_time = fit == len(learners) and room - fit * (SCORE_WIDTH + 1) >= TIME_WIDTH
    room -= TIME_WIDTH if has_time else 0
    room -= len(f" (+{len(learners) - fit})") if fit < len(learners) else 0
    longest_name = max((cell_len(name) for name in names), default=SCORE_WIDTH)
    score_width = max(SCORE_WIDTH, min(longest_name, room // fit - 1 if fit else SCORE_WIDTH, 15))
    short = shown_names(names, score_width, [page.text(name) for name in learners])
    return ArrivalTable(
        page, tasks, tuple(learners[:fit]), short, task_width, score_width, has_time, len(learners) - fit
    )


def introduction(state: RunState, page: Page) -> list[Text]:
    """Returns the first lines of a run: suite, learners, backbone, seed, jobs and folder."""
    run = state.run
    backbone = entries(run.get("backbone"))
    cached = number(run.get("cached"))
    facts = [
        f"{run.get('suite') or 'stream'}: {count(len(state.order), 'task')}, {count(len(state.learners), 'learner')}",
        f"backbone {backbone.get('name') or page.missing}",
        f"{scaled(number(backbone.get('parameters')), page)} parameters",
        f"seed {run['seed']}" if run.get("seed") is not None else "",
        f"{state.jobs} jobs{f', {cached:.0f} of them in the store' if cached else ''}"
        if state.jobs is not None
        else "",
        f"to {run['out']}" if run.get("out") else "",
    ]
    shown = [Text("taskstream", style="bold"), *(Text(page.text(fact)) for fact in facts if fact)]
    return packed(shown, page.width, gap=2)


def pad(name: str, width: int, *, right: bool = False) -> str:
    """Cuts `name` to `width` cells, or fills it up with blanks; `right` aligns it right."""
    name = cut(name, width)
    blanks = " " * (width - cell_len(name))
    return blanks + name if right else name + blanks
