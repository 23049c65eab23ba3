"""Playback: computes from a ledger the events that a view received during the run, each with its time.

A ledger has no time stamps, but it records the seconds of each job. Playback spreads the jobs over the wall clock of
the run in the order of the ledger, so jobs that ran in parallel overlap again.
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
    """An event, and when it occurred: `at` seconds after the start of the run."""

    at: float
    event: ProgressEvent


def playback(events: Sequence[Event], run: RecordedRun, out: str) -> list[Moment]:
    """Returns all events of a run in order of time. A job that was done several times appears once, as done last.

    Args:
        events: The events of the ledger.
        run: The state of the run after these events.
        out: Folder of the run, as the view shows it.
    """
    jobs = {id(run.events[job.id]): job for job in run.jobs if job.id in run.events}
    total = sum(seconds_of(event) for event in run.events.values())
    duration = wall_clock(events)
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
        # `min` because rounding must not put the last job after the end of the run.
        now = ended[job.id] = min(duration * worked / total, duration) if total else 0.0
        if took:
            first = max(now - took, *(ended.get(need, 0.0) for need in job.needs), 0.0)
            moments += job_moments(run, job, event, first, now)
        add_event(state, job, run.events[job.id])
        show(state, job)
    now = duration
    if len(run.events) == len(run.jobs):
        state.handle({"event": "end", "seconds": duration, "out": out})
    else:
        message = f"the run is not finished: {len(run.events):,} of {len(run.jobs):,} jobs are done"
        state.handle({"event": "notice", "message": message})
    for moment in moments:
        if moment.event["event"] == "arrival":
            moment.event["seconds"] = moment.at
    return sorted(moments, key=lambda moment: moment.at)


def seconds_of(event: JobEvent) -> float:
    """Returns the seconds of a finished job; 0 for a fit that was found in the store."""
    if isinstance(event, RowEvent):
        return float(sum(cell.seconds for cell in event.cells))
    return 0.0 if event.cached else event.seconds


def wall_clock(events: Iterable[Event]) -> float:
    """Returns the seconds of all calls of a run. A call without its own time counts as the sum of its jobs."""
    finished_calls, jobs = 0.0, [0.0]
    for event in events:
        if isinstance(event, JobEvent):
            jobs.append(seconds_of(event))
        elif isinstance(event, Header | End):
            # If a call was killed after its last job, a later call recorded the end, with almost no time of its own.
            recorded = event.seconds if isinstance(event, End) else 0.0
            finished_calls += recorded if recorded >= max(jobs) else sum(jobs)
            jobs = [0.0]
    return finished_calls + sum(jobs)


def job_moments(run: RecordedRun, job: Job, event: JobEvent, first: float, last: float) -> list[Moment]:
    """Returns the start of a job and, for a fit, its progress after each epoch.

    Args:
        first, last: When the job begins and ends, seconds after the start of the run.
    """
    about: JobProgress = {"job": job.id, "learner": job.learner, "task": job.tasks[-1], "event": "progress"}
    start: JobBegins = {
        "job": job.id, "learner": job.learner, "task": job.tasks[-1], "event": "start", "kind": job.kind,
        "arrival": job.arrival, "tasks": len(job.tasks),
    }  # fmt: skip
    moments = [Moment(first, start)]
    if not isinstance(event, FitEvent) or not event.losses:
        return moments
    training = run.facts.learners[job.learner].training
    steps = -(-event.examples // len(event.losses) // training.batch_size)  # per epoch
    for epoch, loss in enumerate(event.losses, start=1):
        progress: JobProgress = {
            **about, "epoch": epoch, "epochs": training.epochs, "step": epoch * steps,
            "steps": training.epochs * steps, "loss": loss, "examples_per_second": event.examples / event.seconds,
        }  # fmt: skip
        # `+ 1`: the last epoch must end before the job does.
        at = first + (last - first) * epoch / (len(event.losses) + 1)
        moments.append(Moment(at, progress))
    return moments


def play(
    moments: Iterable[Moment],
    handle: Handle,
    speed: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    """Sends each event to a view at its time, `speed` times as fast as the run was.

    Args:
        handle: The view's function that takes an event.
        clock: Returns the time in seconds.
        sleep: Waits for a number of seconds.
    """
    start = clock()
    for moment in moments:
        if (wait := moment.at / speed - (clock() - start)) > 0:
            sleep(wait)
        handle(moment.event)
