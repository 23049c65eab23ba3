"""Long streams: what an arrival costs does not depend on how many tasks came before. Counted, not timed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

import stream.engine.engine
import stream.execution.workbench
import stream.storage.keys
from learners.specification.family import parse_learners
from learners.specification.recipe import recipe_of
from stream import run
from stream.engine.jobs import plan_jobs
from stream.engine.stream import make_stream
from stream.execution.result import needed
from stream.storage.files import readable_json
from stream.storage.plain import plain
from tasks.content import canonical, content_id
from tests import typed_events
from tests.runs import events_of, read_results, tiny_settings
from tests.worlds import save_task

T, OPEN = 16, 5


@pytest.fixture(scope="module")
def many_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for index in range(T):
        save_task(folder, f"task{index:02}", classes=2 + index % 2, rows=20, seed=index)
    return folder


@pytest.fixture(scope="module")
def long(many_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A finished run over more tasks than are held open, and what was counted while it ran."""
    patch = pytest.MonkeyPatch()
    counted: dict[str, Any] = {"open": 0, "keys": {}, "told": [], "written": ()}
    honest = (
        stream.execution.workbench.Workbench.data,
        stream.storage.keys.RunInputs.key,
        stream.engine.engine._write,
        stream.engine.engine.prepare,
    )

    def data(bench: Any, name: str) -> Any:
        found = honest[0](bench, name)
        counted["open"] = max(counted["open"], len(bench.opened))
        return found

    def prepare(*given: Any) -> Any:
        counted["prepared"] = honest[3](*given)
        return counted["prepared"]

    def key(inputs: Any, job: Any) -> str:
        counted["keys"][job] = honest[1](inputs, job)
        return str(counted["keys"][job])

    def write(progress: Any) -> Any:
        counted["written"] += (progress.metrics["majority"].rows,)
        return honest[2](progress)

    patch.setattr(stream.execution.workbench.Workbench, "data", data)
    patch.setattr(stream.storage.keys.RunInputs, "key", key)
    patch.setattr(stream.engine.engine, "_write", write)
    patch.setattr(stream.engine.engine, "prepare", prepare)
    patch.setattr(stream.engine.engine, "SHORT", 4)
    patch.setattr(stream.execution.workbench, "OPEN_TASKS", OPEN)
    out = tmp_path_factory.mktemp("long") / "run"
    training = dict.fromkeys(("epochs", "batch_size", "learning_rate"))  # `majority` does not train
    settings = tiny_settings(
        many_tasks, tiny_backbone, out, suite="all", learners="majority", evaluate="audited", **training
    )
    counted["results"] = run(**settings, handle=counted["told"].append).as_dict()
    patch.undo()
    return counted | {"out": out, "settings": settings}


def test_jobs_of_a_long_stream_need_no_more_than_those_of_a_short_one() -> None:
    names = tuple(f"task{index:04}" for index in range(400))
    learners = parse_learners("adapterbias")
    jobs = plan_jobs(make_stream(names, "paper"), learners, "audited", 0)
    for kind in ("fit", "evaluate"):
        sizes = [len(json.dumps(asdict(job))) for job in jobs if job.kind == kind and job.arrival > 1]
        assert max(sizes) - min(sizes) < 10  # digits of the arrivals
    assert max(len(job.needs) for job in jobs if job.kind != "audit") == 3


def test_later_jobs_are_handed_a_delta_and_nothing_of_rows() -> None:
    about = {"task": "a", "delta": "f" * 64, "digests": {"head.bias": "0" * 64}}
    assert plain(needed(typed_events.fit("x", 1, losses=(0.5,), **about))) == about
    assert needed(typed_events.row("evaluate", "x", 1, [typed_events.cell("a")] * 1000, certified=998)) is None


def test_few_tasks_are_open_at_a_time(long: dict[str, Any]) -> None:
    assert long["open"] == OPEN < T
    assert 15 * stream.execution.workbench.OPEN_TASKS < 1024  # files a process may have open on most systems
    held = vars(long["prepared"].data["task00"])
    assert not any(hasattr(value, "dtype") or hasattr(value, "offsets") for value in held.values())


def test_a_line_of_the_ledger_does_not_grow(long: dict[str, Any]) -> None:
    rows = events_of(long["out"], "evaluate")
    sizes = [len(json.dumps(row)) for row in rows]
    assert max(sizes[1:]) - min(sizes[1:]) < 40  # digits of times, scores and counts
    assert [row["certified"] for row in rows] == [0, *range(T - 1)]
    told = [event for event in long["told"] if event["event"] == "row"]
    assert max(len(event["cells"]) for event in told[:-1]) == 2
    assert len(told[-1]["cells"]) == T  # the last audit runs all again


def test_r_is_whole_all_the_same(long: dict[str, Any]) -> None:
    learner = long["results"]["learners"]["majority"]
    learned = [learner["R"][j + 1][j] for j in range(T)]
    for arrival in range(1, T + 1):
        assert learner["R"][arrival] == learned[:arrival] + [None] * (T - arrival)
        hows = learner["provenance"][arrival][:arrival]
        if 1 < arrival < T:
            assert (hows.count("audited"), hows[-1], hows.count("certified")) == (1, "measured", arrival - 2)
    counts = [learner["retention"][f"cells_{how}"] for how in ("measured", "certified", "audited")]
    assert counts == [T - 1, (T - 2) * (T - 3) // 2, T - 2 + T]
    assert learner["retention"]["verified"]
    assert learner["metrics"]["forgetting_chaudhry"] == 0.0


def test_results_are_written_at_ever_larger_steps(long: dict[str, Any]) -> None:
    """Each writing takes the square of the arrivals; all together must not take the cube."""
    assert long["written"] == (1, 2, 3, 4, 5, 7, 9, 12, 15, T)
    assert read_results(long["out"]) == long["results"]


def test_keys_are_those_of_the_parts_written_out(long: dict[str, Any]) -> None:
    """Cut from one text, but the hash of one canonical document as before."""
    prepared, order = long["prepared"], long["results"]["order"]
    config = prepared.config
    for job in list(long["keys"])[::7]:
        parts = {
            "backbone": prepared.known.id,
            "numerics": stream.execution.numerics.numerics(config.dtype),
            "seed": config.seed,
            "train_examples": config.train_examples,
            "test_examples": config.test_examples,
            "learner": recipe_of(prepared.learners[job.learner]),
            "kind": job.kind,
            "evaluate": config.evaluate,
            "data_seed": 0,
            "tasks": [[task, prepared.data[task].id, "accuracy, format 1"] for task in job.tasks],
            "learned": [[task, prepared.data[task].id, "accuracy, format 1"] for task in order[: job.arrival]],
        }
        assert long["keys"][job] == content_id("job", canonical(parts))


def test_it_is_found_again_whole(long: dict[str, Any]) -> None:
    told: list[dict[str, Any]] = []
    again = run(**long["settings"], handle=told.append).as_dict()
    assert again == long["results"]
    assert "start" not in [event["event"] for event in told]


def test_results_have_a_line_for_a_row() -> None:
    rows = [[0.5, None], [0.25, 1.0]]
    text = readable_json({"R": rows, "empty": {}, "none": [], "ü": ["a", 1]})
    assert json.loads(text) == {"R": rows, "empty": {}, "none": [], "ü": ["a", 1]}
    assert text.splitlines() == [
        "{", ' "R": [', "  [0.5, null],", "  [0.25, 1.0]", " ],", ' "empty": {},', ' "none": [],', ' "ü": ["a", 1]',
        "}",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="not JSON compliant"):
        readable_json({"score": float("nan")})


def test_a_row_is_certified_by_cells_of_its_own_deltas(long: dict[str, Any]) -> None:
    """A measured cell under another Delta than its fit's: no key can say so, and still no certificate rests on it."""
    from types import SimpleNamespace as Some

    from stream.engine.events import check_certificate
    from stream.engine.running_metrics import RunningMetrics, add_cells
    from stream.execution.pending import JobFailed
    from stream.storage.events import job_of
    from stream.storage.job import Job

    learner = long["prepared"].learners["majority"]
    for delta in ("right", "wrong"):
        metrics = RunningMetrics("majority", learner, {"a": 1, "b": 2, "c": 3}, 1)
        for arrival, task in enumerate("ab", start=1):
            add_cells(metrics, arrival, [typed_events.cell(task, logits=task, delta=delta if task == "b" else "right")])
        fits = [typed_events.fit("majority", t, "abc"[t - 1], delta="right") for t in (1, 2, 3)]
        events = {job_of(fit): fit for fit in fits}
        progress: Any = Some(metrics={"majority": metrics}, events=events, facts=Some(order=("a", "b", "c")))
        if delta == "right":
            check_certificate(progress, Job("evaluate", "majority", 3, ("a", "c")))
            assert metrics.proven == 2
        else:
            with pytest.raises(JobFailed, match="no measured cell of task b with Delta right"):
                check_certificate(progress, Job("evaluate", "majority", 3, ("a", "c")))
