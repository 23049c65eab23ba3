"""Time per operator from a trace of PyTorch's profiler, in Chrome's format.

Reading the trace is several times as fast as `profile.events()`, which makes an object with many fields of each event.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch.profiler import profile

from profiling.operators import group_of, is_operator

Operators = Mapping[tuple[str, str], tuple[int, float]]  # (group, name) -> calls, and seconds without what it calls
EVENTS = ("cpu_op", "user_annotation")  # categories: operators and nodes of the graph; named ranges of Python


class Running(NamedTuple):
    """An event that has begun and not ended.

    Attributes:
        end: When it ends, microseconds.
        name: Its name.
        key: Its group and name; None for a range.
    """

    end: float
    name: str
    key: tuple[str, str] | None


def operators(recorder: profile) -> Operators:
    """Calls and own seconds of each operator that a profiler recorded."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace.json"
        recorder.export_chrome_trace(str(file))
        events = json.loads(file.read_text(encoding="utf-8", errors="replace"))["traceEvents"]
    return operators_of(event for event in events if event.get("ph") == "X" and event.get("cat") in EVENTS)


def operators_of(events: Iterable[Mapping[str, Any]]) -> Operators:
    """Calls and own seconds of each operator among the events of a trace.

    Args:
        events: Mappings with `name`, `tid` (thread), and `ts` and `dur` (begin and duration, microseconds). In each
            thread, one is inside another or apart from it.
    """
    calls: dict[tuple[str, str], int] = defaultdict(int)
    spent: dict[tuple[str, str], float] = defaultdict(float)
    threads: dict[Any, list[Running]] = defaultdict(list)
    for event in sorted(events, key=lambda each: (each["ts"], -each["dur"])):
        name, begin, duration = event["name"], event["ts"], event["dur"]
        running = threads[event["tid"]]
        while running and running[-1].end <= begin:
            running.pop()
        key = None
        if is_operator(name):
            key = (group_of(name, [each.name for each in running]), name)
            calls[key] += 1
            spent[key] += duration
        if running and (caller := running[-1].key) is not None:
            spent[caller] -= duration
        running.append(Running(begin + duration, name, key))
    return {key: (calls[key], spent[key] / 1e6) for key in calls}
