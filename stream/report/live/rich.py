"""Shows a run on a terminal. Finished arrivals scroll up; the live part below them shows the running jobs."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from types import TracebackType
from typing import Any, Self, cast

from rich.console import Console, Group, RenderableType
from rich.file_proxy import FileProxy
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from stream.report.console import LEARNER_COLOURS, Page, page_of
from stream.report.live.lines import PermanentLines
from stream.report.live.state import Event, LearnerState, RunningJob, RunState
from stream.report.names import cut, shown_names
from stream.report.numbers import duration, growth, points, scaled
from stream.report.terminal.grid import Column, table

REFRESH_PER_SECOND = 4  # more would flicker and take processor time from training


class OneAtATime:
    """A console for several threads, with the part of the interface of `Console` that `FileProxy` uses.

    Before rich writes a line, it computes how many lines of the live part to erase. If another thread draws a live part
    of another height in between, a line above it is erased too, or a line of it stays.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.lock = threading.RLock()

    def print(self, *lines: Text) -> None:
        with self.lock:
            for line in lines:
                self.console.print(line)

    def __enter__(self) -> Self:
        self.lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.lock.release()


class LiveView:
    """Draws the state on `console`, at most four times per second and in at most half of its height."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self.console, self.page = console, page_of(console)
        self.state = RunState(clock)
        self.permanent = PermanentLines(self.state, self.page)
        self.lock = threading.Lock()  # the display thread reads the state that `handle` writes
        self.drawing = OneAtATime(console)  # always locked before `lock`
        self.live = Live(
            console=console,
            auto_refresh=False,  # its thread would not know of `drawing`
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
            get_renderable=self.render,
            vertical_overflow="crop",
        )
        self.ended = threading.Event()
        self.refresher = threading.Thread(target=self.refresh_until_the_end, daemon=True)
        self.redirected = ExitStack()

    def handle(self, event: Event) -> None:
        with self.lock:
            self.state.handle(event)
            lines = self.permanent.lines(event)
        self.drawing.print(*lines)

    def refresh(self) -> None:
        with self.drawing:
            self.live.refresh()

    def refresh_until_the_end(self) -> None:
        while not self.ended.wait(1 / REFRESH_PER_SECOND):
            self.refresh()

    def __enter__(self) -> Self:
        with self.drawing:
            self.live.start()
        drawing = cast(Any, self.drawing)
        self.redirected.enter_context(redirect_stdout(FileProxy(drawing, sys.stdout)))
        self.redirected.enter_context(redirect_stderr(FileProxy(drawing, sys.stderr)))
        self.refresher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self.refresher.join(timeout=1)  # a terminal that does not answer must not keep the run from its end
        self.redirected.close()
        with self.drawing:
            self.live.stop()

    def render(self) -> RenderableType:
        with self.lock:
            height = self.console.height
            return live_part(self.state, self.page, max(min(max(height // 2, 3), height - 1), 1))


def live_part(state: RunState, page: Page, height: int) -> RenderableType:
    """Returns the progress bar, one line per running job and one line per learner: at most `height` lines."""
    if not state.run:
        return Text("")
    jobs = list(state.running.values())
    shown_jobs = jobs[: max(height - 2, min(height - 1, 1))]
    parts: list[RenderableType] = [overall(state, page)]
    everyone = [page.text(name) for name in state.learners]
    parts += [job_line(job, everyone, page) for job in shown_jobs]
    room = height - len(parts) - 1  # one line is the heading
    names = list(state.learners)
    shown = names if len(names) <= room else names[: max(room - 1, 0)]
    if shown:
        parts.append(learner_lines(state, shown, page))
    if len(shown) < len(names) and room > 0:
        parts.append(Text(f"  and {len(names) - len(shown)} more learners", style="dim"))
    return Group(*parts)


def overall(state: RunState, page: Page) -> Table:
    """Returns the progress bar of the run, with jobs, rate and times."""
    total = state.jobs or 0
    rate = state.jobs_per_second
    facts = page.joined(
        f"{state.done}/{page.missing if state.jobs is None else total} jobs",
        f"{60 * rate:.1f}/min" if rate is not None else "",
        duration(state.elapsed, page),
        f"about {duration(state.remaining, page)} left" if state.remaining is not None else "",
        f"{state.failed} failed" if state.failed else "",
    )
    line = Table.grid(padding=(0, 1, 0, 0))
    width = max(page.width - len(facts) - 2, 5)
    line.add_column(width=min(width, 60), no_wrap=True)
    line.add_column(no_wrap=True, overflow="crop")
    line.add_row(ProgressBar(total=max(total, 1), completed=min(state.done, max(total, 1))), Text(facts))
    return line


def job_line(job: RunningJob, everyone: Sequence[str], page: Page) -> Text:
    """Returns the line of a running job: learner, task, epoch, percent of steps, loss and rate, in fixed columns.

    All except the names may be missing.

    Args:
        everyone: The names of all learners of the run.
    """
    names_width = min(max(page.width - 56, 24), 48)
    learner = page.text(job.learner)
    (name,) = shown_names([learner], names_width // 2 - 1, everyone)
    task = cut(page.text(job.again or job.task), names_width - names_width // 2 - 1)
    verb = (
        "refit"
        if job.again
        else {"search": "search", "fit": "fit", "evaluate": "score", "before": "before", "audit": "audit"}.get(
            job.kind, page.text(job.kind)[:6]
        )
    )
    epoch = f"epoch {job.epoch}/{job.epochs}" if job.epoch is not None and job.epochs is not None else ""
    done = f"{100 * job.step // job.steps}%" if job.step is not None and job.steps else ""
    loss = f"loss {job.loss:.3f}" if job.loss is not None else ""
    rate = f"{scaled(job.examples_per_second, page)} ex/s" if job.examples_per_second is not None else ""
    line = Text.assemble(("> " if page.ascii else "▸ ", "cyan"))
    line.append(f"{verb:<6} {name:<{names_width // 2 - 1}} {task:<{names_width - names_width // 2 - 1}} ")
    line.append(f"{epoch:<12} {done:>4} {loss:<11} {rate}", style="dim")
    line.truncate(page.width)
    return line


def learner_lines(state: RunState, names: list[str], page: Page) -> Table:
    """Returns the table of learners: the scores, forgetting and growth over the arrived tasks."""
    learners = [state.learners[name] for name in names]
    colours = {name: LEARNER_COLOURS[index % len(LEARNER_COLOURS)] for index, name in enumerate(state.learners)}
    full = [page.text(name) for name in names]
    short = shown_names(full, min(page.width - 40, 40), [page.text(name) for name in state.learners])
    tasks = len(state.order)
    columns = [
        Column("learner", [Text(short[index], style=colours[name]) for index, name in enumerate(names)], "left"),
        Column("arrivals", [f"{learner.arrivals}/{tasks}" for learner in learners], rank=1),
        Column("mean", [average(learner, page) for learner in learners]),
        Column("forgetting", [points(learner.forgetting, page, exact_zero=True) for learner in learners]),
        Column("growth", [growth(learner.growth, page) for learner in learners]),
    ]
    return table(columns, page.width)


def average(learner: LearnerState, page: Page) -> str:
    """Returns the mean score. If some arrived tasks have no score, it also says how many have one."""
    over = f" ({learner.counted}/{learner.arrivals})" if learner.counted < learner.arrivals else ""
    return points(learner.average, page) + over
