"""Facts in the user's cache: computed once for the same inputs, and never trusted when damaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

import stream.engine.known
import stream.storage.remembered
from stream.engine.known import known_numerics
from stream.execution.numerics import numerics
from stream.storage.remembered import remembered


@dataclass(frozen=True)
class Fact:
    value: float
    names: tuple[str, ...]
    parts: Mapping[str, int]


FACT = Fact(0.1, ("a", "é"), {"x": 1})


def forbidden() -> Fact:
    raise AssertionError("computed again")


def test_a_fact_is_computed_once(tmp_path: Path) -> None:
    assert remembered(Fact, {"n": 1}, tmp_path, lambda: FACT) == FACT
    assert remembered(Fact, {"n": 1}, tmp_path, forbidden) == FACT
    other = Fact(2.0, (), {})
    assert remembered(Fact, {"n": 2}, tmp_path, lambda: other) == other, "other inputs"
    assert remembered(Fact, {"n": 1}, tmp_path, forbidden) == FACT


def test_other_code_or_libraries_ask_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Fact(2.0, (), {})
    remembered(Fact, {}, tmp_path, lambda: FACT)
    for name in ("_code", "_versions"):
        with monkeypatch.context() as patch:
            patch.setattr(stream.storage.remembered, name, lambda: "other")
            assert remembered(Fact, {}, tmp_path, lambda: other) == other


def test_any_damaged_byte_only_costs_the_time(tmp_path: Path) -> None:
    remembered(Fact, {}, tmp_path, lambda: FACT)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for place in range(len(whole) - 1):  # the last byte is a line end
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert remembered(Fact, {}, tmp_path, lambda: FACT) == FACT
        assert path.read_bytes() == whole, "written again, so it was not trusted"
        path.write_bytes(whole[:place])
        assert remembered(Fact, {}, tmp_path, lambda: FACT) == FACT


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert remembered(Fact, {}, tmp_path / "file" / "folder", lambda: FACT) == FACT


def test_numerics_of_a_process_that_has_not_loaded_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are remembered for this processor and environment; a process that has loaded PyTorch is asked itself."""
    asked: list[str] = []

    def counted(dtype: str, device: str = "cpu", pack: int = 1) -> dict[str, object]:
        asked.append(dtype)
        return dict(numerics(dtype))

    monkeypatch.setattr(stream.engine.known, "numerics", counted)
    monkeypatch.setattr(stream.engine.known, "sys", SimpleNamespace(modules={"torch": None}))
    assert known_numerics("float32", "cpu", 1, tmp_path) == numerics("float32")
    assert list(tmp_path.iterdir()) == [], "its switches may be changed, so nothing is remembered"
    monkeypatch.setattr(stream.engine.known, "sys", SimpleNamespace(modules={}))
    asked.clear()
    for dtype in ("float32", "bfloat16", "float32"):
        assert known_numerics(dtype, "cpu", 1, tmp_path) == numerics(dtype)
    assert asked == ["float32", "bfloat16"]
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    assert known_numerics("float32", "cpu", 1, tmp_path)["settings"] == {"ONEDNN_MAX_CPU_ISA": "SSE41"}
    monkeypatch.setattr(stream.engine.known, "CPUINFO", tmp_path / "none")
    asked.clear()
    known_numerics("float32", "cpu", 1, tmp_path)
    assert asked == ["float32"], "a machine that does not describe its processor is asked each time"
