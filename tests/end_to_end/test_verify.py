"""`taskstream verify` and `taskstream gc` on runs of every kind: whole, interrupted, amended, copied, damaged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import learners.training.fit
import stream.execution.row_job
import stream.verification.rerun
from stream import run
from stream.errors import RunFailed
from stream.storage.cell import Cell
from stream.verification import Verdict, verify
from tests.forging import cells_of, forge
from tests.runs import TASKS, call, deltas_of, events_of, tiny_settings

LEARNERS = "head,adapter:4:sequential"


@pytest.fixture
def given(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> dict[str, Any]:
    return tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", learners=LEARNERS)


@pytest.fixture(scope="module")
def base(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Settings of a finished run."""
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path_factory.mktemp("proof") / "run", learners=LEARNERS)
    run(**settings)
    return settings


@pytest.fixture
def copy(base: dict[str, Any], tmp_path: Path) -> Path:
    return Path(shutil.copytree(base["out"], tmp_path / "copy"))


def passes(out: Path | str, **more: Any) -> Verdict:
    verdict = verify(out, **more)
    assert verdict.findings == ()
    return verdict


@pytest.mark.parametrize("mode", ["full", "square", "audited"])
def test_runs_of_every_mode_pass_and_can_be_evaluated_again(given: dict[str, Any], mode: str) -> None:
    run(**given, evaluate=mode)
    passes(given["out"], rerun=None)


def test_what_was_partly_measured_is_evaluated_again_whole(
    base: dict[str, Any], copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, again = stream.verification.rerun.execute, list[Cell]()

    def watched(*arguments: Any) -> Any:
        scored = honest(*arguments)
        again.extend(scored.cells)
        return scored

    monkeypatch.setattr(stream.verification.rerun, "execute", watched)
    answer = call("verify", base["out"], "--rerun", "all", "--display", "plain")
    assert (answer.code, answer.err) == (0, "")
    t = len(TASKS)
    assert f"{t * (t + 1) // 2} measured, {t * (t + 1) // 2} partly measured" in answer.out  # the adapter, the head
    assert f"{t * (t + 1)} cells of R follow" in answer.out
    assert f"of {len(again)} cells evaluated again, {len(again)} gave the same logits" in " ".join(answer.out.split())
    assert {cell.provenance for cell in again} == {"measured"}

    def measured(events: list[dict[str, Any]]) -> None:
        for event in events:
            for cell in event.get("cells", ()):
                cell["provenance"] = "measured"
                del cell["error"]

    forge(copy, measured)  # as earlier versions wrote it
    assert "cells_partly_measured" not in (copy / "results.json").read_text()
    assert '"errors"' not in (copy / "results.json").read_text()
    passes(copy, rerun=2)
    forge(
        copy, lambda events: cells_of(events, "adapter:4:sequential", TASKS[0])[0].update(provenance="partly-measured")
    )
    (finding,) = verify(copy).findings
    assert (finding.what, finding.expected) == (f"this cell has a wrong provenance, task {TASKS[0]}", "measured")


def test_a_run_interrupted_after_every_job_passes_each_time(given: dict[str, Any]) -> None:
    class Crash(BaseException):
        """No exception that the engine would answer by writing its results."""

    def one_job() -> None:
        started: list[str] = []

        def crash(event: dict[str, Any]) -> None:
            started.extend([event["job"]] if event["event"] == "start" else [])
            if len(started) == 2:
                raise Crash

        run(**given, handle=crash)

    out = Path(given["out"])
    for jobs in range(1, 14):
        with pytest.raises(Crash):
            one_job()
        verdict = passes(out)
        assert f"unfinished: {jobs} of 14 jobs are done" in verdict.notes
        assert verdict.counts["documents"].get("documents", 0) == (0 if jobs < 6 else 3)  # after the first arrival
    lost = events_of(out, "fit")[0]
    (out / "store" / "deltas" / f"{lost['delta']}.safetensors").unlink()
    assert verify(out).findings[0].what == "the Delta of this fit is missing"
    with pytest.raises(Crash):
        one_job()  # learned again; its rows are not, but the documents still show them
    passes(out)
    run(**given)
    assert passes(out, rerun=None).notes == ()


def test_documents_older_than_the_ledger_are_told_and_held_to_what_it_was(given: dict[str, Any]) -> None:
    out, then = Path(given["out"]), Path(given["out"]).parent / "then"

    def keep(event: dict[str, Any]) -> None:
        if event["event"] == "row" and event["arrival"] == 3 and not then.exists():
            shutil.copytree(out, then)

    run(**given, handle=keep)
    shutil.copy(then / "results.json", out / "results.json")  # newer matrices beside it: a crash between the two
    (note,) = passes(out).notes
    assert note.startswith("results.json is 5 lines older than the ledger")
    shutil.copy(then / "head" / "R.csv", out / "head" / "R.csv")
    passes(out)
    text = (out / "results.json").read_text()
    (out / "results.json").write_text(text.replace('"seed": 0', '"seed": 1', 1))
    (finding,) = verify(out).findings
    assert (finding.what, finding.expected, finding.found) == (
        "the results differ from those of the ledger's events: /seed", "0", "1",
    )  # fmt: skip
    run(**given)
    shutil.copy(then / "head" / "R.csv", out / "head" / "R.csv")  # older than the results: that no crash leaves
    (finding,) = verify(out).findings
    assert finding.file == str(out / "head" / "R.csv")


def test_a_torn_last_line_is_told(given: dict[str, Any]) -> None:
    run(**given)
    with (Path(given["out"]) / "ledger.jsonl").open("a") as file:
        file.write('{"event": "fi')
    (note,) = passes(given["out"]).notes
    assert note == "the ledger ends with 13 bytes of an unfinished line, which a crash left"


def test_a_ledger_cut_at_the_end_of_a_line_is_found(copy: Path) -> None:
    path = copy / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    finding = verify(copy).findings[0]
    assert (finding.what, finding.file) == (
        "the ledger was cut: the results were made from more lines than it has", str(path),
    )  # fmt: skip


def test_amended_runs_pass(given: dict[str, Any]) -> None:
    run(**given)
    run(**{**given, "suite": given["suite"] + ",stsb", "learners": LEARNERS + ",majority"})
    passes(given["out"], rerun=None)
    (Path(given["out"]) / "earlier").mkdir()  # earlier versions let a call leave out a learner
    shutil.copy(Path(given["out"]) / "majority" / "R.csv", Path(given["out"]) / "earlier")
    assert any("learners that the last call did not use: earlier" in note for note in passes(given["out"]).notes)


def test_a_store_shared_with_another_run(given: dict[str, Any], tmp_path: Path) -> None:
    store = tmp_path / "shared"
    run(**given, store=str(store))
    run(**{**given, "out": str(tmp_path / "other"), "store": str(store), "order": "seed:3"})
    verdict = passes(given["out"])
    assert verdict.counts["store"]["fits"] == 6
    assert verdict.counts["store"]["other_deltas"] == verdict.counts["store"]["deltas"] - 6 > 0
    shutil.move(store, tmp_path / "moved")
    assert not verify(given["out"]).passed
    passes(given["out"], store=tmp_path / "moved")
    (other,) = [
        path
        for path in (tmp_path / "moved" / "deltas").iterdir()
        if path.stem in {*deltas_of(tmp_path / "other").values()} - {*deltas_of(Path(given["out"])).values()}
    ][:1]
    other.write_bytes(other.read_bytes()[:-1])
    finding = verify(given["out"], store=tmp_path / "moved").findings[0]
    assert (finding.file, finding.learner) == (str(other), None)


@pytest.mark.parametrize("mode", ["full", "audited"])
def test_runs_with_fits_that_failed_pass(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    honest = learners.training.fit.task_loss

    def diverging(output: Any, target: Any) -> Any:
        loss = honest(output, target)
        return loss * float("nan") if output.requires_grad and output.shape[1] == 3 else loss

    monkeypatch.setattr(learners.training.fit, "task_loss", diverging)
    run(**given, evaluate=mode)
    assert ["failed" in event for event in events_of(Path(given["out"]), "fit")].count(True) == 2
    assert passes(given["out"], rerun=None).counts["store"]["fits"] == 4


def test_a_violation_the_run_found_itself_is_a_fail_until_the_row_is_done_again(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, calls = stream.execution.row_job.evaluate, [0]

    def unsteady(*arguments: Any) -> Any:
        from dataclasses import replace

        calls[0] += 1
        score = honest(*arguments)
        return replace(score, logits="0" * 64) if calls[0] == 5 else score  # 3 before training, 1, then of the 2nd row

    monkeypatch.setattr(stream.execution.row_job, "evaluate", unsteady)
    given |= {"learners": "head"}
    with pytest.raises(RunFailed):
        run(**given)
    finding = verify(given["out"]).findings[0]
    assert "the row was not evaluated again since" in finding.what
    assert (finding.learner, finding.task, finding.arrival) == ("head", TASKS[0], 2)
    run(**given)
    passes(given["out"])


def test_the_command_passes_and_says_so_in_plain_ascii(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = call("verify", str(copy), "--rerun", "3")
    assert (answer.code, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= 80
    assert answer.out.isascii()
    words = " ".join(answer.out.split())
    assert "PASS 2 learners on 3 tasks: 12 cells of R follow from 6 finished fits whose Deltas are intact" in words
    assert "3 later evaluations of isolated learners gave the same logits bit for bit" in words
    assert "of 3 cells evaluated again, 3 gave the same logits bit for bit" in words


def test_the_command_names_the_first_difference(copy: Path) -> None:
    path = copy / "store" / "deltas" / f"{deltas_of(copy)['head', 'colours']}.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-5] ^= 1
    path.write_bytes(raw)
    answer = call("verify", str(copy), "--display", "plain", "--rerun", "all")
    assert (answer.code, answer.err) == (1, "")
    said = [line.split() for line in answer.out.partition("FAIL")[2].splitlines()]
    assert " ".join(said[0]) == "a stored Delta changed"
    assert {"learner": "head", "task": "colours", "arrival": "2"}.items() <= {s[0]: s[-1] for s in said if s}.items()
    assert all(any(line[:1] == [key] for line in said) for key in ("file", "tensor", "expected", "found"))
    assert "no cell was evaluated again" in answer.out
    document = json.loads(call("verify", str(copy), "--display", "json").out)
    assert document["passed"] is False
    assert document["findings"][0]["file"] == str(path)
    assert len(document["findings"][0]["expected"]) == 64


def test_no_run_and_bad_options(tmp_path: Path, copy: Path) -> None:
    for arguments in ([str(tmp_path)], [str(tmp_path / "nowhere")], [str(copy), "--rerun", "some"]):
        answer = call("verify", *arguments)
        assert (answer.code, len(answer.errors), answer.out) == (2, 1, "")


def test_a_run_of_another_version_is_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.storage.ledger.SCHEMA", 99)
    answer = call("verify", str(copy))
    assert answer.code == 2
    assert "expected schema 99; found schema" in answer.err


def test_a_read_only_folder_with_nothing_else_at_hand(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKSTREAM_CACHE", str(copy / "nowhere"))
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    for path in copy.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        passes(copy)
    finally:
        for path in copy.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before


def test_a_forgery_that_is_consistent_needs_the_model(copy: Path) -> None:
    def better(events: list[dict[str, Any]]) -> None:
        for cell in cells_of(events, "head", TASKS[0]):
            cell["score"] = 0.999

    forge(copy, better)
    assert call("verify", str(copy), "--display", "none").code == 0
    answer = call("verify", str(copy), "--rerun", "all")
    assert answer.code == 1
    assert "evaluated again, this cell has another score" in " ".join(answer.out.split())


def test_gc_lists_then_deletes_what_no_ledger_names(copy: Path, base: dict[str, Any]) -> None:
    store = copy / "store"
    kept = sorted(path for path in store.rglob("*") if path.is_file())
    loose = [store / "deltas" / f"{'0' * 64}.safetensors", store / "fits" / f"{'1' * 64}.json"]
    old, new = store / "deltas" / ".old.part", store / "deltas" / ".new.part"
    for path in (*loose, old, new):
        path.write_bytes(b"12345")
    os.utime(old, (0, 0))
    listed = call("gc", str(copy))
    assert (listed.code, listed.err) == (0, "")
    assert "3 files not needed, 15 bytes" in listed.out
    assert "--delete" in listed.out
    assert all(path.exists() for path in (*loose, old))
    document = json.loads(call("gc", str(copy), "--delete", "--display", "json").out)
    assert {file["path"] for file in document["stores"][0]["files"]} == {str(path) for path in (*loose, old)}
    assert sorted(path for path in store.rglob("*") if path.is_file()) == sorted([*kept, new])
    passes(copy)


def garbage(*arguments: object) -> dict[str, Any]:
    answer = call("gc", *map(str, arguments), "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    (store,) = json.loads(answer.out)["stores"]
    return dict(store)


def test_gc_keeps_what_any_registered_run_needs(given: dict[str, Any], tmp_path: Path) -> None:
    """Also runs that are not named, wherever they have moved; a run that is gone must be forgotten by name."""
    store, one, other = tmp_path / "shared", Path(given["out"]), tmp_path / "other"
    run(**given, store=str(store))
    run(**{**given, "out": str(other), "store": str(store), "order": "seed:3"})
    files = [*store.glob("fits/*"), *store.glob("deltas/*")]
    for named in ([one], [other], [store], [one, other, store]):
        found = garbage(*named, "--delete")
        assert found["files"] == []
        assert {Path(folder).resolve() for folder in found["runs"]} == {one.resolve(), other.resolve()}
    with FileLock(other / "ledger.lock"):
        answer = call("gc", str(store), "--delete")
    assert (answer.code, "another process is running" in answer.err) == (2, True)
    moved = other.rename(tmp_path / "moved")
    answer = call("gc", str(store), "--delete")
    assert (answer.code, f"--forget {other}" in answer.err) == (2, True)
    assert garbage(store, moved)["files"] == []
    run(**{**given, "out": str(moved), "store": str(store), "order": "seed:3"})
    assert {Path(folder) for folder in garbage(store)["runs"]} == {one.resolve(), moved}
    answer = call("gc", str(store), "--forget", "moved")
    assert (answer.code, "this run is still there" in answer.err) == (2, True)
    shutil.rmtree(moved)
    answer = call("gc", str(store), "--forget", "movd")
    assert (answer.code, "did you mean moved?" in answer.err) == (2, True)
    assert all(path.exists() for path in files), "nothing was deleted so far"
    gone = garbage(store, "--forget", "moved", "--delete")
    assert gone["files"]
    assert gone["runs"] == [str(one.resolve())]
    passes(one)


def test_gc_keeps_what_a_run_needs_that_left_its_folder_to_another(given: dict[str, Any], tmp_path: Path) -> None:
    store, out, old = tmp_path / "shared", Path(given["out"]).resolve(), tmp_path / "old"
    given |= {"store": str(store), "learners": "head"}
    run(**given)
    files = {*map(str, (*store.glob("fits/*"), *store.glob("deltas/*")))}
    out.rename(old)
    run(**given, seed=1)
    answer = call("gc", str(store), "--delete")
    assert (answer.code, f"is gone: {out} (another run is there now)" in answer.err) == (2, True)
    assert garbage(store, old, "--delete")["files"] == []
    run(**{**given, "out": str(old)})
    found = garbage(store, "--delete")
    assert ({*found["runs"]}, found["files"]) == ({str(out), str(old)}, [])
    assert len([*store.glob("runs/*")]) == 2
    old.rename(out.with_name("again"))
    run(**{**given, "out": str(old), "seed": 2})
    found = garbage(store, "--forget", str(old), "--delete")
    assert {*found["runs"]} == {str(out), str(old)}
    assert {file["path"] for file in found["files"]} == files


@pytest.mark.parametrize("text", ["", "[]", '{"run": 7}', None])
def test_a_damaged_entry_of_another_run_stops_only_gc(given: dict[str, Any], tmp_path: Path, text: str | None) -> None:
    store = tmp_path / "shared"
    (entry := store / "runs" / "other.json").parent.mkdir(parents=True)
    entry.mkdir() if text is None else entry.write_text(text)
    run(**{**given, "store": str(store), "learners": "head"})
    passes(given["out"])
    answer = call("gc", str(store))
    assert (answer.code, f"{entry}: damaged entry of a run" in answer.err) == (2, True)
    assert len([*store.glob("runs/*")]) == 2


def test_gc_of_a_store_in_a_run_that_another_one_uses(given: dict[str, Any], tmp_path: Path) -> None:
    store, other = Path(given["out"]) / "store", tmp_path / "other"
    run(**given)
    run(**{**given, "out": str(other), "store": str(store), "order": "seed:3"})
    assert garbage(given["out"])["files"] == []
    assert {Path(folder).name for folder in garbage(store)["runs"]} == {Path(given["out"]).name, "other"}
    (tmp_path / "store" / "fits").mkdir(parents=True)
    answer = call("gc", str(tmp_path / "store"), "--delete")
    assert (answer.code, "no run of this store is known" in answer.err) == (2, True)


def test_gc_leaves_a_run_under_way_and_what_it_cannot_read_alone(copy: Path, tmp_path: Path) -> None:
    with FileLock(copy / "ledger.lock"):
        answer = call("gc", str(copy), "--delete")
    assert answer.code == 2
    assert "another process is running in this folder" in answer.err
    assert call("gc", str(tmp_path / "nowhere")).code == 2
    ledger = copy / "ledger.jsonl"
    ledger.write_bytes(ledger.read_bytes().replace(b'"seed": 0', b'"seed": 7', 1))
    answer = call("gc", str(copy), "--delete")
    assert answer.code == 2
    assert "the ledger was altered" in answer.err
