"""What a new process imports."""

from __future__ import annotations

import json
import subprocess
import sys

REPORT = "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"


def modules_after(code: str, *arguments: str) -> set[str]:
    """Runs a program in a new process, and returns the names of all modules that it has imported at its end.

    Args:
        code: The program.
        arguments: Its `sys.argv[1:]`.
    """
    command = [sys.executable, "-c", code + REPORT, *arguments]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return set(json.loads(found.stdout.splitlines()[-1]))
