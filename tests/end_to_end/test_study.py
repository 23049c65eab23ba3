"""A study through the real command: several seeds and orders are planned, run, resumed, verified and read as one."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

import stream
from stream import InputError, Study, load_study, plan, run, verify
from stream.api.study import write_study
from stream.engine.context import prepare
from stream.engine.job_flops import JobFlops
from stream.study.settings import resolve_study
from tests.runs import Answer, as_arguments, call, deltas_of, events_of, fitted, ledger_of, start, tiny_settings

LEARNERS = ("head", "layernorm:sequential")
TASKS = ("sms_spam", "colours")
GRID = {"seed": "0,1", "order": "paper;colours,sms_spam"}
MEMBERS = 4


@pytest.fixture(scope="module")
def settings(tiny_tasks: Path, tiny_backbone: Path) -> dict[str, Any]:
    some = tiny_settings(tiny_tasks, tiny_backbone, Path(), suite=",".join(TASKS), learners=",".join(LEARNERS))
    return {**some, "train_examples": 40, "test_examples": 20, **GRID}


@pytest.fixture(scope="module")
def done(settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("study") / "out"
    answer = command(settings, out)
    assert (answer.code, answer.err) == (0, "")
    assert [line for line in answer.out.splitlines() if line.startswith("member ")] == [
        f"member {n} of 4: seed {seed}, order {order}"
        for n, (seed, order) in enumerate(((s, o) for s in (0, 1) for o in ("paper", "colours,sms_spam")), start=1)
    ]
    assert "Means over seeds" in answer.out
    return out


def command(settings: dict[str, Any], out: Path, verb: str = "run", display: str = "plain", **more: Any) -> Answer:
    return call(verb, *as_arguments({**settings, "out": out, **more}), "--display", display)


def members_of(out: Path) -> list[str]:
    return [member.folder for member in load_study(out).grid]


def test_members_are_runs_that_share_a_store(done: Path, settings: dict[str, Any]) -> None:
    folders = members_of(done)
    assert len(folders) == MEMBERS
    assert folders[0] == "seed0-paper"
    assert not (done / "ledger.jsonl").exists()
    paper, other = (done / folder for folder in folders[:2])
    assert {learner for learner, _ in fitted(other)} == {"layernorm:sequential"}, "an isolated learner is fitted once"
    isolated = [{key: delta for key, delta in deltas_of(out).items() if key[0] == "head"} for out in (paper, other)]
    assert isolated[0] == isolated[1] != {}
    single = {**settings, "seed": 0, "order": "colours,sms_spam", "store": done / "store"}
    answer = command(single, other, display="json")  # a member is a run as any other
    assert json.loads(answer.out) == json.loads((other / "results.json").read_text())


def test_again_it_does_nothing_and_says_so(done: Path, settings: dict[str, Any]) -> None:
    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in done.rglob("*") if path.is_file()}

    before = content()
    answer = command(settings, done)
    assert answer.code == 0
    assert [line.rpartition(": ")[2] for line in answer.out.splitlines()[:MEMBERS]] == ["finished"] * MEMBERS
    assert content() == before
    document = json.loads(command(settings, done, display="json").out)
    assert document == json.loads((done / "study.json").read_text())
    assert {each["seed"] for each in document["members"]} == {0, 1}
    assert document["learners"]["head"]["average_accuracy"]["n"] == 2


def test_the_plan_counts_a_shared_fit_once(done: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    document = json.loads(command(settings, tmp_path / "new", "plan", "json").out)
    fits = len(TASKS) * len(LEARNERS) * MEMBERS
    assert document["jobs"]["fit"] == {"all": fits, "done": 0, "in_store": 0, "shared": 4}
    assert document["learners"]["head"]["fits_left"] == len(TASKS) * 2, "per seed, whatever the orders"
    assert document["learners"]["layernorm:sequential"]["fits_left"] == len(TASKS) * MEMBERS
    assert not (tmp_path / "new").exists()
    ran = sum(len(fitted(done / folder)) for folder in members_of(done))
    assert ran == sum(learner["fits_left"] for learner in document["learners"].values())
    words = " ".join(command(settings, tmp_path / "new", "plan").out.split())
    assert "4 fits are shared with other members; 36 left" in words
    more = json.loads(command(settings, done, "plan", "json", seed="0-2").out)
    assert more["jobs"]["fit"] == {"all": 24, "done": 16, "in_store": 0, "shared": 2}
    assert "all jobs are done" in command(settings, done, "plan").out
    asked = plan(**{**settings, "out": done, "seed": range(3)})
    assert asked.as_dict() == more
    assert asked.jobs_left == sum(each["jobs_left"] for each in more["members"])


def test_a_sequential_learner_shares_the_fits_of_a_common_beginning(settings: dict[str, Any], tmp_path: Path) -> None:
    """The plan finds them before any Delta exists; the run does not fit them again."""
    orders = "sms_spam,colours,rte;sms_spam,rte,colours"
    given = {**settings, "suite": "sms_spam,colours,rte", "learners": LEARNERS[1], "seed": 0, "order": orders}
    document = json.loads(command(given, tmp_path / "out", "plan", "json").out)
    assert document["jobs"]["fit"] == {"all": 6, "done": 0, "in_store": 0, "shared": 1}
    assert command(given, tmp_path / "out").code == 0
    assert len(fitted(tmp_path / "out" / members_of(tmp_path / "out")[1])) == 2


def test_the_plan_says_what_sharing_saves(settings: dict[str, Any], tmp_path: Path) -> None:
    """Without frozen layers and with all cells measured, exactly the fits of the further order."""

    def planned(**more: str) -> dict[str, Any]:
        found = command({**settings, **more}, tmp_path / "out", "plan", "json")
        document: dict[str, Any] = json.loads(found.out)
        return document

    document = planned(learners="layernorm:sequential")
    assert document["flops"] == pytest.approx(document["flops_alone"])
    document = planned(learners="adapter:4")
    fits = sum(learner["flops_left"] for learner in document["learners"].values())
    assert fits > 0
    assert document["flops_alone"] - document["flops"] == pytest.approx(fits)
    audited = planned(learners="adapter:4", evaluate="audited")
    assert audited["flops_alone"] == document["flops_alone"]
    assert "if each member ran alone" in " ".join(command(settings, tmp_path / "out", "plan").out.split())


def test_the_flops_of_a_plan_are_those_of_the_study(settings: dict[str, Any], tmp_path: Path) -> None:
    """In audited members: fits of the ledgers that were computed, and cells that no certificate replaced."""
    given = {**settings, "learners": "adapter:4,layernorm:sequential", "evaluate": "audited", "out": tmp_path / "out"}
    planned = plan(**given)
    run(**given)
    work = JobFlops(prepare(resolve_study({**given, "seed": 0, "order": "paper", "out": str(given["out"])})[0]))
    found = 0.0
    for folder in members_of(tmp_path / "out"):
        for event in ledger_of(tmp_path / "out" / folder):
            found += event["flops"] if event["event"] == "fit" and not event["cached"] else 0
            for cell in event.get("cells", ()):
                found += work.cell(event["learner"], cell["task"]) if cell["provenance"] != "certified" else 0
    assert planned.flops == pytest.approx(found)
    assert planned.flops_alone > planned.flops


def test_killed_and_continued_it_gives_the_same_document(done: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "killed"
    process = start("run", *as_arguments({**settings, "out": out}), "--display", "none")
    second = out / members_of(done)[1] / "ledger.jsonl"
    until = time.monotonic() + 120
    while not (second.exists() and b'"fit"' in second.read_bytes()):
        assert process.poll() is None, "ended before it was killed"
        assert time.monotonic() < until
        time.sleep(0.005)
    process.kill()
    process.communicate()
    partial = json.loads((out / "study.json").read_text())
    assert partial["members"][0]["finished"]
    assert not all(each["finished"] for each in partial["members"])
    assert "unfinished" in call("report", str(out)).out
    assert command(settings, out).code == 0
    assert (out / "study.json").read_bytes() == (done / "study.json").read_bytes()


def test_more_seeds_extend_it(done: Path, settings: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "more"
    shutil.copytree(done, out)
    before = {folder: (out / folder / "ledger.jsonl").read_bytes() for folder in members_of(out)}
    study = run(**{**settings, "out": out, "seed": [0, 1, 2], "order": ["paper", "colours,sms_spam"]})
    assert isinstance(study, Study)
    assert list(study.members) == [*before, "seed2-paper", members_of(out)[-1]]
    assert study.as_dict() == load_study(out).as_dict() == json.loads((out / "study.json").read_text())
    assert study.document["learners"]["head"]["average_accuracy"]["n"] == 3
    for folder, ledger in before.items():  # the copy has another path, which only its settings say
        now = (out / folder / "ledger.jsonl").read_bytes()
        assert now.startswith(ledger)
        assert b'"event": "fit"' not in now[len(ledger) :]
    answer = command(settings, out)
    assert answer.code == 2
    assert "leaves out members of the study" in answer.err
    assert "seed2-paper" in answer.err


def test_what_a_folder_of_another_kind_says(done: Path, settings: dict[str, Any]) -> None:
    one = {**settings, "seed": 0, "order": "paper"}
    for verb in ("run", "plan"):
        answer = command(one, done, verb)
        assert answer.code == 2
        assert "holds a study of several seeds or orders" in answer.err
        answer = command(settings, done / "seed0-paper", verb)
        assert answer.code == 2
        assert "holds a single run, not a study" in answer.err


def test_errors_of_all_members_come_before_the_first_runs(settings: dict[str, Any], tmp_path: Path) -> None:
    for order, learners, words in (
        ("paper;sms_spam,colours", "head", "two orders are the same"),
        ("paper;colours", "heed", "must name each task"),
        ("seed:1;seed:1", "heed", "given twice"),
        ("paper;nothing,colours", "heed", "unknown task 'nothing'"),
        ("paper;colours,sms_spam", "heed", "unknown learner"),
    ):
        answer = command(settings, tmp_path / "out", order=order, learners=learners)
        assert answer.code == 2
        assert words in answer.err
        assert sum(words in line for line in answer.errors) == 1, "once, not for every seed"
        assert not list(tmp_path.glob("out/*/ledger.jsonl"))


def test_order_given_again_is_another_order(settings: dict[str, Any], tmp_path: Path) -> None:
    given = as_arguments({**settings, "out": tmp_path, "seed": 0, "order": "paper"})
    answer = call("plan", *given, "--order", "colours,sms_spam", "--display", "json")
    assert [each["order"] for each in json.loads(answer.out)["members"]] == [list(TASKS), list(reversed(TASKS))]


def test_its_settings_begin_it_again(done: Path, tmp_path: Path) -> None:
    (tmp_path / "again.toml").write_text(call("config", str(done)).out)
    for file in (tmp_path / "again.toml", done / "config.toml"):
        assert plan(config=file).jobs_left == 0
    values = json.loads(call("config", str(done), "--display", "json").out)
    assert (values["seed"]["value"], values["order"]["value"]) == (GRID["seed"], GRID["order"])


def test_verify_checks_every_member_and_the_document(done: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(done, moved)
    answer = call("verify", str(moved))
    assert (answer.code, answer.err) == (0, "")
    assert "PASS  4 members and study.json" in answer.out
    verdict = json.loads(call("verify", str(moved), "--rerun", "1", "--display", "json").out)
    assert verdict["passed"]
    assert list(verdict["members"]) == members_of(done)
    assert all(each["counts"]["rerun"]["cells"] == 1 for each in verdict["members"].values())
    text = (moved / "study.json").read_text()
    (moved / "study.json").write_text(text.replace('"n": 2', '"n": 5', 1))
    assert call("verify", str(moved)).code == 1
    (moved / "study.json").write_text(text)
    last = moved / members_of(done)[-1] / "ledger.jsonl"
    last.write_bytes(last.read_bytes().replace(b'"logits": "', b'"logits": "0', 1))
    found = verify(moved)
    assert not found.passed
    assert [name for name, each in found.members.items() if not each.passed] == [members_of(done)[-1]]
    answer = call("verify", str(moved))
    assert answer.code == 1
    assert f"FAIL  {members_of(done)[-1]}, of 4 members" in answer.out


def whats(folder: Path) -> list[str]:
    return [finding.what for finding in verify(folder).own]


@pytest.mark.parametrize("removed", [False, True])
def test_verify_finds_a_seed_that_was_dropped(done: Path, tmp_path: Path, removed: bool) -> None:
    """study.json is what the other members give; also if the folders of the seed are gone."""
    moved = Path(shutil.copytree(done, tmp_path / "moved"))
    write_study(moved, tuple(member for member in load_study(moved).grid if member.seed == 0))
    gone = [name for name in members_of(done) if name.startswith("seed1")]
    for name in gone if removed else ():
        shutil.rmtree(moved / name)
    found = whats(moved)
    for name in gone:
        assert f"study.json leaves out a member that the settings of the study give: {name}" in found
    assert any(what.startswith("study.json does not name a run in the folder") for what in found) != removed
    assert call("verify", str(moved)).code == 1


def test_verify_finds_a_dropped_seed_that_the_settings_do_not_name_either(done: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(done, tmp_path / "moved"))
    write_study(moved, tuple(member for member in load_study(moved).grid if member.seed == 0))
    text = (moved / "config.toml").read_text()
    (moved / "config.toml").write_text(text.replace('seed = "0,1"', "seed = 0"))
    gone = [name for name in members_of(done) if name.startswith("seed1")]
    said = "study.json does not name a run in the folder of the study"
    assert sorted(whats(moved)) == sorted(f"{said}: {name}" for name in gone)


def test_verify_finds_a_member_that_is_another_run(done: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(done, tmp_path / "moved"))
    first, other, _, last = members_of(done)
    shutil.rmtree(moved / last)
    shutil.copytree(moved / first, moved / last)
    shutil.rmtree(moved / other)
    shutil.copytree(moved / first, moved / other)
    found = verify(moved).own
    assert [(each.what, Path(each.file).parent.name) for each in found if "this member" in each.what] == [
        ("the tasks of this member arrived in another order than the study gives it", other),
        ("this member has another seed than the study gives it", last),
        ("the tasks of this member arrived in another order than the study gives it", last),
    ]


def test_other_verbs_find_the_members(done: Path) -> None:
    runs = json.loads(call("list", "runs", str(done), "--display", "json").out)
    assert {Path(row["run"]).name for row in runs} == set(members_of(done))
    for folder in (done, done / "store"):
        document = json.loads(call("gc", str(folder), "--display", "json").out)
        (store,) = document["stores"]
        assert len(store["runs"]) == MEMBERS
        assert store["files"] == []
    compared = stream.compare(done / "seed0-paper", done / "seed1-paper")
    assert [entry.name for entry in compared.settings] == ["seed"]
    with pytest.raises(InputError, match="this is a study; name one of its members"):
        stream.compare(done, done / "seed0-paper")
    answer = call("report", str(done / "seed0-paper"), "--display", "json")
    assert json.loads(answer.out) == json.loads((done / "seed0-paper" / "results.json").read_text())


def test_tables_in_memory(tmp_path: Path, settings: dict[str, Any]) -> None:
    import pandas

    rows = {"text": [f"word{i % 7} good" if i % 2 else f"word{i % 5} bad" for i in range(60)]}
    frame = pandas.DataFrame(rows | {"label": [i % 2 for i in range(60)]})
    given = {k: v for k, v in settings.items() if k not in ("suite", "source", "order")}
    for seeds in ([0, 1], [0, 1, 2]):
        study = run(**{**given, "tasks": {"mine": frame}, "seed": seeds, "out": tmp_path / "out"})
        assert len(study.members) == len(seeds)
    assert not events_of(tmp_path / "out" / "seed1-paper", "job failed")


@pytest.mark.usefixtures("warm_workers")
def test_members_have_the_same_workers(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stream.execution import workers

    started = []
    start_one = workers.start_worker

    def counted(errors: Any) -> Any:
        started.append(start_one(errors))
        return started[-1]

    monkeypatch.setattr(workers, "start_worker", counted)
    monkeypatch.setattr("stream.execution.schedule.start_worker", counted)
    study = run(**{**settings, "out": tmp_path / "out", "workers": 2, "order": "paper"})
    assert [len(results) for results in study.members.values()] == [len(LEARNERS)] * 2
    assert len(started) == 2
    assert all(worker.process.poll() is not None for worker in started), "they end with the study"
