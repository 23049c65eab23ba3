"""The notebook: executed from its first cell to its last, with what it prints as it was stored."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).parents[2] / "scripts" / "notebook" / "first_stream.ipynb"
# Cells as a notebook runs them, in one namespace; what a cell prints is told as a line of JSON.
PROGRAM = """
import contextlib, io, json, sys
namespace = {"__name__": "__main__"}
for source in json.load(sys.stdin):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(source, "a cell", "exec"), namespace)
    print(json.dumps(printed.getvalue()), flush=True)
"""


def text(value: list[str] | str) -> str:
    return value if isinstance(value, str) else "".join(value)


def shape(printed: str) -> str:
    """What was printed, scores left out: their last digits are the machine's."""
    return re.sub(r" *\d+\.\d+", " #", printed)


def test_it_runs_and_prints_what_is_stored(tmp_path: Path) -> None:
    cells: list[dict[str, Any]] = [
        cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"
    ]
    program = [sys.executable, "-W", "error", "-c", PROGRAM]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(
        program, input=json.dumps([text(cell["source"]) for cell in cells]), cwd=tmp_path, env=environment,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for cell, printed in zip(cells, map(json.loads, done.stdout.splitlines()), strict=True):
        assert cell["execution_count"] is not None, "stored as executed"
        stored = "".join(text(output["text"]) for output in cell["outputs"] if output["output_type"] == "stream")
        assert shape(printed) == shape(stored)
