"""Tasks: what they are, where their examples come from, and how they are split, tokenised and scored.

`task`, `suite` and `houlsby26` define tasks. `sources` reads or generates their examples. `rows`, `splits` and `keys`
turn raw columns into examples, `tokenizer`, `encode` and `encoded` tokenise and store them, `metrics` scores
predictions. The other files are tools for every package: errors, content ids, seeds, files, paths, registries. This
package imports neither `learners` nor `stream`. The names in `__all__` are its public interface.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tasks.errors import InputError, InputErrors, unknown_name
from tasks.suite import SUITES, TASKS, resolve_suite
from tasks.task import HubAddress, Kind, PaperFacts, Task

if TYPE_CHECKING:
    from tasks.encoded import EncodedSplit, EncodedTask, open_encoded, sample
    from tasks.examples import Examples, Limits, TaskData, task_data
    from tasks.sources import FolderSource, HubSource, SimulatedSource, Source, open_source

__all__ = [
    "SUITES",
    "TASKS",
    "EncodedSplit",
    "EncodedTask",
    "Examples",
    "FolderSource",
    "HubAddress",
    "HubSource",
    "InputError",
    "InputErrors",
    "Kind",
    "Limits",
    "PaperFacts",
    "SimulatedSource",
    "Source",
    "Task",
    "TaskData",
    "open_encoded",
    "open_source",
    "resolve_suite",
    "sample",
    "task_data",
    "unknown_name",
]

# These need numpy, whose import would take a fifth of the time of `taskstream --help`. So import them at the first use.
_LAZY = {
    "tasks.encoded": ("EncodedSplit", "EncodedTask", "open_encoded", "sample"),
    "tasks.examples": ("Examples", "Limits", "TaskData", "task_data"),
    "tasks.sources": ("FolderSource", "HubSource", "SimulatedSource", "Source", "open_source"),
}


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
