"""What a new run says before its first slow step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import stream.engine.outlook
from learners.backbones.published import known_architecture
from learners.specification.family import parse_learner
from stream import plan, run
from stream.config.resolve import resolve_config
from stream.engine.outlook import Outlook, outlook
from stream.engine.resolve import resolve
from stream.engine.work import WorkOf, probed_pace, read_pace, write_pace
from tests.runs import as_arguments, call, tiny_settings

SIZES = {"train_examples": 100, "test_examples": 20, "epochs": 2}


def outlook_of(workers: int = 2, **settings: Any) -> Outlook:
    config, _ = resolve_config({"suite": "glue9", **SIZES, **settings})
    return outlook(config, resolve(config), workers)


@pytest.mark.parametrize("evaluate", ["full", "square", "audited"])
def test_the_numbers_are_those_of_the_plan(
    evaluate: str, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    learners = "full:sequential,adapter:4,head"
    given = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", learners=learners, evaluate=evaluate)
    config, _ = resolve_config(given)
    found, planned = outlook(config, resolve(config), 1), plan(**given)
    document = planned.as_dict()
    assert (found.tasks, found.learners) == (len(planned.order), 3)
    assert found.fits == document["jobs"]["fit"]["all"]
    assert found.cells == document["cells_left"]


def test_one_count_of_fits_before_and_after(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    """A fit of a halving search has several jobs, and counts once."""
    learner = "adapter:2/4/8/16:epochs=9:select=halving:restarts=1"
    given = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", learners=f"{learner},head", suite="sms_spam")
    given.pop("epochs")  # the learner states its own
    config, _ = resolve_config(given)
    found, document = outlook(config, resolve(config), 1), plan(**given).as_dict()
    assert (found.fits, found.to_choose) == (6, 5)
    assert document["learners"][learner]["fits"] == {"all": 5, "to_choose": 5, "done": 0}
    page = " ".join(call("plan", *as_arguments(given), "--display", "plain").out.split())
    assert "2 learners: 6 fits (5 to choose)" in page
    assert "2 evaluations before training, 6 fits (5 to choose) in 11 jobs, 2 rows of R" in page
    results = run(**given)
    assert results[learner].cost.search_fits == 5
    after = plan(**given).as_dict()
    assert (after["learners"][learner]["fits_left"], after["jobs_left"]) == (0, 0)


def test_a_new_run_has_a_guess_of_its_time(tmp_path: Path) -> None:
    given = {"suite": "cola,rte", **SIZES, "learners": "adapter:4", "out": tmp_path / "new"}
    page = " ".join(call("plan", *as_arguments(given), "--display", "plain").out.split())
    assert page.count("(a first guess for this machine)") == 2, "in the first line and in the last one"
    given["seed"] = "0-1"
    page = " ".join(call("plan", *as_arguments(given), "--display", "plain").out.split())
    assert f"results go to {tmp_path / 'new'} " in page
    assert page.count("(a first guess for this machine)") == 2


def test_the_time_grows_with_the_work_and_shrinks_with_the_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKSTREAM_CACHE", str(tmp_path))
    monkeypatch.setattr(stream.engine.outlook, "cores", lambda: 4)
    monkeypatch.setattr(stream.engine.outlook, "probed_pace", lambda: 1e9)

    def seconds(workers: int = 2, **settings: Any) -> float:
        found = outlook_of(workers, learners=settings.pop("learners", "full:isolated"), **settings).seconds
        assert found is not None
        return found

    once = seconds()
    assert seconds(1) == pytest.approx(2 * once)
    assert seconds(8) == pytest.approx(once / 2), "four cores"
    assert seconds(train_examples=200) > 1.5 * once
    assert seconds(epochs=4) > 1.5 * once
    assert seconds(learners="head") < once / 3, "its layers are computed once"
    assert seconds(learners="adapter:64") < once
    assert seconds(4, learners="full:sequential") > 2 * seconds(4), "its fits wait for each other"
    assert seconds(learners="majority", epochs=None) == 0
    assert seconds(backbone="bert-base-uncased") > 40 * once


def test_the_pace_of_earlier_runs_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKSTREAM_CACHE", str(tmp_path))
    monkeypatch.setattr(stream.engine.outlook, "probed_pace", lambda: 1e9)
    config, _ = resolve_config({"suite": "glue9", **SIZES})
    file = stream.engine.outlook.pace_file(config, known_architecture("embedded"))
    guess = outlook_of()
    assert not guess.measured
    write_pace(file, 2e9)
    known = outlook_of()
    assert known.measured
    assert known.seconds == pytest.approx((guess.seconds or 0) / 2)
    for damage in ("", "{}", '{"flops_per_second": "x"}', '{"flops_per_second": -1}', '{"flops_per_second": NaN}'):
        file.write_text(damage)
        assert read_pace(file) is None
    assert not outlook_of().measured


def test_a_run_leaves_its_pace(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKSTREAM_CACHE", str(tmp_path / "cache"))
    given = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", suite="colours", learners="adapter:4")
    run(**given)
    assert not list((tmp_path / "cache" / "known").glob("pace-*")), "too short to tell"
    monkeypatch.setattr("stream.engine.work.LEAST", 0.0)
    run(**given | {"seed": 1, "out": tmp_path / "other"})
    (file,) = (tmp_path / "cache" / "known").glob("pace-*")
    assert (read_pace(file) or 0) > 0


def test_the_sentence(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    text = Outlook(26, 7, 182, 2639, 2480, False, "runs/latest", 2, 12_000.0, True).text
    assert text == (
        "26 tasks with 2,480 training rows, 7 learners: 182 fits, 2,639 evaluations on 2 processes, about 3 hours "
        "(at the pace of earlier runs); results go to runs/latest"
    )
    of_files = Outlook(2, 1, 2, 4, 10_000, True, "x", 1, 40.0, True).text
    assert "2 tasks with at most 10,000 training rows" in of_files
    assert "at most about 40 seconds" in of_files
    for seconds, told in ((0.2, "1 second"), (44, "40 seconds"), (100, "2 minutes"), (5500, "2 hours")):
        assert f"about {told} (a first guess" in Outlook(1, 1, 1, 2, None, False, "x", 1, seconds, False).text
    assert "about" not in Outlook(1, 1, 1, 2, None, False, "x", 1, None, False).text
    given = as_arguments(tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", suite="colours"))
    for verb in ("plan", "run"):
        said = " ".join(call(verb, *given, "--display", "plain").out.split())
        assert "1 task, 1 learner: 1 fit, 2 evaluations on 1 process; results go to" in said
    assert "1 fit, 2 evaluations" not in " ".join(call("run", *given, "--display", "plain").out.split()), "it is done"


def test_the_guess_is_a_pace_of_a_processor() -> None:
    assert 1e8 < probed_pace(0.02) < 1e13
    work = WorkOf(known_architecture("bert-base-uncased"), parse_learner("full:isolated"), 128)
    assert work.fit("cola", 100, 1) == pytest.approx(6 * 85e6 * 100 * 11, rel=0.05), "6 per parameter and token"
