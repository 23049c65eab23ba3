"""Playback: the events that a view was told of while a run went on, made anew from its ledger, each with its moment.

A ledger has no time stamps, but tells how long every job took; jobs are taken to have followed each other so that
together they fill the time of the whole run. What ran side by side therefore does so again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from stream.engine.events import RunState, add_event, show, show_run, show_violation
from stream.engine.progress import Handle, JobBegins, JobProgress, ProgressEvent
from stream.storage.events import End, Event, FitEvent, Header, JobEvent, RowEvent, Violation
from stream.storage.job import Job
from stream.verification.recorded import RecordedRun


@dataclass(frozen=True)
class Moment:
    """An event, `at` so many seconds after the run began, on the run's own clock."""

    at: float
    event: ProgressEvent


def playback(events: Sequence[Event], run: RecordedRun, out: str) -> list[Moment]:
    """All that happened, in order of time; what a later call did anew is shown as it was done last.

    Args:
        events: Of the ledger.
        run: The state that they give.
        out: Folder of the run, as it is to be shown.
    """
    jobs = {id(run.events[job.id]): job for job in run.jobs if job.id in run.events}
    total = sum(seconds_of(event) for event in run.events.values())
    whole = wall_clock(events)
    moments: list[Moment] = []
    state = RunState(
        facts=run.facts,
        handle=lambda event: moments.append(Moment(now, event)),
        jobs={job.id: job for job in run.jobs},
    )
    now, worked = 0.0, 0.0
    ended: dict[str, float] = {}
    show_run(state, out)
    for event in events:
        if isinstance(event, Violation):
            show_violation(state, event)
        if not isinstance(event, JobEvent) or (job := jobs.get(id(event))) is None:
            continue
        took = seconds_of(event)
        worked += took
        now = ended[job.id] = min(whole * worked / total, whole) if total else 0.0  # the last not after the end
        if took:
            first = max(now - took, *(ended.get(need, 0.0) for need in job.needs), 0.0)
            moments += under_way(run, job, event, first, now)
        add_event(state, job, run.events[job.id])
        show(state, job)
    now = whole
    if len(run.events) == len(run.jobs):
        state.handle({"event": "end", "seconds": whole, "out": out})
    else:
        message = f"the run has come so far: {len(run.events):,} of {len(run.jobs):,} jobs are done"
        state.handle({"event": "notice", "message": message})
    for moment in moments:
        if moment.event["event"] == "arrival":
            moment.event["seconds"] = moment.at
    return sorted(moments, key=lambda moment: moment.at)


def seconds_of(event: JobEvent) -> float:
    """How long a finished job took; of a fit that was found in the store, no time."""
    if isinstance(event, RowEvent):
        return float(sum(cell.seconds for cell in event.cells))
    return 0.0 if event.cached else event.seconds


def wall_clock(events: Iterable[Event]) -> float:
    """Seconds of all calls of a run; of one that did not tell its own, those of its jobs one after another."""
    whole, jobs = 0.0, [0.0]
    for event in events:
        if isinstance(event, JobEvent):
            jobs.append(seconds_of(event))
        elif isinstance(event, Header | End):
            # A run that was killed between its last job and its end was ended by a later call, in no time.
            told = event.seconds if isinstance(event, End) else 0.0
            whole += told if told >= max(jobs) else sum(jobs)
            jobs = [0.0]
    return whole + sum(jobs)


def under_way(run: RecordedRun, job: Job, event: JobEvent, first: float, last: float) -> list[Moment]:
    """The beginning of a job, and of a fit how far it was after each epoch."""
    about: JobProgress = {"job": job.id, "learner": job.learner, "task": job.tasks[-1], "event": "progress"}
    start: JobBegins = {
        "job": job.id, "learner": job.learner, "task": job.tasks[-1], "event": "start", "kind": job.kind,
        "arrival": job.arrival, "tasks": len(job.tasks),
    }  # fmt: skip
    moments = [Moment(first, start)]
    if not isinstance(event, FitEvent) or not event.losses:
        return moments
    training = run.facts.learners[job.learner].training
    a_step = -(-event.examples // len(event.losses) // training.batch_size)  # steps of an epoch
    for epoch, loss in enumerate(event.losses, start=1):
        told: JobProgress = {
            **about, "epoch": epoch, "epochs": training.epochs, "step": epoch * a_step,
            "steps": training.epochs * a_step, "loss": loss, "examples_per_second": event.examples / event.seconds,
        }  # fmt: skip
        # Told before the last moment, when the job ends.
        at = first + (last - first) * epoch / (len(event.losses) + 1)
        moments.append(Moment(at, told))
    return moments


def play(
    moments: Iterable[Moment],
    handle: Handle,
    speed: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    """Tell a view of each event at its moment, `speed` times as fast as the run was."""
    begun = clock()
    for moment in moments:
        if (wait := moment.at / speed - (clock() - begun)) > 0:
            sleep(wait)
        handle(moment.event)
