"""Searches in whole runs: a halving search resumes its fits, and no test row is read before a winner is fixed."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stream.execution.fit_job
import stream.execution.fit_recipe
import stream.execution.job
import stream.execution.workbench
import stream.selection.sampler
from learners.training.divergence import Diverged
from learners.training.state import FitState
from stream import run
from stream.execution.job import JobResult
from stream.execution.workbench import sampled_task
from stream.storage.job import Job
from stream.storage.ledger import Ledger
from stream.verification import verify
from tasks.encoded import EncodedSplit
from tasks.errors import InputError, InputErrors
from tests.runs import TASKS, deltas_of, events_of, ledger_of, read_results, tiny_settings

HALVING = "adapter:2/4:learning_rate=1e-4/1e-2/1e-1:patience=9:select=halving"
EPOCHS = 9


@pytest.fixture(scope="module")
def halving(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("halving")
    run(**tiny_settings(tiny_tasks, tiny_backbone, out, learners=HALVING, epochs=EPOCHS, learning_rate=None))
    return out


def test_the_search_is_among_the_settings_of_the_results(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    """Those that are given; a report can then tell runs of different searches apart."""
    given = tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners="adapter:2/4", select="random:1", scope="task")
    run(**given)
    found = read_results(tmp_path)["settings"]
    assert (found["select"], found["scope"]) == ("random:1", "task")
    assert "restarts" not in found
    assert verify(tmp_path).passed


# ---- paused fits


def test_the_winner_of_a_halving_search_is_the_fit_of_its_specification(
    halving: Path, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    """All its pauses change no bit of it."""
    chosen = {event["task"]: event["chosen"] for event in events_of(halving, "fit")}
    assert len(set(chosen.values())) > 1, "the tasks choose differently"
    learners = ",".join(sorted(set(chosen.values())))
    run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners=learners, epochs=EPOCHS, learning_rate=None))
    plain, kept = deltas_of(tmp_path), deltas_of(halving)
    assert {task: kept[HALVING, task] for task in TASKS} == {task: plain[chosen[task], task] for task in TASKS}


def test_what_a_rung_says_is_the_beginning_of_what_the_next_one_says(halving: Path) -> None:
    trials: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for event in events_of(halving, "search"):
        trials.setdefault((event["task"], event["candidate"]), []).append(event)
    assert any(len(found) == 3 for found in trials.values())
    for found in trials.values():
        for before, after in itertools.pairwise(found):
            assert after["validation"][: len(before["validation"])] == before["validation"]
            assert before["flops"] <= after["flops"]
    assert not [*(halving / "store" / "states").glob("*")], "no state is left after the choice"


def test_halving_costs_a_third_of_the_grid(
    halving: Path, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    """Six alternatives of nine epochs: 16 of 54 epochs. A fit that goes on is counted once."""
    grid = HALVING.removesuffix(":select=halving")  # without early stopping, so that all epochs are run
    run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners=grid, epochs=EPOCHS, learning_rate=None))
    (whole,), (part,) = (read_results(out)["learners"].values() for out in (tmp_path, halving))
    assert (whole["cost"]["search_fits"], part["cost"]["search_fits"]) == (18, 18)
    assert whole["cost"]["search_examples"] > 2.8 * part["cost"]["search_examples"]
    assert part["cost"]["search_flops"] <= 0.35 * whole["cost"]["search_flops"]


@pytest.mark.parametrize("lost", [False, True])
def test_rungs_resume_and_a_lost_state_changes_nothing(
    halving: Path, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    honest, states = stream.execution.fit_recipe.get_state, list[FitState | None]()

    def watched(*arguments: Any) -> FitState | None:
        states.append(None if lost else honest(*arguments))
        return states[-1]

    monkeypatch.setattr(stream.execution.fit_recipe, "get_state", watched)
    run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners=HALVING, epochs=EPOCHS, learning_rate=None))
    resumed = [state.epochs for state in states if state is not None]
    trials = events_of(tmp_path, "search")
    assert len(resumed) == (0 if lost else len(trials) - 6 * len(TASKS)), "all but the first rung resume"
    compared = ("task", "candidate", "until", "score", "validation", "delta", "flops", "examples", "recipe")
    again, before = (
        [[each.get(n) for n in compared] for each in events_of(out, "search")] for out in (tmp_path, halving)
    )
    assert again == before
    assert deltas_of(tmp_path) == deltas_of(halving)


@pytest.mark.parametrize("restarts", ["", ":restarts=1"])
def test_a_finalist_that_diverges_leaves_its_task_a_paused_trial(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restarts: str
) -> None:
    honest = stream.execution.fit_job.train

    def diverging(*arguments: Any) -> Any:
        if arguments[-1].until is None:
            raise Diverged("the loss is nan at step 3 of 9", 3)
        return honest(*arguments)

    monkeypatch.setattr(stream.execution.fit_job, "train", diverging)
    learner = f"adapter:2/4:select=halving{restarts}"
    run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners=learner, epochs=3, learning_rate=None))
    fits = events_of(tmp_path, "fit")
    assert [fit["until"] for fit in fits] == [1] * len(TASKS)
    finalists = [event for event in events_of(tmp_path, "search") if "failed" in event]
    assert [event["candidate"] for event in finalists] == [fit["chosen"] for fit in fits]
    (found,) = read_results(tmp_path)["learners"].values()
    for fit in fits:
        entry = found["selection"][fit["task"]]
        assert entry["epochs"] == dict.fromkeys(entry["candidates"], 1)
        assert entry["candidates"][fit["chosen"]] == max(entry["candidates"].values())
    assert not found["failures"]
    assert not [*(tmp_path / "store" / "states").glob("*")], "no state is left after the choice"
    assert verify(tmp_path, rerun=None).findings == ()


# ---- what is read


@dataclass
class Reader:
    """Notes what a run does: ("fit", learner, task) when the ledger has a fit, and ("read", learner, task, kind of the
    job) when a job reads test rows."""

    notes: list[tuple[str, ...]] = field(default_factory=list)
    job: Job | None = None

    def read(self, task: str) -> None:
        if self.job is not None:
            self.notes.append(("read", self.job.learner, task, self.job.kind))


class WatchedSplit(EncodedSplit):
    """A test split that tells a reader of each access to its rows."""

    def __getattribute__(self, name: str) -> Any:
        if name in {"ids", "types", "target", "offsets", "rows"} and "reader" in (
            own := object.__getattribute__(self, "__dict__")
        ):
            own["reader"].read(own["task"])
        return super().__getattribute__(name)


def watched_split(split: EncodedSplit, reader: Reader, task: str) -> WatchedSplit:
    found = WatchedSplit(**vars(split))
    found.__dict__.update(reader=reader, task=task)
    return found


@contextmanager
def watching() -> Iterator[Reader]:
    """Instruments all runs of this process."""
    reader = Reader()
    execute, append = stream.execution.job._execute, Ledger.append

    def sampled(*arguments: Any) -> Any:
        task = sampled_task(*arguments)
        return replace(task, test=watched_split(task.test, reader, arguments[1]))

    def executed(workbench: Any, job: Job, *rest: Any) -> JobResult:
        reader.job = job
        try:
            return execute(workbench, job, *rest)
        finally:
            reader.job = None

    def appended(ledger: Ledger, event: Any) -> Any:
        if event["event"] == "fit":
            reader.notes.append(("fit", event["learner"], event["task"]))
        return append(ledger, event)

    with (
        patch.object(stream.execution.workbench, "sampled_task", sampled),
        patch.object(stream.execution.job, "_execute", executed),
        patch.object(Ledger, "append", appended),
    ):
        yield reader


SELECTIONS = [
    "adapter:2/4",
    "adapter:2/4/8:select=random:2",
    "adapter:2/4/8/16:select=halving",
    "topk:1/2:scope=first:2",
    "lora:2/4:restarts=2",
    "head:learning_rate=1e-2/1e-1",
    "nobert:words",  # chooses inside its fit
    *(["bitfit:learning_rate=1e-3/1e-2/1e-1:select=optuna:2"] if find_spec("optuna") else []),
]


@settings(max_examples=14, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    learners=st.lists(st.sampled_from(SELECTIONS), min_size=1, max_size=2, unique=True),
    evaluate=st.sampled_from(["full", "audited", "square"]),
    order=st.permutations(TASKS),
)
def test_no_test_row_is_read_before_the_winner_is_fixed(
    tiny_tasks: Path, tiny_backbone: Path, learners: list[str], evaluate: str, order: list[str]
) -> None:
    searching = {"search"} if learners != ["nobert:words"] else set()
    with tempfile.TemporaryDirectory() as folder, watching() as reader:
        out = Path(folder)
        given: dict[str, Any] = {
            "learners": ",".join(learners),
            "evaluate": evaluate,
            "order": ",".join(order),
            "learning_rate": None,
        }
        if not searching:
            given |= {"epochs": None, "batch_size": None}  # a run in which nothing trains refuses them
        run(**tiny_settings(tiny_tasks, tiny_backbone, out, **given))
        kinds = {event["event"] for event in ledger_of(out)}
        verdict = verify(out)
    assert {"fit", "before", "evaluate", *searching} <= kinds
    check_reads(reader, learners, TASKS)
    assert verdict.findings == ()


def check_reads(reader: Reader, learners: Sequence[str], tasks: Sequence[str]) -> None:
    """Checks that no job reads test rows of a task before the ledger has the learner's fit of it."""
    fixed: set[tuple[str, ...]] = set()
    reads = 0
    for what, *about in reader.notes:
        if what == "fit":
            fixed.add(tuple(about))
            continue
        learner, task, kind = about
        reads += 1
        assert kind not in ("search", "fit"), f"{learner} reads test rows of {task} in a {kind} job"
        assert (learner, task) in fixed, f"{learner} reads test rows of {task} before its winner is fixed"
    assert reads >= len(learners) * len(tasks), "the reader sees what is read"


@pytest.mark.parametrize("evaluate", ["audited", "square"])
def test_a_choice_on_twins_reads_no_test_row_either(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, evaluate: str
) -> None:
    twins, learner = ("sms_spam", "rte"), "adapter:2/4:scope=twin"
    given = {"suite": ",".join(twins), "evaluate": evaluate, "learning_rate": None}
    limits = {"train_examples": 40, "test_examples": 20}
    with watching() as reader:
        run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners=learner, **given, **limits))
    check_reads(reader, [learner], twins)
    assert {event["task"] for event in events_of(tmp_path, "search")} == {f"twin:{task}" for task in twins}
    assert verify(tmp_path, rerun=None).findings == ()


def test_the_reader_notices_a_search_that_looks_at_test_rows(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = stream.execution.fit_job.trainer_named

    class Peeking:
        def fit(self, request: Any, state: Any) -> Any:
            assert np.asarray(request.data.test.target).size > 0
            return honest("loop").fit(request, state)

    monkeypatch.setattr(stream.execution.fit_job, "trainer_named", lambda name: Peeking())
    with watching() as reader:
        run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners="adapter:2/4"))
    assert ("read", "adapter:2/4", TASKS[0], "search") in reader.notes


def test_a_missing_optuna_is_told_before_the_run_begins(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream.selection.sampler, "find_spec", lambda name: None)
    with pytest.raises((InputError, InputErrors), match="Optuna is not installed"):
        run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "out", learners="adapter:2/4:select=optuna:2"))
    assert not (tmp_path / "out" / "ledger.jsonl").exists()
