"""Files are whole or absent."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stream.storage.files import sole_writer, usable_folder, write_json
from tasks.errors import InputError
from tasks.files import write_atomic


def test_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    write_atomic(path, "first ü\n")
    write_atomic(path, "second")
    assert path.read_bytes() == b"second"
    assert os.listdir(path.parent) == ["a.txt"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, "old")

    def fail(*arguments: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="no space"):
        write_atomic(path, "new")
    monkeypatch.undo()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_others_may_read_what_the_user_lets_them(tmp_path: Path) -> None:
    """A store may be shared: the mode is that of any new file, not that of a private temporary one."""
    (tmp_path / "plain").write_text("")
    write_atomic(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [-float("inf")]}])
def test_json_is_strict(tmp_path: Path, value: object) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", value)
    assert os.listdir(tmp_path) == []


def test_a_folder_has_one_writer_at_a_time(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"

    def enter() -> None:
        with sole_writer(ledger):
            pass

    with sole_writer(ledger), ThreadPoolExecutor(1) as other:
        enter()  # the same thread may enter again
        with pytest.raises(InputError, match="another process is running in this folder"):
            other.submit(enter).result()
        ledger.write_text("kept\n")
    with sole_writer(ledger):
        assert ledger.read_text() == "kept\n"


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    assert usable_folder(tmp_path / "new" / "folder", "--out new/folder").is_dir()
    assert list((tmp_path / "new" / "folder").iterdir()) == []
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="--out x: cannot write here"):
            usable_folder(path, "--out x")
