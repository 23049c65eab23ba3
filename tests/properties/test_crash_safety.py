"""Runs that crash, meet full disks and damaged files, in any order: the end is that of a run to which nothing happened.

The engine is the real one. A crash is simulated at a write point: from there on nothing reaches the disk, in a power
cut what was not synchronised is lost too.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from experiments.faults.disk import PARTS, Died, Disk, Fault, Part
from experiments.faults.sameness import changed
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import learners.training.fit
from learners.specification.recipe import recipe_of
from stream import run
from stream.errors import RunFailed
from stream.storage.fits import FitResult, Recipe
from stream.storage.ledger import read_ledger
from stream.storage.store import Store
from stream.verification import verify
from tasks.content import canonical
from tasks.errors import InputError, InputErrors
from tests.references import References, Wanted

LEARNERS = (("head",), ("head", "adapter:4"), ("layernorm:sequential", "head"))
ORDERS = (("sms_spam", "colours"), ("sms_spam", "colours", "rte"), ("rte", "sms_spam", "colours"))
MODES = {"one": "full", "two": "audited"}  # two run folders on one store

Fit = tuple[str, str, str | None]  # settings of the learner, data, Delta before


class CrashSafety(RuleBasedStateMachine):
    references: References

    def __init__(self) -> None:
        super().__init__()
        self.base = self.references.base / uuid4().hex
        self.base.mkdir()
        self.store = Store(self.base / "store")
        self.wanted = {name: Wanted(LEARNERS[0], ORDERS[0], mode) for name, mode in MODES.items()}
        self.ledgers = dict.fromkeys(MODES, b"")
        self.damaged: dict[Path, tuple[bytes, bytes]] = {}  # as it should be, and as it was made
        self.finished: dict[Fit, tuple[str, str]] = {}  # recipe and Delta that the store holds

    def counted(self, fit: Any) -> Any:
        def call(backbone: Any, learner: Any, data: Any, score: Any, seed: int, previous: Any, *more: Any) -> Any:
            recipe = (canonical(recipe_of(learner)), data.id, previous and previous.id)
            assert recipe not in self.finished, f"fitted twice: {learner.name}, {data.task.name}"
            return fit(backbone, learner, data, score, seed, previous, *more)

        return call

    def noted(self, put_fit: Any) -> Any:
        def call(store: Store, recipe: Recipe, fit: FitResult) -> None:
            put_fit(store, recipe, fit)
            self.finished[canonical(recipe.learner), recipe.data, recipe.previous] = (recipe.id, fit.delta)

        return call

    def attempt(self, name: str, fault: Fault | None = None) -> str:
        """One call of the command: `done`, `died` or `refused`; what it says and leaves is checked."""
        wanted, out = self.wanted[name], self.base / name
        given = self.references.settings(wanted, out, self.store.root)
        try:
            with (
                Disk((self.base,), fault) as disk,
                patch.object(learners.training.fit, "fit", self.counted(learners.training.fit.fit)),
                patch.object(Store, "put_fit", self.noted(Store.put_fit)),
            ):
                run(**given)
        except Died:
            self.check(out)
            return "died"
        except (RunFailed, InputError, InputErrors) as error:
            self.check(out)
            self.mend(str(error), disk)
            return "refused"
        told = changed(out, self.references.folder(wanted))
        assert told is None, told
        self.check(out)
        return "done"

    def check(self, out: Path) -> None:
        """A run is verified, wherever it ended, unless a file is damaged; such a file is named, and no whole one is."""
        ledger = out / "ledger.jsonl"
        if not ledger.exists() or not ledger.stat().st_size:
            return  # nothing is claimed yet
        verdict = verify(out, store=self.store.root)
        named = {Path(finding.file.partition(", line ")[0]) for finding in verdict.findings}
        damaged = self.still_damaged()
        assert {path for path in named if path.exists()} <= {*damaged}, verdict  # what was deleted is rightly missed
        if verdict.tasks and ledger not in damaged:  # it began, and its ledger can be read
            assert named >= {path for path in damaged if path.is_relative_to(self.store.root)}, verdict

    def still_damaged(self) -> list[Path]:
        """Files as they were damaged; what a run wrote anew meanwhile is whole."""
        for path, (_, raw) in [*self.damaged.items()]:
            if path.exists() and path.read_bytes() != raw:
                del self.damaged[path]
        return [*self.damaged]

    def mend(self, message: str, disk: Disk) -> None:
        """A run is refused only for what the disk refused, or for a damaged file, which it names: do as it advises."""
        if disk.struck and disk.fault and disk.fault.error and os.strerror(disk.fault.error) in message:
            return
        named = [path for path in self.damaged if str(path) in message]
        assert named, f"{message}; damaged: {[str(path) for path in self.damaged]}"
        for path in named:
            before, _ = self.damaged.pop(path)
            if path.is_relative_to(self.store.root):
                path.unlink()
                self.lost(path)
            else:
                path.write_bytes(before)

    def lost(self, path: Path) -> None:
        """A damaged or missing file of the store costs the fits that rest on it, no others."""
        rests = {fit: ids for fit, ids in self.finished.items() if path.stem not in ids}
        self.finished = rests

    @rule(name=st.sampled_from(sorted(MODES)), learners=st.sampled_from(LEARNERS), order=st.sampled_from(ORDERS))
    def ask_for_something_else(self, name: str, learners: tuple[str, ...], order: tuple[str, ...]) -> None:
        self.wanted[name] = Wanted(learners, order, MODES[name])

    @rule(name=st.sampled_from(sorted(MODES)))
    def go_on_to_the_end(self, name: str) -> None:
        for _ in range(len(self.damaged) + 1):
            if self.attempt(name) == "done":
                return
        raise AssertionError("refused without end")

    @rule(
        name=st.sampled_from(sorted(MODES)),
        place=st.floats(0, 1),
        part=st.sampled_from(PARTS),
        power=st.booleans(),
    )
    def crash(self, name: str, place: float, part: Part, power: bool) -> None:
        at = 1 + int(place * self.references.points(self.wanted[name]))
        note(self.attempt(name, Fault(at, part=part, power=power)))

    @rule(
        name=st.sampled_from(sorted(MODES)),
        place=st.floats(0, 1),
        part=st.sampled_from(("before", "half")),
        error=st.sampled_from((errno.ENOSPC, errno.EROFS)),
        lasting=st.booleans(),
    )
    def refuse_to_write(self, name: str, place: float, part: Part, error: int, lasting: bool) -> None:
        at = 1 + int(place * self.references.points(self.wanted[name]))
        note(self.attempt(name, Fault(at, error, part, lasting)))

    @rule(data=st.data(), place=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
    def flip_a_byte(self, data: st.DataObject, place: float, mask: int) -> None:
        files = [path for path in self.files() if path not in self.damaged and path.stat().st_size]
        if not files:
            return
        path = data.draw(st.sampled_from(files))
        before = path.read_bytes()
        raw = bytearray(before)
        raw[int(place * len(raw))] ^= mask
        path.write_bytes(raw)
        self.damaged[path] = (before, bytes(raw))
        if path.is_relative_to(self.store.root):
            self.lost(path)

    @rule(name=st.sampled_from(sorted(MODES)), change=st.sampled_from(({"evaluate": "square"}, {"seed": 1})))
    def mix_with_another_run(self, name: str, change: dict[str, Any]) -> None:
        out = self.base / name
        if not (out / "config.toml").exists() or out / "config.toml" in self.damaged:
            return
        before = (out / "ledger.jsonl").read_bytes()
        given = self.references.settings(self.wanted[name], out, self.store.root)
        with pytest.raises(InputErrors, match="differs from the run that this folder holds"):
            run(**(given | change))
        assert (out / "ledger.jsonl").read_bytes() == before

    @invariant()
    def the_ledger_only_grows(self) -> None:
        for name in MODES:
            path = self.base / name / "ledger.jsonl"
            if path in self.damaged:
                if path.read_bytes() == self.damaged[path][1]:
                    continue
                del self.damaged[path]  # a last line without its end was cut off, the job done again
                self.ledgers[name] = b""
            found = path.read_bytes() if path.exists() else b""
            whole = found[: found.rfind(b"\n") + 1]
            assert whole.startswith(self.ledgers[name])
            self.ledgers[name] = whole
            read_ledger(path)

    @invariant()
    def what_results_claim_was_measured(self) -> None:
        """Each row of R that is told is that of the uninterrupted run, and only a whole run is called verified."""
        for path, claims in self.documents():
            mode, order = claims["settings"]["evaluate"], tuple(claims["order"])
            reference = self.references.folder(Wanted(tuple(claims["learners"]), order, mode))
            expected = json.loads((reference / "results.json").read_text())["learners"]
            for name, learner in claims["learners"].items():
                rows = expected[name]["R"][: len(learner["R"])]
                assert learner["R"] == rows or not any(cell is not None for row in learner["R"] for cell in row), path
                assert not learner["retention"]["violations"]
                if learner["retention"]["verified"]:
                    assert len(learner["R"]) == len(order) + 1

    def documents(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for name in MODES:
            path = self.base / name / "results.json"
            if path.exists() and (path not in self.damaged or path.read_bytes() != self.damaged[path][1]):
                self.damaged.pop(path, None)
                yield path, json.loads(path.read_text(encoding="utf-8"))

    def files(self) -> list[Path]:
        """What a run leaves, but for what a crash left half-written, and the locks, which are empty."""
        found = (path for path in self.base.rglob("*") if path.is_file() and path.suffix != ".part")
        return sorted(path for path in found if path.suffix != ".lock")

    def teardown(self) -> None:
        try:
            for name in MODES:
                self.go_on_to_the_end(name)
        finally:
            shutil.rmtree(self.base, ignore_errors=True)


def test_any_faults_in_any_order(
    tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory, scratch_cache: None
) -> None:
    class Machine(CrashSafety):
        references = References(tmp_path_factory.mktemp("crashes"), tiny_backbone)

    run_state_machine_as_test(Machine, settings=settings(max_examples=4, stateful_step_count=7))
