"""The proof of a run: what is whole passes, what is not is found and named, whoever changed it and however well."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stream.verification.rerun
from stream import run
from stream.execution.result import Scored
from stream.verification import Verdict, verify
from tests.forging import cells_of, event_of, forge
from tests.runs import TASKS, tiny_settings

ISOLATED, SEQUENTIAL = "adapterbias:share=alpha:l0=0.5", "adapter:4:sequential"
UNCHECKED = {"config.toml", "workers.log"}
Events = list[dict[str, Any]]


class World(NamedTuple):
    """A finished run, the cache of its data and its backbone, all in one folder of its own."""

    root: Path
    settings: dict[str, Any]

    @property
    def out(self) -> Path:
        return self.root / "run"

    @property
    def files(self) -> list[Path]:
        return sorted(
            path
            for path in self.root.rglob("*")
            if path.is_file() and path.name not in UNCHECKED and path.suffix != ".lock" and path.parent.name != "known"
        )


@pytest.fixture(scope="module")
def world(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("verify")
    shutil.copytree(tiny_backbone, root / "backbone")
    learners = f"{ISOLATED},{SEQUENTIAL}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TASKSTREAM_CACHE", str(root / "cache"))
        given = tiny_settings(tiny_tasks, root / "backbone", root / "run", learners=learners, evaluate="audited")
        run(**given)
        yield World(root, given)


@pytest.fixture
def copy(world: World, tmp_path: Path) -> Path:
    """The run's folder, elsewhere, to be harmed."""
    return Path(shutil.copytree(world.out, tmp_path / "copy"))


def first(verdict: Verdict) -> str:
    assert not verdict.passed
    return verdict.findings[0].file


def test_a_finished_run_passes(world: World) -> None:
    verdict = verify(world.out, rerun=None)
    assert verdict.findings == ()
    assert verdict.notes == ()
    counts = verdict.counts
    assert counts["keys"] == {"jobs": 15, "events": 15, "superseded": 0}
    assert counts["store"]["fits"] == counts["store"]["records"] == counts["store"]["deltas"] == 6
    assert counts["cells"] == {"before": 6, "measured": 9, "certified": 1, "audited": 5, "again": 5}
    assert counts["documents"] == {"documents": 3}
    assert counts["encoded"] == {"tasks": 3}
    assert counts["rerun"] == {"cells": 6 + 3 + 6, "validation_scores": 6}


@given(data=st.data())
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_any_damaged_byte_is_found_and_its_file_named(world: World, data: st.DataObject) -> None:
    kinds = sorted(
        {(path.parent.name if path.parent.name in ("deltas", "fits", "scores") else path.name) for path in world.files}
    )
    kind = data.draw(st.sampled_from(kinds))  # every kind of file as often as any other
    path = data.draw(st.sampled_from([path for path in world.files if kind in (path.name, path.parent.name)]))
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        damaged = whole[:place]
    else:
        byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
        damaged = whole[:place] + bytes([byte]) + whole[place + 1 :]
    path.write_bytes(damaged)
    try:
        assert first(verify(world.out)).split(", line")[0] == str(path)
    finally:
        path.write_bytes(whole)


def test_a_changed_line_end_is_found(world: World) -> None:
    """Which readers of text take for the same."""
    for path in (path for path in world.files if path.suffix in (".json", ".csv", ".jsonl")):
        whole = path.read_bytes()
        if b"\n" not in whole:
            continue
        path.write_bytes(whole.replace(b"\n", b"\r", 1))
        try:
            assert first(verify(world.out)).split(", line")[0] == str(path)
        finally:
            path.write_bytes(whole)


def test_a_lost_file_is_named(world: World) -> None:
    for path in {path.parent.name + path.suffix: path for path in world.files}.values():  # one of each kind
        if path.parent.name == "scores":
            continue  # no proof rests on it alone: see test_scores
        whole = path.read_bytes()
        path.unlink()
        try:
            assert first(verify(world.out)) == str(path)
        finally:
            path.write_bytes(whole)


def test_a_changed_tensor_is_named(copy: Path) -> None:
    from learners.delta.delta import Delta, load_delta, save_delta

    def fit(events: Events) -> dict[str, Any]:
        return event_of(events, "fit", SEQUENTIAL, 2)

    seen: list[dict[str, Any]] = []
    forge(copy, lambda events: seen.append(fit(events)), documents=False)
    path = copy / "store" / "deltas" / f"{seen[0]['delta']}.safetensors"
    delta = load_delta(path)
    save_delta(Delta({**delta.tensors, "head.bias": delta.tensors["head.bias"] + 1}, delta.pruned), path)
    (finding,) = [f for f in verify(copy).findings if f.file == str(path)]
    assert (finding.learner, finding.task, finding.arrival) == (SEQUENTIAL, TASKS[1], 2)
    assert finding.tensor == "head.bias"
    assert finding.expected == seen[0]["digests"]["head.bias"] != finding.found


def set_all(learner: str, task: str, **values: Any) -> Callable[[Events], None]:
    def change(events: Events) -> None:
        for cell in cells_of(events, learner, task):
            cell.update(values)

    return change


def set_last(learner: str, task: str, **values: Any) -> Callable[[Events], None]:
    return lambda events: cells_of(events, learner, task)[-1].update(values)


def set_event(kind: str, learner: str, arrival: int, **values: Any) -> Callable[[Events], None]:
    return lambda events: event_of(events, kind, learner, arrival).update(values)


def drop(kind: str, learner: str, arrival: int) -> Callable[[Events], None]:
    return lambda events: events.remove(event_of(events, kind, learner, arrival))


def another_seed(events: Events) -> None:
    events[0]["inputs"]["seed"] = 5


def swapped_keys(events: Events) -> None:
    one, other = event_of(events, "fit", ISOLATED, 1), event_of(events, "fit", ISOLATED, 2)
    one["key"], other["key"] = other["key"], one["key"]


def other_head(events: Events) -> None:
    """The sequential learner's last answer to its first task, said to be that of the body it was learned with."""
    first, *_, last = cells_of(events, SEQUENTIAL, TASKS[0])
    last.update({**first, "provenance": "measured"})


FORGED: dict[str, tuple[Callable[[Events], None], str]] = {
    "a better score in the last row": (set_last(ISOLATED, TASKS[0], score=1.0), "score of this cell"),
    "other logits in the last row": (set_last(ISOLATED, TASKS[0], logits="0" * 64), "logits of this cell"),
    "other predictions": (set_last(ISOLATED, TASKS[1], predictions="0" * 64), "predictions of this cell"),
    "another Delta": (set_last(ISOLATED, TASKS[0], delta="0" * 64), "another Delta than it must"),
    "fewer rows": (set_last(ISOLATED, TASKS[1], n=3), "other rows or batches"),
    "another plan": (set_last(SEQUENTIAL, TASKS[1], plan="0" * 64), "other rows or batches"),
    "forgetting hidden": (other_head, "another Delta than it must"),
    "a certified sequential cell": (set_last(SEQUENTIAL, TASKS[0], provenance="certified"), "provenance"),
    "an audit on cached layers": (set_last(ISOLATED, TASKS[0], provenance="partly-measured"), "wrong provenance"),
    "layers of its own said to be cached": (
        lambda events: event_of(events, "before", SEQUENTIAL, 0)["cells"][0].update(provenance="partly-measured"),
        "wrong provenance",
    ),
    "an audit that was none": (set_event("evaluate", ISOLATED, 3, certified=2), "wrong number of certified cells"),
    "a certified sequential row": (set_event("evaluate", SEQUENTIAL, 3, certified=1), "number of certified cells"),
    "a row without cells": (set_event("evaluate", SEQUENTIAL, 3, cells=[]), "the cells of the plan"),
    "a fit taken out": (drop("fit", ISOLATED, 2), "no fit event with the key"),
    "a row taken out": (drop("evaluate", SEQUENTIAL, 3), "no evaluate event with the key"),
    "another recipe": (set_event("fit", ISOLATED, 1, recipe="0" * 64), "recipe is not that of its inputs"),
    "fewer parameters": (set_event("fit", ISOLATED, 1, kept_parameters=1), "number of kept parameters"),
    "fewer bytes": (set_event("fit", SEQUENTIAL, 3, bytes=1), "number of bytes"),
    "other losses": (set_event("fit", SEQUENTIAL, 3, losses=[0.0]), "ledger and the store differ"),
    "another digest": (set_event("fit", ISOLATED, 1, digests={"head.bias": "0" * 64}), "another hash for this tensor"),
    "two keys swapped": (swapped_keys, "has the key of another job"),
    "another seed": (another_seed, "different values of seed"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_ledger_is_found_though_every_hash_is_right(copy: Path, name: str) -> None:
    change, expected = FORGED[name]
    hopeless = {"a row without cells", "two keys swapped", "another seed"}
    forge(copy, change, documents=name not in hopeless)
    found = [finding.what for finding in verify(copy).findings]
    assert any(expected in what for what in found), found


@pytest.mark.parametrize("value", [None, [7], [{}]])
def test_events_of_another_form_are_told(copy: Path, value: Any) -> None:
    for change in (set_event("evaluate", ISOLATED, 2, cells=value), set_event("fit", ISOLATED, 2, digests=value)):
        forge(copy, change, documents=False)
        assert first(verify(copy)).startswith(str(copy))


UNSEEN: dict[str, Callable[[Events], None]] = {
    "a score everywhere": set_all(ISOLATED, TASKS[0], score=0.999),
    "logits everywhere": set_all(ISOLATED, TASKS[1], logits="0" * 64),
    "an error everywhere": set_all(ISOLATED, TASKS[0], error=0.999),
    "a sequential score": set_last(SEQUENTIAL, TASKS[0], score=0.999),
    "a score before training": lambda events: event_of(events, "before", ISOLATED, 0)["cells"][0].update(score=0.999),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_only_the_model_can_tell_is_found_by_evaluating_again(copy: Path, name: str) -> None:
    forge(copy, UNSEEN[name])
    assert verify(copy).passed  # consistent in itself
    (finding,) = verify(copy, rerun=None).findings
    assert "evaluated again, this cell has another" in finding.what
    assert finding.expected in ("0.999", "0" * 64)


def test_cells_are_drawn_by_seed(world: World) -> None:
    counts = [verify(world.out, rerun=n, seed=n).counts["rerun"] for n in (1, 4, 99)]
    assert [each["cells"] for each in counts] == [1, 4, 15]
    assert [each["validation_scores"] for each in counts] == [1, 2, 6], "the same share, rounded up"


OTHER_BITS = {"logits": "1" * 64}
TURNED = {**OTHER_BITS, "predictions": "0" * 64}


@pytest.mark.parametrize(
    ("changed", "rows", "passes"),
    [(OTHER_BITS, 0, True), (TURNED, 0, True), (TURNED, 3, True), (TURNED, 5, False)],
)
def test_under_other_arithmetic_a_difference_is_told_and_only_a_far_score_is_a_finding(
    copy: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], rows: int, passes: bool
) -> None:
    honest = stream.verification.rerun.execute

    def elsewhere(*arguments: Any) -> Scored:
        (cell,) = honest(*arguments).cells
        way = 1 if cell.score < 0.5 else -1
        return Scored((replace(cell, **changed, score=cell.score + way * rows / cell.n),))

    monkeypatch.setattr(stream.verification.rerun, "execute", elsewhere)
    assert not verify(copy, rerun=1).passed  # this is the machine of the run
    actual = stream.verification.rerun.numerics
    monkeypatch.setattr(stream.verification.rerun, "numerics", lambda *given: {**actual(*given), "torch": "9.0"})
    verdict = verify(copy, rerun=2)
    assert any("torch" in note and "-> 9.0" in note for note in verdict.notes)
    turned = 2 if "predictions" in changed else 0
    assert verdict.notes[-1].startswith(
        f"under this other arithmetic, 0 of 2 cells have equal logits, and {turned} have other predictions"
    )
    assert verdict.passed == passes
    for finding in verdict.findings:
        assert "too far from that of the ledger for a difference of arithmetic" in finding.what


def test_a_metric_that_changed_since_is_told_and_the_logits_are_compared(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.metrics.SCORING_FORMAT", 99)
    monkeypatch.setattr("stream.execution.evaluate_job.score", lambda *given: 0.125)
    verdict = verify(copy, rerun=None)
    assert verdict.passed
    assert [note.split(" differs")[0] for note in verdict.notes] == [
        f"what computes the scores of {task}" for task in ("sms_spam", "colours", "rte")
    ]
    forge(copy, UNSEEN["logits everywhere"])
    assert not verify(copy, rerun=None).passed


def test_what_is_not_at_hand_is_told(world: World, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKSTREAM_CACHE", str(copy / "nowhere"))
    (world.root / "backbone").rename(world.root / "moved")
    try:
        verdict = verify(copy)
    finally:
        (world.root / "moved").rename(world.root / "backbone")
    assert verdict.passed
    data, backbone = verdict.notes
    assert data == "encoded data of 3 tasks are not in the cache, not checked: sms_spam, colours, rte"
    assert backbone.endswith("is not on this machine, its files are not checked")


def test_data_that_the_cache_lacks_are_encoded_to_evaluate_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKSTREAM_CACHE", str(copy / "elsewhere"))
    verdict = verify(copy, rerun=None)
    assert verdict.passed
    assert verdict.counts["rerun"]["cells"] == 15


def test_progress_is_told(world: World) -> None:
    told: list[str] = []
    verify(world.out, rerun=1, progress=told.append)
    assert {"ledger", "Delta 6 of 6", "encoded data of rte", "documents"} <= set(told)


def test_a_run_that_ended_before_its_first_event_has_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_bytes(b'{"event": "led')
    verdict = verify(tmp_path)
    assert verdict.passed
    assert "before its first event" in " ".join(verdict.notes)
    (tmp_path / "store" / "deltas").mkdir(parents=True)
    (tmp_path / "store" / "deltas" / "x.safetensors").touch()
    assert not verify(tmp_path).passed
