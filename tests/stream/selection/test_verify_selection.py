"""`verify` on searches: forged ledgers whose hashes and documents all agree, and which claim another search."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import stream.selection.sampler
from stream import load_results, run
from stream.engine.resume import latest_events
from stream.storage.events import event_of as read_event
from stream.storage.store import fit_of, read_record, record_text
from stream.verification import Finding, verify
from tests.forging import Change, event_of, forge
from tests.runs import TASKS, events_of, tiny_settings

GRID = "adapter:2/4:learning_rate=1e-4/1e-1"
HALVING = "adapter:2/4:learning_rate=1e-4/1e-2:select=halving:restarts=1"
OPTUNA = "bitfit:learning_rate=1e-4/1e-3/1e-2/1e-1:select=optuna:2"
LEARNERS = (GRID, HALVING, *([OPTUNA] if find_spec("optuna") else []))
Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def base(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("searched") / "run"
    given = {"learners": ",".join(LEARNERS), "epochs": 4, "learning_rate": None}
    run(**tiny_settings(tiny_tasks, tiny_backbone, out, **given))
    return out


@pytest.fixture
def copy(base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "copy"))


def findings(copy: Path, change: Change, documents: bool = True) -> list[Finding]:
    forge(copy, change, documents)
    return [finding for finding in verify(copy).findings if finding.file.endswith("ledger.jsonl")]


def trials(events: Events, learner: str, arrival: int) -> Events:
    return [e for e in events if (e["event"], e.get("learner"), e.get("arrival")) == ("search", learner, arrival)]


def place(events: Events, kind: str, learner: str, arrival: int) -> int:
    return events.index(event_of(events, kind, learner, arrival))


def moved(events: Events, source: int, target: int) -> None:
    events.insert(target, events.pop(source))


def test_an_honest_search_passes(base: Path) -> None:
    verdict = verify(base, rerun=2)
    assert verdict.findings == ()
    assert verdict.counts["selection"]["choices"] == len(LEARNERS) * len(TASKS)
    assert verdict.counts["selection"]["trials"] == len(events_of(base, "search"))
    assert not any("Optuna" in note for note in verdict.notes)


def test_results_have_the_score_of_each_restart(base: Path) -> None:
    choices = load_results(base)[HALVING].selection
    whole = json.loads((base / "results.json").read_text())["learners"]
    for arrival, task in enumerate(TASKS, start=1):
        own, other = trials(events_of(base, "search"), HALVING, arrival)[-2:]
        assert "seed" not in own
        assert choices[task].restarts == {0: own["score"], other["seed"]: other["score"]}
        assert "restarts" not in whole[GRID]["selection"][task]


# ---- order


def test_a_row_before_its_choice_fails(copy: Path) -> None:
    def change(events: Events) -> None:
        moved(events, place(events, "evaluate", GRID, 1), place(events, "fit", GRID, 1))

    (found,) = findings(copy, change)
    assert found.what == "test rows of a task were scored before its winner was chosen"
    assert (found.learner, found.task) == (GRID, TASKS[0])


def test_a_row_before_training_that_stands_before_the_choices_fails(copy: Path) -> None:
    def change(events: Events) -> None:
        moved(events, place(events, "before", HALVING, 0), 1)

    (found,) = findings(copy, change)
    assert (found.what, found.learner) == ("test rows of a task were scored before its winner was chosen", HALVING)


@pytest.mark.parametrize("learner", [GRID, HALVING])
def test_a_choice_before_a_trial_fails(copy: Path, learner: str) -> None:
    def change(events: Events) -> None:
        moved(events, place(events, "fit", learner, 2), events.index(trials(events, learner, 2)[-1]))

    found = findings(copy, change)
    assert [each.what for each in found] == ["a choice stands in the ledger before a trial on which it rests"]
    assert (found[0].learner, found[0].task) == (learner, TASKS[1])


def test_a_later_rung_before_an_earlier_one_fails(copy: Path) -> None:
    def change(events: Events) -> None:
        own = trials(events, HALVING, 1)
        moved(events, events.index(own[4]), events.index(own[0]))

    found = findings(copy, change)
    assert {each.what for each in found} == {"a choice stands in the ledger before a trial on which it rests"}


@pytest.mark.parametrize("ended", [True, False])
@pytest.mark.parametrize("documents", [True, False])
def test_a_trial_that_is_missing_fails(copy: Path, ended: bool, documents: bool) -> None:
    """Also if the run pretends that it has not ended."""

    def change(events: Events) -> None:
        events.remove(trials(events, GRID, 1)[-1])
        if not ended:
            events[:] = [event for event in events if event["event"] != "end"]

    what = "a choice stands in the ledger before a trial on which it rests"
    assert what in [each.what for each in findings(copy, change, documents)]


def test_test_scores_of_a_candidate_fail(copy: Path) -> None:
    def change(events: Events) -> None:
        row = json.loads(json.dumps(event_of(events, "evaluate", GRID, 1)))
        row.update(learner="adapter:2:learning_rate=1e-4", key="0" * 64)
        events.insert(2, row)

    found = findings(copy, change)
    assert "test rows were scored with a learner that the run does not have" in [each.what for each in found]


# ---- scores and choices


def raise_loser(events: Events, learner: str, chosen: str | None = None) -> dict[str, Any]:
    """Gives a trial that lost the best score of all."""
    chosen = chosen or event_of(events, "fit", learner, 1)["chosen"]
    loser = next(each for each in trials(events, learner, 1) if each["candidate"] != chosen and "until" not in each)
    loser.update(score=1.0, validation=[*loser["validation"][:-1], 1.0])
    return loser


def test_a_changed_score_fails(copy: Path) -> None:
    def change(events: Events) -> None:
        raise_loser(events, GRID)

    found = findings(copy, change)
    whats = [each.what for each in found]
    assert "this fit does not keep the alternative that is best on the validation rows" in whats
    assert any("the ledger and the store differ in the validation of trial" in what for what in whats)


def test_a_changed_score_fails_without_its_record(copy: Path) -> None:
    recipes = list[str]()
    forge(copy, lambda events: recipes.append(raise_loser(events, GRID)["recipe"]))
    (copy / "store" / "fits" / f"{recipes[0]}.json").unlink()
    found = [each.what for each in verify(copy).findings if each.file.endswith("ledger.jsonl")]
    assert found == ["this fit does not keep the alternative that is best on the validation rows"]


def test_a_score_that_no_epoch_had_fails(copy: Path) -> None:
    def change(events: Events) -> None:
        trials(events, GRID, 3)[0]["score"] = 0.123

    assert "the score of trial 0 is not its best validation score" in [each.what for each in findings(copy, change)]


@pytest.mark.parametrize("learner", [learner for learner in LEARNERS if learner != HALVING])
def test_another_choice_fails(copy: Path, learner: str) -> None:
    """All facts of the loser's fit are in the event, and its Delta in the store, as if it had won."""

    def change(events: Events) -> None:
        fit = event_of(events, "fit", learner, 1)
        loser = next(
            each for each in trials(events, learner, 1) if each["candidate"] != fit["chosen"] and "until" not in each
        )
        record = json.loads((copy / "store" / "fits" / f"{loser['recipe']}.json").read_text())["record"]
        fit.update({name: value for name, value in record.items() if name != "recipe"})
        fit.update(chosen=loser["candidate"], recipe=loser["recipe"])
        fit.pop("seed", None)

    whats = [each.what for each in findings(copy, change)]
    assert "this fit does not keep the alternative that is best on the validation rows" in whats


def test_another_seed_fails(copy: Path) -> None:
    """The worse of two restarts, as if it had been the better."""

    def change(events: Events) -> None:
        fit = event_of(events, "fit", HALVING, 1)
        fit["seed"] = None if fit.get("seed") is not None else trials(events, HALVING, 1)[-1]["seed"]

    whats = [each.what for each in findings(copy, change)]
    assert "this fit does not keep the alternative that is best on the validation rows" in whats


def other_survivor(events: Events) -> None:
    """The second of the second rung, in place of the first."""
    own = trials(events, HALVING, 1)
    own[4]["candidate"] = own[5]["candidate"]


def swapped(events: Events) -> None:
    own = trials(events, GRID, 1)
    own[1]["candidate"] = own[2]["candidate"]


CHANGES: dict[str, Callable[[Events], None]] = {
    "another stop": lambda events: trials(events, HALVING, 1)[0].update(until=2),
    "another survivor": other_survivor,
    "another seed": lambda events: trials(events, HALVING, 2)[-1].update(seed=5),
    "another number": lambda events: trials(events, GRID, 1)[1].update(trial=2),
    "swapped": swapped,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_trial_that_the_method_does_not_make_fails(copy: Path, name: str) -> None:
    whats = [each.what for each in findings(copy, CHANGES[name])]
    assert any("is not the one that the search makes" in what or "number of another one" in what for what in whats)


# ---- validation scores, computed again


def test_validation_scores_are_computed_again(base: Path) -> None:
    verdict = verify(base, rerun=None)
    assert verdict.findings == ()
    recipes = {event["recipe"] for kind in ("search", "fit") for event in events_of(base, kind)}
    assert verdict.counts["rerun"]["validation_scores"] == len(recipes)


def test_a_choice_by_a_score_that_was_forged_in_the_store_is_found(
    base: Path, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    """Every file of the second run agrees: only the Delta itself shows that it never had this score."""
    store = Path(shutil.copytree(base / "store", tmp_path / "store"))
    loser = raise_loser(events_of(base, "search"), GRID, event_of(events_of(base, "fit"), "fit", GRID, 1)["chosen"])
    record = read_record(path := store / "fits" / f"{loser['recipe']}.json")
    fit = fit_of(record, path)
    forged = [1.0 if epoch == fit.best else score for epoch, score in enumerate(fit.validation)]
    path.write_text(record_text({**record, "validation": [*forged]}))
    given = {"learners": GRID, "epochs": 4, "learning_rate": None, "store": str(store)}
    run(**tiny_settings(tiny_tasks, tiny_backbone, out := tmp_path / "forged", **given))
    assert event_of(events_of(out, "fit"), "fit", GRID, 1)["chosen"] == loser["candidate"], "the forger wins"
    assert verify(out, store=store).passed, "consistent in itself"
    (found,) = verify(out, store=store, rerun=None).findings
    assert "the validation score of" in found.what
    assert (found.learner, found.task, found.expected) == (GRID, TASKS[0], "1.0")


def test_a_lost_delta_is_counted(copy: Path) -> None:
    fits = {event["delta"] for event in events_of(copy, "fit")}
    lost = next(each for each in events_of(copy, "search") if each["delta"] not in fits)
    (copy / "store" / "deltas" / f"{lost['delta']}.safetensors").unlink()
    verdict = verify(copy, rerun=None)
    assert verdict.findings == ()
    assert verdict.counts["rerun"]["validation_lost"] >= 1
    assert any("their Deltas are not in the store" in note for note in verdict.notes)


# ---- a choice inside a fit, and a choice on twins

INSIDE, TWIN, TWINS = "nobert:words", "adapter:2/4:learning_rate=1e-4/1e-1:scope=twin", ("sms_spam", "rte")


@pytest.fixture(scope="module")
def others(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("others") / "run"
    given = {"learners": f"{INSIDE},{TWIN}", "suite": ",".join(TWINS), "learning_rate": None, "epochs": 2}
    run(**tiny_settings(tiny_tasks, tiny_backbone, out, **given, train_examples=40, test_examples=20))
    return out


def worse(events: Events) -> None:
    """The fit kept a worse model than it had."""
    fit = event_of(events, "fit", INSIDE, 1)
    fit.update(validation=[*fit["validation"]], best=(fit["best"] + 1) % 3)
    fit["validation"][fit["best"]] = -1.0


def on_twin(events: Events) -> None:
    raise_loser(events, TWIN)


def early(learner: str) -> Callable[[Events], None]:
    return lambda events: moved(events, place(events, "before", learner, 0), 1)


@pytest.mark.parametrize(
    ("change", "learner", "what"),
    [
        (early(INSIDE), INSIDE, "test rows of a task were scored before its winner was chosen"),
        (early(TWIN), TWIN, "test rows of a task were scored before its winner was chosen"),
        (worse, INSIDE, "this fit does not keep the model that is best on the validation rows"),
        (on_twin, TWIN, "this fit does not keep the alternative that is best on the validation rows"),
    ],
)
def test_other_choices_are_checked_too(
    others: Path, tmp_path: Path, change: Callable[[Events], None], learner: str, what: str
) -> None:
    assert verify(others).counts["selection"]["choices"] == 2 * len(TWINS)
    copied = Path(shutil.copytree(others, tmp_path / "copy"))
    found = findings(copied, change)
    assert (learner, what) in [(each.learner, each.what) for each in found]


def test_the_cost_of_a_choice_inside_a_fit(others: Path) -> None:
    learner = json.loads((others / "results.json").read_text())["learners"][INSIDE]
    cost, fits = learner["cost"], [each for each in events_of(others, "fit") if each["learner"] == INSIDE]
    assert cost["search_fits"] == 3 * len(TWINS)
    assert cost["search_examples"] == 3 * sum(fit["examples"] for fit in fits)
    assert cost["search_flops"] == sum(fit["flops"] for fit in fits) == cost["train_flops"]
    assert cost["search_seconds"] == sum(fit["seconds"] for fit in fits)


# ---- Optuna


@pytest.mark.skipif(find_spec("optuna") is None, reason="the extra `optuna` is not installed")
def test_trials_of_optuna_are_repeated_only_with_its_version(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def swap(events: Events) -> None:
        first, second = trials(events, OPTUNA, 1)
        names = [name for name in first if name not in ("trial", "key", "event", "hash", "previous")]
        for name in names:
            first[name], second[name] = second[name], first[name]

    assert version("optuna") == event_of_run(copy)["facts"]["environment"]["optuna"]
    whats = [each.what for each in findings(copy, swap)]
    assert any("is not the one that the search makes" in what for what in whats)
    monkeypatch.setattr(stream.selection.sampler, "version", lambda name: "9.9")
    verdict = verify(copy)
    assert not any("is not the one that the search makes" in each.what for each in verdict.findings)
    assert any("Optuna" in note for note in verdict.notes)


def event_of_run(folder: Path) -> dict[str, Any]:
    return events_of(folder, "run")[0]


# ---- a worker that ended


def test_a_trial_whose_worker_ended_counts_for_readers_and_not_for_the_next_call(copy: Path) -> None:
    from stream.engine.resume import counts_in
    from stream.storage.events import SearchEvent
    from stream.storage.store import Store

    def change(events: Events) -> None:
        chosen = event_of(events, "fit", GRID, 1)["chosen"]
        loser = next(each for each in trials(events, GRID, 1) if each["candidate"] != chosen)
        loser.update(score=None, delta=None, validation=[], parameters=0, flops=0, examples=0, seconds=0.0)
        loser["failed"] = {"type": "WorkerDied", "step": 0, "message": "the worker ended"}

    forge(copy, change)
    assert verify(copy).findings == ()
    events = latest_events(map(read_event, events_of(copy, "search")))
    counted = counts_in(Store(copy / "store"))
    assert [counted(event) for event in events.values() if isinstance(event, SearchEvent)].count(False) == 1
