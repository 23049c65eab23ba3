"""Tasks: what they are, where their examples come from, and how they are split and tokenised."""

from tasks.encode import encode
from tasks.encoded import EncodedSplit, EncodedTask, open_encoded, sample
from tasks.errors import InputError, InputErrors, unknown_name
from tasks.examples import Examples, TaskData, task_data
from tasks.sources import FolderSource, HubSource, Source, open_source
from tasks.suite import SUITES, TASKS, resolve_suite
from tasks.task import HubAddress, Kind, PaperFacts, Task

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
    "PaperFacts",
    "Source",
    "Task",
    "TaskData",
    "encode",
    "open_encoded",
    "open_source",
    "resolve_suite",
    "sample",
    "task_data",
    "unknown_name",
]
