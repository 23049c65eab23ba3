"""Loads exported folders in a process that has transformers and peft, but not this package. A test runs it as a program.

Reads a JSON list of [folder, texts, second texts or null] from standard input. Prints, per folder, the logits of the
program in its README, the answers of its pipeline, and the warnings of transformers.
"""

import json
import logging
import re
import sys
import time
import traceback
from pathlib import Path


class Missing:
    """Makes this package impossible to import."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("stream", "learners", "tasks", "tests"):
            raise ImportError(f"{name} must not be needed")
        return None


class Heard(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


sys.meta_path.insert(0, Missing())
heard = Heard()
for library in ("transformers", "peft"):
    logging.getLogger(library).addHandler(heard)


def load(folder, texts, texts_b):
    (program,) = re.findall(r"```python\n(.*?)\n```", (Path(folder) / "README.md").read_text(), re.DOTALL)
    imports, _, rest = program.split("\n\n", 2)
    space = {"folder": folder, "texts": texts, "texts_b": texts_b}
    heard.lines.clear()
    exec(f"{imports}\n{rest}", space)
    return {"logits": space["logits"].tolist(), "answers": space.get("answers"), "warnings": list(heard.lines)}


found = []
for given in json.load(sys.stdin):
    started = time.process_time()
    try:
        found.append(load(*given))
    except Exception:
        found.append({"error": traceback.format_exc(), "warnings": list(heard.lines)})
    found[-1]["seconds"] = time.process_time() - started
Path(sys.argv[1]).write_text(json.dumps(found))
