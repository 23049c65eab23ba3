"""The ledger: what was appended is read back; a torn end is cut off; an altered line is refused by its number."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.storage.ledger import Ledger, open_ledger, read_ledger
from tasks.errors import InputError

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=10)
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
records = st.dictionaries(texts.filter(lambda key: key not in ("previous", "hash")), values, max_size=3)


def written(folder: Path, events: list[dict[str, Any]]) -> Ledger:
    ledger = open_ledger(folder / "run" / "ledger.jsonl")
    for event in events:
        ledger.append(event)
    return ledger


@settings(max_examples=25)  # each example waits for the disk
@given(st.lists(records, max_size=5), st.lists(records, max_size=3))
def test_reads_back_and_goes_on(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written(Path(folder), first)
        ledger = written(Path(folder), second)
        assert ledger.events == first + second
        assert open_ledger(ledger.path) == ledger


@settings(max_examples=25)  # each example waits for the disk
@given(st.integers(1, 400))
def test_a_torn_end_costs_the_torn_events_alone(lost: int) -> None:
    events = [{"event": "fit", "score": number / 7, "text": "ü\u2028\n"} for number in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), events).path
        raw = path.read_bytes()[:-lost]
        path.write_bytes(raw)
        ledger = open_ledger(path)
        whole = max(raw.count(b"\n") - 1, 0)  # the first line tells the schema
        assert ledger.events == events[:whole]
        ledger.append({"event": "again"})
        assert open_ledger(path).events == [*events[:whole], {"event": "again"}]


@settings(max_examples=25)  # each example waits for the disk
@given(st.data())
def test_any_altered_byte_is_noticed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), [{"event": "fit", "score": number / 7} for number in range(4)]).path
        raw = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(raw) - 2))  # without the last line break the last line is unfinished
        raw[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[place]))
        line = bytes(raw[:place]).count(b"\n") + 1
        path.write_bytes(raw)
        with pytest.raises(InputError, match=rf"ledger\.jsonl, line {line}: .*--store"):
            open_ledger(path)


@pytest.mark.parametrize("change", ["drop", "swap", "repeat", "list"])
def test_lines_may_not_be_dropped_moved_or_replaced(tmp_path: Path, change: str) -> None:
    path = written(tmp_path, [{"event": number} for number in range(4)]).path
    first, a, b, c, d = path.read_text().splitlines(keepends=True)
    path.write_text(
        first + "".join({"drop": [a, c, d], "swap": [a, c, b, d], "repeat": [a, a, b], "list": [a, "[]\n"]}[change])
    )
    with pytest.raises(InputError, match="line 3: the ledger was altered"):
        open_ledger(path)


def test_strict_json(tmp_path: Path) -> None:
    ledger = written(tmp_path, [])
    with pytest.raises(ValueError, match="not JSON compliant"):
        ledger.append({"score": float("nan")})
    assert open_ledger(ledger.path).events == []


@pytest.mark.parametrize("schema", [1, 3, "2", None])
def test_another_schema_is_refused(tmp_path: Path, schema: object) -> None:
    import stream.storage.ledger

    path = tmp_path / "ledger.jsonl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream.storage.ledger, "SCHEMA", schema)
        Ledger(path).append({"event": "run"})
    with pytest.raises(InputError, match=r"line 1: ledger of another version; expected schema 2; found schema"):
        open_ledger(path)


def test_reading_changes_nothing_and_tells_of_a_torn_end(tmp_path: Path) -> None:
    path = written(tmp_path, [{"event": "fit"}, {"event": "end"}]).path
    torn = path.read_bytes()[:-5]
    path.write_bytes(torn)
    ledger = read_ledger(path)
    assert (path.read_bytes(), ledger.events) == (torn, [{"event": "fit"}])
    assert ledger.torn == len(torn) - torn.rfind(b"\n") - 1
    assert open_ledger(path).torn == ledger.torn
    assert open_ledger(path).torn == 0
