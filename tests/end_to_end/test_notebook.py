"""The notebook: executed from its first cell to its last, with what it prints as it was stored."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.runs import wait
from tests.warm import Forked

NOTEBOOK = Path(__file__).parents[2] / "scripts" / "notebook" / "first_stream.ipynb"


def main() -> None:
    """Cells as a notebook runs them, in one namespace of a process; what a cell prints is told as a line of JSON."""
    warnings.filterwarnings("error", module=r"(__main__|stream|learners|tasks)(\.|$)")
    namespace = {"__name__": "__main__"}
    for source in json.load(sys.stdin):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(source, "a cell", "exec"), namespace)
        print(json.dumps(printed.getvalue()), flush=True)


def text(value: list[str] | str) -> str:
    return value if isinstance(value, str) else "".join(value)


def shape(printed: str) -> str:
    """What was printed, scores left out: their last digits are the machine's."""
    return re.sub(r" *\d+\.\d+", " #", printed)


def test_it_runs_and_prints_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells: list[dict[str, Any]] = [
        cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"
    ]
    monkeypatch.chdir(tmp_path)
    process = Forked(__name__, (), None, MPLBACKEND="agg")
    process.stdin.write(json.dumps([text(cell["source"]) for cell in cells]))
    done = wait(process)
    assert done.code == 0, done.err
    for cell, printed in zip(cells, map(json.loads, done.out.splitlines()), strict=True):
        assert cell["execution_count"] is not None, "stored as executed"
        stored = "".join(text(output["text"]) for output in cell["outputs"] if output["output_type"] == "stream")
        assert shape(printed) == shape(stored)
