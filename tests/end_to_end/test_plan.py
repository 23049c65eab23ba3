"""`taskstream plan`: what `run` would do, counted without doing it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stream import run
from stream.engine.estimate import EvaluationSpeed, FitSpeed
from tests import typed_events
from tests.runs import TASKS, Answer, as_arguments, call, events_of, ledger_of, tiny_settings

LEARNERS = ("adapter:4", "full:sequential", "head")


def planned(settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = call("plan", *as_arguments(settings | more), "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    document: dict[str, Any] = json.loads(answer.out)
    return document


def files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def done(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a finished run."""
    out = tmp_path_factory.mktemp("done") / "run"
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, learners=",".join(LEARNERS), epochs=2)
    run(**settings)
    return settings


def test_the_options_are_those_of_run() -> None:
    plan, ran = (call(verb, "--help").out.partition("Options")[2] for verb in ("plan", "run"))
    assert plan == ran
    assert plan.count("--") > 15


def test_it_leaves_nothing_behind_and_promises_no_time(done: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "none"
    document = planned(done, out=out)
    t, n = len(TASKS), len(LEARNERS)
    assert document["jobs"] == {
        "before": {"all": n, "done": 0, "in_store": 0},
        "fit": {"all": n * t, "done": 0, "in_store": 0},
        "evaluate": {"all": n * t, "done": 0, "in_store": 0},
        "audit": {"all": 0, "done": 0, "in_store": 0},
    }
    cells = t * (t + 1) // 2
    assert document["cells"] == {"before": n * t, "measured": (n - 1) * cells, "partly-measured": cells}  # the head
    assert document["cells_left"] == n * (t + t * (t + 1) // 2)
    assert document["seconds"] is document["flops_per_second"] is None
    assert "unknown until the first fits are done" in call("plan", *as_arguments(done | {"out": out})).out
    assert list(tmp_path.iterdir()) == []


def test_the_flops_are_those_that_the_fits_then_need(done: dict[str, Any], tmp_path: Path) -> None:
    """Both epochs are run: patience is longer. All rows are within one bucket, so batches have the same shapes."""
    document = planned(done, out=tmp_path / "none")
    needed: Counter[str] = Counter()
    for fit in events_of(Path(done["out"]), "fit"):
        assert len(fit["losses"]) == 2
        needed[fit["learner"]] += fit["flops"]
    assert {name: learner["flops_left"] for name, learner in document["learners"].items()} == needed


def test_of_a_finished_run_nothing_is_left(done: dict[str, Any]) -> None:
    before = files(Path(done["out"]))
    document = planned(done)
    assert all(counts["all"] == counts["done"] for counts in document["jobs"].values())
    assert (document["cells_left"], document["seconds"]) == (0, 0.0)
    assert "all jobs are done" in call("plan", *as_arguments(done)).out
    assert files(Path(done["out"])) == before


def test_fits_in_a_shared_store_are_found_along_the_chain(done: dict[str, Any], tmp_path: Path) -> None:
    store = Path(done["out"]) / "store"
    document = planned(done, out=tmp_path / "other", store=store, suite="sms_spam,colours")
    assert document["jobs"]["fit"] == {"all": 6, "done": 0, "in_store": 6}
    assert all(learner["fits_left"] == learner["fit_seconds"] == 0 for learner in document["learners"].values())
    # In another order only the isolated learners' fits are the same.
    document = planned(done, out=tmp_path / "other", store=store, order="rte,colours,sms_spam")
    assert {name: learner["fits_in_store"] for name, learner in document["learners"].items()} == {
        "adapter:4": 3, "full:sequential": 0, "head": 3,
    }  # fmt: skip
    assert document["learners"]["full:sequential"]["basis"] == "own"
    assert not (tmp_path / "other").exists()


def test_a_learner_more_goes_at_the_rate_of_the_others(done: dict[str, Any]) -> None:
    document = planned(done, learners=",".join((*LEARNERS, "lora:2")))
    (added,) = [learner for name, learner in document["learners"].items() if name == "lora:2"]
    assert (added["basis"], added["fits_left"]) == ("others", len(TASKS))
    fits = events_of(Path(done["out"]), "fit")
    rate = sum(fit["flops"] for fit in fits) / sum(fit["seconds"] for fit in fits)
    assert document["flops_per_second"] == pytest.approx(rate)
    assert added["fit_seconds"] == pytest.approx(added["flops_left"] / rate)
    assert document["seconds"] == pytest.approx(added["fit_seconds"] + added["evaluate_seconds"])
    assert sum(learner["fits_left"] for learner in document["learners"].values()) == len(TASKS)


def test_cells_by_provenance_are_those_the_run_then_has(done: dict[str, Any], tmp_path: Path) -> None:
    settings = done | {"out": str(tmp_path / "run"), "store": f"{done['out']}/store", "evaluate": "audited"}
    document = planned(settings)
    run(**settings)
    found: Counter[str] = Counter()
    for event in ledger_of(tmp_path / "run"):
        for cell in event.get("cells", ()):
            found["before" if event["event"] == "before" else cell["provenance"]] += 1
        found["certified"] += event.get("certified", 0)
    assert document["cells"] == found
    assert document["cells_left"] == found.total() - found["certified"]


@pytest.mark.parametrize("width", [80, 120])
def test_the_page(done: dict[str, Any], monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    answer = call("plan", *as_arguments(done | {"learners": ",".join((*LEARNERS, "lora:2"))}), "--display", "plain")
    assert (answer.code, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= width
    assert "28 jobs: 4 evaluations before training, 12 fits, 12 rows of R; 21 done; 7 left" in " ".join(
        answer.out.split()
    )
    assert all(name in answer.out for name in (*LEARNERS, "lora:2", "others"))


def test_it_refuses_what_run_refuses(done: dict[str, Any], tmp_path: Path) -> None:
    def both(**more: Any) -> list[Answer]:
        arguments = as_arguments(done | more)
        return [call(verb, *arguments, "--display", "none") for verb in ("plan", "run")]

    for more in ({"suite": "nothing", "learners": "nobody"}, {"max_length": 32}, {"column": "text"}):
        plan, ran = both(**more)
        assert plan == ran
        assert plan.code == 2


def test_another_run_in_the_default_folder_does_not_stop_a_plan(
    done: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "latest").symlink_to(done["out"], target_is_directory=True)
    others = {key: value for key, value in done.items() if key != "out"} | {"epochs": 1, "learners": "head"}
    document = planned(others)
    assert (document["jobs"]["fit"]["done"], document["out"]) == (0, "runs/latest-2")
    assert "runs/latest holds another run" in "".join(document["notes"])
    refused = call("plan", *as_arguments(others | {"out": done["out"]}))
    assert (refused.code, "give another --out" in refused.err) == (2, True)


def test_a_pace_knows_that_training_stops_early() -> None:
    pace = FitSpeed()
    for losses, flops, seconds in ([[1.0] * 4, 400.0, 2.0], [[1.0] * 6, 600.0, 3.0]):
        pace.add(typed_events.fit("x", 1, "cola", losses=tuple(losses), flops=flops, seconds=seconds), epochs=10)
    assert pace.rate == 200
    assert pace.seconds_for(1000) == pytest.approx(2.5)  # half of ten epochs, 500 FLOPs


def test_answers_take_as_long_as_they_did_for_that_task_else_by_rows() -> None:
    answers = EvaluationSpeed()
    for task, n, seconds in (("cola", 10, 1.0), ("cola", 10, 3.0), ("rte", 20, 4.0)):
        answers.add(typed_events.cell(task, n=n, seconds=seconds))
    assert [answers.seconds_for("cola", 10), answers.seconds_for("rte", 20), answers.seconds_for("qqp", 100)] == [
        2.0,
        4.0,
        20.0,
    ]
