"""The fault campaign at a tiny size, and that its tools would see what they look for."""

from __future__ import annotations

import errno
import importlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from experiments.faults import damages
from experiments.faults.damages import Damage, undetected
from experiments.faults.disk import PARTS, Died, Disk, Fault
from experiments.faults.sameness import difference

from stream.verification import Verdict
from tasks.files import write_atomic
from tests.end_to_end.test_experiments import SCRIPTS, call


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """The campaign's modules of kills and writes."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("faults.kills"), importlib.import_module("faults.writes")


def test_the_kinds_of_faults(parts: tuple[Any, Any]) -> None:
    kills, writes = parts
    signals = ("SIGKILL", "SIGKILL", "SIGTERM", "SIGINT")
    assert [trial.kind for trial in kills.plan_kills(2, 0)] == [f"{name}, one process" for name in signals]
    assert [kind for kind, _ in writes.plan_writes(10, 1)] == [*writes.KINDS]
    assert len(writes.KINDS) == 6


def test_a_small_campaign(parts: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One kill, two kinds of fault at a write, a few damages."""
    kills, writes = parts
    planned, kinds = kills.plan_kills, ("dies at a write", "disk full once")
    monkeypatch.setattr(kills, "plan_kills", lambda count, seed: planned(count, seed)[:count])
    monkeypatch.setattr(writes, "KINDS", {kind: writes.KINDS[kind] for kind in kinds})
    answer = call("fault_campaign", "--kills", "1", "--damages", "4", "--writes", "1", "--out", str(tmp_path / "out"))
    assert (answer.code, answer.err) == (0, "")
    faults = json.loads((tmp_path / "out" / "fault_campaign.json").read_text())["faults"]
    assert all(told["failed"] == [] for told in faults.values())
    tried = {kind: told["tried"] for kind, told in faults.items()}
    assert sum(n for kind, n in tried.items() if kind.startswith("damaged")) == 4
    expected = {"SIGKILL, one process": 1, **dict.fromkeys(kinds, 1)}
    assert {kind: n for kind, n in tried.items() if not kind.startswith("damaged")} == expected
    assert "7" in answer.out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["fault_campaign.json"]


def careless(path: Path, content: bytes) -> None:
    """In place, and not synchronised."""
    with path.open("wb") as file:
        file.write(content)


@pytest.mark.parametrize("power", [False, True])
def test_the_disk_tells_an_atomic_writer_from_a_careless_one(tmp_path: Path, power: bool) -> None:
    """After a crash at any write point a file written atomically is old or new; the careless one's is neither."""
    left: dict[str, set[bytes]] = {"atomic": set(), "careless": set()}
    file = tmp_path / "deeper" / "file"
    file.parent.mkdir()
    for name, writer in (("atomic", write_atomic), ("careless", careless)):
        for part in PARTS:
            file.write_bytes(b"old content")
            with Disk((tmp_path,)) as disk:
                writer(file, b"new content")
            for at in range(1, len(disk.points) + 1):
                file.write_bytes(b"old content")
                with pytest.raises(Died), Disk((tmp_path,), Fault(at, part=part, power=power)):
                    writer(file, b"new content")
                left[name].add(file.read_bytes())
    assert left["atomic"] == {b"old content", b"new content"}
    assert left["careless"] & {b"", b"new c"}


def test_a_power_cut_takes_what_was_not_synchronised(tmp_path: Path) -> None:
    folder, kept = tmp_path / "new", tmp_path / "kept"

    def write() -> None:
        write_atomic(kept, b"content")  # five write points: make, write, synchronise, rename, synchronise the folder
        folder.mkdir()
        careless(folder / "lost", b"content")

    with pytest.raises(Died), Disk((tmp_path,), Fault(8, power=True)):
        write()
    assert kept.read_bytes() == b"content"
    assert not folder.exists()


@pytest.mark.parametrize("lasting", [False, True])
def test_a_full_disk_takes_half_and_gives_back(tmp_path: Path, lasting: bool) -> None:
    file = tmp_path / "file"
    with Disk((tmp_path,), Fault(2, errno.ENOSPC, "half", lasting)) as disk:
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            careless(file, b"content")
        assert file.read_bytes() == b"con"
        file.unlink()
        if lasting:
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                careless(file, b"content")
        else:
            careless(file, b"content")
    assert disk.struck


def test_a_damage_that_no_check_finds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(damages, "verify", lambda run: Verdict(str(run), 0, 0, {}, (), ()))
    (tmp_path / "ledger.jsonl").write_bytes(b"line\n")
    told = undetected(tmp_path, Damage("ledger", tmp_path / "ledger.jsonl", 2, 0x10))
    assert told == f"{tmp_path / 'ledger.jsonl'}: byte 2 changed by 0x10: not found"
    assert (tmp_path / "ledger.jsonl").read_bytes() == b"line\n"


def test_the_first_difference_is_named() -> None:
    assert difference({"a": [1.0, None]}, {"a": [1.0, None]}) is None
    assert difference({"a": [1.0, 0.1 + 0.2]}, {"a": [1.0, 0.3]}) == "/a/1: expected 0.3, found 0.30000000000000004"
    assert difference({"a": 0.0}, {"a": -0.0}) == "/a: expected -0.0, found 0.0"
    assert difference({"a": 1}, {"b": 1}) == "/b: only expected"
