"""The tests marked `device`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

from benchmark.devices.case import Case, Found
from benchmark.process import ROOT, environment


def measure(case: Case) -> Iterator[Found]:
    """Runs them in a process of their own. Without a card they are skipped."""
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "device", "tests/learners"]
    found = subprocess.run(call, cwd=ROOT, env=environment({}), capture_output=True, text=True)
    (case.out / "tests.txt").write_text(found.stdout + found.stderr)
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error|skipped)", found.stdout)}
    note = f"{case.out / 'tests.txt'}" if counts.get("failed") or counts.get("error") else ""
    for word in ("passed", "failed", "error", "skipped"):
        if word in counts or word == "passed":
            yield Found(word, counts.get(word, 0), "tests", note)
