"""The process of a contender: it reads calls as JSON lines and writes their return values.

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
    os.dup2(2, 1)  # so that output of libraries does not mix with the answers
    for line in sys.stdin:
        call = json.loads(line)
        module, _, name = call["function"].partition(":")
        try:
            reply = {"answer": getattr(importlib.import_module(module), name)(**call["settings"])}
        except Exception as error:  # the benchmark reports which contender failed
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(reply) + "\n")
        gc.freeze()  # as our workers do: otherwise the garbage collection at the start of Trainer takes 0.3 s


if __name__ == "__main__":
    main()
