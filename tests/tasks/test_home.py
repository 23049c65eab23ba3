"""Caches of a process with and without a home folder: never a crash, never a folder `~`, and one clear error."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.errors import InputError
from tasks.home import cache_folder, can_write, check_cache, settle_home, temporary_home, writable_home
from tests.runs import COMMAND, as_arguments, call, tiny_settings

VARIABLES = ("TASKSTREAM_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "HF_HOME")
WITHOUT = ("unset", "missing", "/", "of another user")  # no home folder at all


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.setenv(name, "x")  # so that it is restored
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    temporary_home.cache_clear()
    yield
    temporary_home.cache_clear()


def set_home(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives this process a home of a kind. The tests may run as root, who may write everywhere."""
    real = os.access
    home = Path("/") if kind == "/" else folder / "home"
    refused = {"read only": os.W_OK, "of another user": os.R_OK, "/": os.W_OK}.get(kind, 0)
    monkeypatch.setattr(
        os, "access", lambda path, mode: not (mode & refused and Path(path) == home) and real(path, mode)
    )
    if kind == "unset":
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(pwd, "getpwuid", lambda user: {}[user])
    elif kind in ("missing", "/"):
        monkeypatch.setenv("HOME", "/" if kind == "/" else str(folder / "nowhere"))


def test_caches_are_in_the_home_folder_or_where_a_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_home()
    assert cache_folder() == tmp_path / "home" / ".cache" / "taskstream" / "encoded"
    assert not {*VARIABLES} & {*os.environ}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "taskstream" / "encoded"
    monkeypatch.setenv("TASKSTREAM_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine" / "encoded"
    assert check_cache() == ""
    assert [path.name for path in tmp_path.iterdir() if any(path.iterdir())] == [], "nothing was written"


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("kind", [*WITHOUT, "read only"])
def test_without_a_usable_home_they_are_in_a_temporary_folder_with_a_notice(
    kind: str, settled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_home(kind, tmp_path, monkeypatch)
    home = os.environ.get("HOME")
    if settled:  # else the caller is a program in Python
        settle_home()
    folder = cache_folder()
    assert folder == temporary_home() / ".cache" / "taskstream" / "encoded"
    assert temporary_home() == tmp_path / "temporary" / f"taskstream-{os.getuid()}"
    assert temporary_home().stat().st_mode & 0o777 == 0o700
    assert can_write(folder)
    assert f"kept in {folder}; set TASKSTREAM_CACHE" in check_cache()
    if settled and kind in WITHOUT:
        assert os.environ["HOME"] == str(temporary_home())
    elif settled:  # what lies in it stays readable
        assert os.environ["HOME"] == home
        assert {os.environ[name] for name in ("MPLCONFIGDIR", "HF_HOME")} == {
            str(temporary_home() / name) for name in ("matplotlib", "huggingface")
        }
    with writable_home():
        assert os.environ["HOME"] == str(temporary_home())
    if not settled:
        assert os.environ.get("HOME") == home


def test_downloads_in_a_home_that_cannot_be_written_are_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home" / ".cache" / "huggingface").mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: not (mode & os.W_OK and "/home" in str(path)))
    settle_home()
    assert "HF_HOME" not in os.environ
    assert "MPLCONFIGDIR" in os.environ


def test_a_folder_or_link_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = tmp_path / "temporary" / f"taskstream-{os.getuid()}"
    name.symlink_to(tmp_path / "home")
    monkeypatch.delenv("HOME")
    assert temporary_home().parent == tmp_path / "temporary"
    assert temporary_home() != name
    assert temporary_home() == temporary_home()


def test_without_any_folder_the_error_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "nowhere"))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "nowhere" / "either"))
    settle_home()
    with pytest.raises(InputError, match=r"no folder for caches can be written.*set TASKSTREAM_CACHE to a folder"):
        cache_folder()


def test_a_cache_that_cannot_be_written_is_one_line(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TASKSTREAM_CACHE", str(tmp_path / "file" / "cache"))
    answer = call("run", *as_arguments(tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run")), "--display", "none")
    assert (answer.code, answer.out) == (2, "")
    said = (
        f"error: TASKSTREAM_CACHE={tmp_path}/file/cache: the cache cannot be written; set TASKSTREAM_CACHE to a folder"
    )
    assert answer.err.startswith(said)
    assert answer.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_the_command_runs_without_a_home(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    """As a user starts it in a container: a process of its own, with all libraries."""
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", suite="rte", learners="head")
    known = {name: value for name, value in os.environ.items() if name not in (*VARIABLES, "HOME", "TMPDIR")}
    given = {**known, "HOME": "/nonexistent", "TMPDIR": str(tmp_path / "temporary"), "COLUMNS": "400"}
    (tmp_path / "here").mkdir()
    ran = subprocess.run(
        [COMMAND, "run", *as_arguments(settings), "--display", "plain"],
        capture_output=True, text=True, env=given, cwd=tmp_path / "here", check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "set TASKSTREAM_CACHE to a folder that can be written to keep them elsewhere" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    assert [*(tmp_path / "here").iterdir()] == [], "no folder ~"
    assert [*(tmp_path / "temporary").rglob("encoded/rte-*/*")]
