"""The pool, with workers that answer at once: every job once, needs first, failures told, no process left behind."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stream.execution import workers
from stream.execution.messages import Message
from stream.execution.pending import JobFailed, Pending, next_job
from stream.execution.schedule import run_here, run_in_workers
from stream.execution.workers import waiting_workers
from stream.storage.job import Job
from tasks.errors import InputError

# A worker of the same protocol without a backbone: its result names the job, what it was given, and its setup.
WORKER = """
import json, os, sys, time
for line in sys.stdin:
    order = json.loads(line)
    if "setup" in order:
        setup = order["setup"]
        if "one_slow" in setup:
            try:
                os.close(os.open(setup["one_slow"], os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                time.sleep(60)
        print(json.dumps({"kind": "ready"}), flush=True)
        continue
    job = order["job"]
    name = "/".join((job["kind"], job["learner"], str(job["arrival"])))
    if "meet" in setup:
        open(os.path.join(setup["meet"], str(os.getpid())), "w").close()
        while len(os.listdir(setup["meet"])) < 2:
            time.sleep(0.01)
    if name == setup.get("dies"):
        once = setup.get("once")
        if once is None or not os.path.exists(once):
            open(once or os.devnull, "w").close()
            os._exit(9)
    if name == setup.get("fails"):
        print(json.dumps({"kind": "failed", "job": name, "type": "Diverged", "message": "the loss is nan"}), flush=True)
        continue
    if name == setup.get("loses") and not order["results"]:
        while not os.path.exists(setup["ended"]):
            time.sleep(0.01)
        print(json.dumps({"kind": "lost", "job": name, "delta": "d", "message": "cut"}), flush=True)
        continue
    print(json.dumps({"kind": "progress", "job": name, "epoch": 1}), flush=True)
    result = {"job": name, "given": sorted(order["results"]), "setup": setup}
    print(json.dumps({"kind": "done", "job": name, "result": result}), flush=True)
    if name == setup.get("ends_after") and not os.path.exists(setup["ended"]):
        os._exit(9)
"""


def jobs_of(arrivals: int) -> tuple[Job, ...]:
    """A sequential learner, whose fits form a chain, and an isolated one, whose fits do not."""
    jobs = []
    for t in range(1, arrivals + 1):
        jobs.append(Job("fit", "chain", t, (f"task{t}",), (f"fit/chain/{t - 1}",) if t > 1 else ()))
        jobs.append(Job("fit", "free", t, (f"task{t}",)))
        jobs += [Job("evaluate", n, t, (), tuple(f"fit/{n}/{i}" for i in range(1, t + 1))) for n in ("chain", "free")]
    return tuple(jobs)


class Fits(dict[str, Job]):
    """The fits that make Deltas, by content id of the Delta."""

    def fit_of(self, learner: str, delta: str) -> Job:
        return self[delta]

    def failed_fit(self, job: Job, why: str) -> None:
        raise AssertionError(why)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[str]]:
    processes: list[subprocess.Popen[str]] = []

    def start(errors: Any) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
        processes.append(subprocess.Popen([sys.executable, "-c", WORKER], text=True, **pipes))
        return processes[-1]

    monkeypatch.setattr(workers, "_process", start)
    return processes


def all_ended(processes: list[subprocess.Popen[str]]) -> bool:
    """Whether no process and no open pipe is left."""
    pipes = [pipe for process in processes for pipe in (process.stdin, process.stdout) if pipe is not None]
    return all(pipe.closed for pipe in pipes) and all(process.returncode is not None for process in processes)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_job_once_and_never_before_its_needs(
    started: list[subprocess.Popen[str]], tmp_path: Path, workers: int
) -> None:
    jobs, told = jobs_of(6), list[Message]()
    held = {"fit/free/1": {"job": "fit/free/1"}, "evaluate/free/1": {}}  # of an earlier call
    results: dict[str, Any] = dict(held)
    todo = tuple(job for job in jobs if job.id not in held)
    run_in_workers(todo, results, {"seed": 7}, workers, tmp_path / "log", told.append)
    assert all_ended(started)
    assert len(started) == workers
    assert results.keys() == {job.id for job in jobs}
    for job in todo:
        assert results[job.id] == {"job": job.id, "given": sorted(job.needs), "setup": {"seed": 7}}
    done = set(held)
    for message in told:
        job = next(job for job in jobs if job.id == message["job"])
        assert 0 <= message["worker"] < workers
        if message["kind"] == "start":
            assert set(job.needs) <= done
        if message["kind"] == "done":
            done.add(job.id)
    for kind in ("start", "progress", "done"):
        assert sorted(m["job"] for m in told if m["kind"] == kind) == sorted(job.id for job in todo)


def test_a_failure_ends_the_run_and_keeps_what_was_done(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    results: dict[str, Any] = {}
    with pytest.raises(JobFailed, match="the loss is nan") as caught:
        run_in_workers(jobs_of(4), results, {"fails": "fit/chain/3"}, 2, tmp_path / "log", lambda message: None)
    assert all_ended(started)
    assert (caught.value.job, caught.value.type) == ("fit/chain/3", "Diverged")
    assert "fit/chain/2" in results
    assert "fit/chain/3" not in results


def test_a_worker_that_dies_is_replaced(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    results: dict[str, Any] = {}
    told: list[Message] = []
    setup = {"dies": "fit/chain/2", "once": str(tmp_path / "once")}
    run_in_workers(jobs_of(3), results, setup, 2, tmp_path / "log", told.append)
    assert results.keys() == {job.id for job in jobs_of(3)}
    assert len(started) == 3
    assert all_ended(started)
    (notice,) = [message["text"] for message in told if message["kind"] == "notice"]
    assert notice.startswith("the worker of fit/chain/2 ended (out of memory?)")
    assert sum(message["kind"] == "start" and message["job"] == "fit/chain/2" for message in told) == 2


@pytest.mark.parametrize("dies", ["evaluate/free/2", "fit/chain/2"])
def test_a_job_that_kills_each_worker_fails_after_all_others(
    started: list[subprocess.Popen[str]], tmp_path: Path, dies: str
) -> None:
    results: dict[str, Any] = {}
    with pytest.raises(JobFailed, match="its worker ended 3 times") as caught:
        run_in_workers(jobs_of(3), results, {"dies": dies}, 2, tmp_path / "log", lambda message: None)
    assert all_ended(started)
    # Three of them died. The two of the beginning may be among these; each is replaced only if work is left.
    assert 3 <= len(started) <= 5
    assert (caught.value.job, caught.value.type) == (dies, "WorkerDied")
    assert str(tmp_path / "log") in str(caught.value)
    needed = {dies}
    for job in jobs_of(3):
        needed |= {job.id} if needed & set(job.needs) else set()
    assert results.keys() == {job.id for job in jobs_of(3)} - needed


def test_workers_that_die_at_the_start_are_not_replaced_for_ever(
    started: list[subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.stream.test_schedule.WORKER", "import sys; sys.stdin.readline()")
    with pytest.raises(JobFailed, match="3 worker processes ended before their first job") as caught:
        run_in_workers(jobs_of(3), {}, {}, 2, tmp_path / "log", lambda message: None)
    assert caught.value.job == "starting a worker"
    assert all_ended(started)


def test_workers_end_with_an_interrupted_run(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    def interrupt(message: Message) -> None:
        if message["kind"] == "done":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_workers(jobs_of(3), {}, {}, 2, tmp_path / "log", interrupt)
    assert all_ended(started)


def test_no_more_workers_than_jobs(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    run_in_workers((Job("fit", "free", 1, ("task1",)),), {}, {}, 8, tmp_path / "log", lambda message: None)
    assert all_ended(started)
    assert len(started) == 1
    assert not (tmp_path / "log").exists(), "nobody printed anything"


@pytest.mark.parametrize(("ahead", "wanted"), [(2, 2), (3, 2), (2, 3)])
def test_workers_that_are_there_already_are_taken(
    started: list[subprocess.Popen[str]], tmp_path: Path, ahead: int, wanted: int
) -> None:
    results: dict[str, Any] = {}
    with waiting_workers(ahead) as there:
        assert len(started) == ahead

        def told(message: Message) -> None:  # the others do not wait for the end of the run
            assert all(process.returncode is not None for process in started[wanted:])

        run_in_workers(jobs_of(3), results, {}, wanted, tmp_path / "log", told, there)
    assert len(started) == max(ahead, wanted)
    assert results.keys() == {job.id for job in jobs_of(3)}
    assert all_ended(started)


def test_one_worker_is_the_process_itself_and_none_outlives_what_it_waits_for(
    started: list[subprocess.Popen[str]],
) -> None:
    with waiting_workers(1):
        assert started == []
    with pytest.raises(KeyboardInterrupt), waiting_workers(2):
        raise KeyboardInterrupt
    assert len(started) == 2
    assert all_ended(started)


def test_no_more_start_ahead_than_are_surely_wanted(started: list[subprocess.Popen[str]]) -> None:
    with waiting_workers(64):
        assert len(started) == workers.AHEAD
    assert all_ended(started)


def test_without_a_temporary_folder_none_start_ahead(
    started: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workers.tempfile, "TemporaryFile", full)
    results: dict[str, Any] = {}
    with waiting_workers(2) as there:
        assert started == []
        run_in_workers(jobs_of(2), results, {}, 2, tmp_path / "log", lambda message: None, there)
    assert results.keys() == {job.id for job in jobs_of(2)}
    assert all_ended(started)


def test_kept_workers_do_one_run_after_another(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    both = tuple(Job("fit", name, 1, ("task",)) for name in ("first", "second"))
    with waiting_workers(3, reuse=True) as there:
        for number in range(3):
            results: dict[str, Any] = {}
            told: list[Message] = []
            (meeting := tmp_path / f"meeting{number}").mkdir()  # both work, so both are ready
            setup = {"run": number, "meet": str(meeting)}
            run_in_workers(both, results, setup, 2, tmp_path / "log", told.append, there)
            assert results.keys() == {job.id for job in both}
            assert all(result["setup"] == setup for result in results.values())
            assert {message["worker"] for message in told} == {0, 1}
        run_in_workers(both[:1], {}, {}, 1, tmp_path / "one", lambda message: None, there)
        assert started[2].poll() is None, "the third waits on, and was given no run"
        assert there.waiting[-1].listener is None
    assert all_ended(started)
    with pytest.raises(InputError, match="ended"):
        run_in_workers(both, {}, {}, 2, tmp_path / "late", lambda message: None, there)


def test_a_worker_that_was_not_ready_when_its_run_ended_is_not_kept(
    started: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    """It would say so, or fail, in the next."""
    with waiting_workers(2, reuse=True) as there:
        for number in range(2):
            setup = {"run": number, "one_slow": str(tmp_path / f"first{number}")}
            results: dict[str, Any] = {}
            run_in_workers(jobs_of(3), results, setup, 2, tmp_path / "log", lambda message: None, there)
            assert all(result["setup"] == setup for result in results.values())
            assert len(there.waiting) == 1
    assert len(started) == 3
    assert all_ended(started)


def test_a_kept_worker_that_died_between_runs_is_replaced(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    with waiting_workers(1, reuse=True) as there:
        run_in_workers(jobs_of(4), {}, {}, 1, tmp_path / "log", lambda message: None, there)
        started[0].kill()
        started[0].wait()
        results: dict[str, Any] = {}
        run_in_workers(jobs_of(4), results, {}, 1, tmp_path / "log", lambda message: None, there)
    assert results.keys() == {job.id for job in jobs_of(4)}
    assert len(started) == 2
    assert all_ended(started)


def test_workers_of_another_environment_are_not_taken(
    started: list[subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables such as ONEDNN_MAX_CPU_ISA choose between kernels; a run states those that it was called under."""
    with waiting_workers(1, reuse=True) as there:
        run_in_workers(jobs_of(2), {}, {}, 1, tmp_path / "log", lambda message: None, there)
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
        run_in_workers(jobs_of(2), {}, {}, 1, tmp_path / "log", lambda message: None, there)
        assert started[0].returncode is not None
    assert len(started) == 2
    assert all_ended(started)


def test_the_death_of_a_worker_reaches_the_run_that_has_it(
    started: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Also when its listener knew of it before the run did, and looking at the process came before both."""
    with waiting_workers(1, reuse=True) as there:
        run_in_workers(jobs_of(2), {}, {}, 1, tmp_path / "log", lambda message: None, there)
        (worker,) = there.waiting
        started[0].kill()
        assert worker.listener is not None
        worker.listener.join(timeout=60)
        inbox: workers.Inbox = queue.Queue()
        worker.assign_run(5, inbox, str(tmp_path / "log"), {})
        assert inbox.get(timeout=1) == (5, None)


def test_after_a_failure_no_worker_of_that_run_is_kept(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    with waiting_workers(2, reuse=True) as there:
        with pytest.raises(JobFailed):
            run_in_workers(jobs_of(4), {}, {"fails": "fit/chain/3"}, 2, tmp_path / "log", lambda message: None, there)
        assert all_ended(started)
        run_in_workers(jobs_of(4), {}, {}, 2, tmp_path / "log", lambda message: None, there)
    assert len(started) == 4
    assert all_ended(started)


def test_what_workers_print_is_in_the_log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def start(errors: Any) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": errors}
        return subprocess.Popen(["sh", "-c", "echo out of paper >&2; read setup; exit 9"], text=True, **pipes)

    monkeypatch.setattr(workers, "_process", start)
    log = tmp_path / "log"
    with waiting_workers(2) as there, pytest.raises(JobFailed):
        run_in_workers(jobs_of(3), {}, {}, 2, log, lambda message: None, there)
    assert "out of paper" in log.read_text()


def test_in_this_process_jobs_go_in_the_order_of_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    import stream.execution.job

    def execute(bench: Any, job: Job, given: dict[str, Any], report: Any) -> list[str]:
        report({"epoch": 1})
        if job.id == bench.fails:
            raise stream.execution.job.BackboneChanged("tensor x changed")
        return sorted(given)

    def bench(fails: str) -> Any:
        return SimpleNamespace(fails=fails, setup=SimpleNamespace(pack=1))

    monkeypatch.setattr(stream.execution.job, "execute", execute)
    jobs, told, results = jobs_of(3), list[Message](), dict[str, Any]()
    run_here(jobs, results, bench(""), told.append)
    assert results == {job.id: sorted(job.needs) for job in jobs}
    assert [m["job"] for m in told] == [job.id for job in jobs for _ in ("start", "progress", "done")]
    with pytest.raises(JobFailed) as caught:
        run_here(jobs, {}, bench("fit/free/2"), told.append)
    assert (caught.value.job, caught.value.type) == ("fit/free/2", "BackboneChanged")


def test_the_next_job_is_the_first_whose_needs_are_met() -> None:
    jobs = list(jobs_of(2))
    assert next_job(jobs, {}) is jobs[0]
    assert next_job(jobs[2:], {}) == Job("fit", "free", 2, ("task2",))
    assert next_job([Job("evaluate", "chain", 1, (), ("fit/chain/1",))], {}) is None
    assert next_job([], {}) is None


def test_a_strangers_module_in_the_current_folder_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users keep a tasks.py of their own; a worker started beside it must import ours. What it prints once it knows of
    the run's log is there at once, and stays if the run is killed."""
    (tmp_path / "tasks.py").write_text("raise SystemExit('the wrong tasks')")
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "ahead").open("w+") as ahead, workers._process(ahead) as process:
        assert process.stdin is not None
        # No setup: it imports all it needs, then says what is missing.
        process.stdin.write(json.dumps({"log": str(tmp_path / "log"), "setup": {}}) + "\n")
        process.stdin.flush()
        process.wait(timeout=120)
        ahead.seek(0)
        assert ahead.read() == ""
    said = (tmp_path / "log").read_text()
    assert "missing" in said
    assert "backbone_id" in said


def test_a_worker_ends_with_its_run_even_in_the_middle_of_a_line(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as log, workers._process(log) as process:
        process.communicate('{"backbone": "to', timeout=60)
    assert process.returncode == 0


def test_fits_that_stay_are_all_done_by_one_worker(started: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    jobs = [
        Job("fit", name, t, ("task",), tuple(f"fit/{name}/{i}" for i in range(1, t)), worker_affinity=name != "free")
        for t in range(1, 9)
        for name in ("first", "second", "free")
    ]
    told, results = list[Message](), dict[str, Any]()
    run_in_workers(tuple(jobs), results, {}, 3, tmp_path / "log", told.append)
    assert results.keys() == {job.id for job in jobs}
    done = [(message["job"].split("/")[1], message["worker"]) for message in told if message["kind"] == "done"]
    assert [len({worker for name, worker in done if name == own}) for own in ("first", "second")] == [1, 1]


def test_a_job_that_stays_waits_for_its_worker() -> None:
    waiting = [Job("fit", "own", 2, ("task",), (), worker_affinity=True), Job("evaluate", "own", 1, ("task",), ())]
    assert next_job(waiting, {}, 1, {"own": 0}) is waiting[1]
    assert next_job(waiting, {}, 0, {"own": 0}) is waiting[0]
    assert next_job(waiting, {}, 1, {}) is waiting[0]
    assert next_job(waiting[:1], {}, 1, {"own": 0}) is None


def test_each_lost_file_is_made_again_twice() -> None:
    fits = [Job("fit", "head", t, (f"task{t}",)) for t in range(1, 5)]
    row = Job("evaluate", "head", 4, (), tuple(fit.id for fit in fits))

    recovery = Fits({str(number): fit for number, fit in enumerate(fits)})
    pending, made = Pending([row], {fit.id: {} for fit in fits}, recovery), list[str]()
    for _ in range(2):
        for number in range(len(fits)):
            assert pending.next() == row
            pending.entry_lost(row, str(number), "cut", {})
            while (job := pending.next()) != row:
                assert job is not None
                made.append(job.id)
                pending.results[job.id] = {}
            pending.waiting.insert(0, row)
    assert made == [fit.id for fit in fits] * 2
    assert pending.next() == row
    with pytest.raises(JobFailed, match="made again 2 times"):
        pending.entry_lost(row, "0", "cut", {})


def test_the_fit_of_a_worker_that_died_idle_is_done_by_another(
    started: list[subprocess.Popen[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It held the state of a learner when no job waited; then a row found the Delta of this learner damaged."""
    fit, row = Job("fit", "own", 1, ("task",), worker_affinity=True), Job("evaluate", "own", 1, ("task",))
    ended, honest = tmp_path / "ended", workers.Worker.end

    def end(worker: workers.Worker) -> None:
        honest(worker)
        ended.touch()

    monkeypatch.setattr(workers.Worker, "end", end)
    (meeting := tmp_path / "meeting").mkdir()
    setup = {"meet": str(meeting), "ends_after": fit.id, "loses": row.id, "ended": str(ended)}
    results, told, recovery = dict[str, Any](), list[Message](), Fits({"d": fit})
    run_in_workers((fit, row), results, setup, 2, tmp_path / "log", told.append, None, recovery)
    assert results[row.id]["given"] == [fit.id]
    assert [message["job"] for message in told if message["kind"] == "done"] == [fit.id, fit.id, row.id]
    assert len(started) == 3
    assert all_ended(started)
