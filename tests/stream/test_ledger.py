"""The ledger: what was appended is read back; a torn end is cut off; an altered line is refused by its number."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.ledger import Ledger, open_ledger
from tasks.errors import InputError

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=10)
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
records = st.dictionaries(texts.filter(lambda key: key != "previous"), values, max_size=3)


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
        whole = raw.count(b"\n")
        assert ledger.events == events[:whole]
        ledger.append({"event": "again"})
        assert open_ledger(path).events == [*events[:whole], {"event": "again"}]


@settings(max_examples=25)  # each example waits for the disk
@given(st.data())
def test_any_altered_byte_before_the_last_line_is_noticed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), [{"event": "fit", "score": number / 7} for number in range(4)]).path
        raw = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, raw.rstrip(b"\n").rfind(b"\n")))
        raw[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[place]))
        line = bytes(raw[:place]).count(b"\n") + 1
        path.write_bytes(raw)
        with pytest.raises(InputError, match=rf"ledger\.jsonl, line ({line}|{line + 1}): .*--store"):
            open_ledger(path)


@pytest.mark.parametrize("change", ["drop", "swap", "repeat", "list"])
def test_lines_may_not_be_dropped_moved_or_replaced(tmp_path: Path, change: str) -> None:
    path = written(tmp_path, [{"event": number} for number in range(4)]).path
    a, b, c, d = path.read_text().splitlines(keepends=True)
    path.write_text(
        "".join({"drop": [a, c, d], "swap": [a, c, b, d], "repeat": [a, a, b], "list": [a, "[]\n"]}[change])
    )
    with pytest.raises(InputError, match="line 2: the ledger was altered"):
        open_ledger(path)


def test_strict_json(tmp_path: Path) -> None:
    ledger = written(tmp_path, [])
    with pytest.raises(ValueError, match="not JSON compliant"):
        ledger.append({"score": float("nan")})
    assert open_ledger(ledger.path).events == []
