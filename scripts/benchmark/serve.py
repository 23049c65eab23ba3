"""A contender's process: reads calls as JSON lines, writes what they return.

python -m benchmark.serve
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import traceback


def main() -> None:
    """Answer calls until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    for line in sys.stdin:
        call = json.loads(line)
        module, _, name = call["function"].partition(":")
        try:
            told = {"answer": getattr(importlib.import_module(module), name)(**call["settings"])}
        except Exception as error:  # the bench says which contender failed
            traceback.print_exc()
            told = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(told) + "\n")
        gc.freeze()  # as our workers do: a collection, which Trainer begins with, takes a third of a second otherwise


if __name__ == "__main__":
    main()
