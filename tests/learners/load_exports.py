"""Loads exported folders in a process that has transformers and peft, but not this package. A test runs it.

Reads a JSON list of objects from standard input: `folder`, `texts`, `texts_b` (null if there are none). Writes a JSON
list to the file that is its argument: for each folder the logits of the program in its README, the answers of the
pipeline there, the warnings of transformers and peft, the logits of the base in the folder without the adapter, and
what transformers says without `trust_remote_code`.
"""

import json
import logging
import re
import sys
import traceback
from pathlib import Path


class Missing:
    """Makes this package impossible to import."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("stream", "learners", "tasks", "tests"):
            raise ImportError(f"{name} must not be needed")


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
    answers = {"logits": space["logits"].tolist(), "answers": space.get("answers"), "warnings": list(heard.lines)}
    base = logits_of(Path(folder) / "base", space) if answers["answers"] and (Path(folder) / "base").is_dir() else None
    return answers | {"base": base, "refused": refusal(folder) if "trust_remote_code" in program else None}


def logits_of(folder, space):
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(folder, trust_remote_code=True)
    return model(**space["rows"]).logits.tolist()


def refusal(folder):
    from transformers import AutoModelForSequenceClassification

    inside = Path(folder) / "base" if (Path(folder) / "base").is_dir() else folder
    try:
        AutoModelForSequenceClassification.from_pretrained(inside)
    except ValueError as error:
        return str(error)
    return "loaded"


found = []
for given in json.load(sys.stdin):
    try:
        found.append(load(**given))
    except Exception:
        found.append({"error": traceback.format_exc()})
Path(sys.argv[1]).write_text(json.dumps(found))
