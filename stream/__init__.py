"""Streams of tasks, the learners that meet them, and the account of what they keep and cost.

    from stream import run

    results = run(suite="cola,rte", learners=["head", "adapter:64"], train_examples=500, out="runs/first")

`run` and `kept_workers` compute; `plan` tells what a run would do; `load_results`, `verify` and `compare` read finished
runs; `cost` counts parameters without computing anything. Bad input raises `InputError`, a run that could not go on
`RunFailed`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.api.compare import compare
    from stream.api.cost import cost
    from stream.api.plan import Plan, plan
    from stream.api.run import kept_workers, run
    from stream.api.verify import verify
    from stream.errors import RunFailed
    from stream.results.results import Results, load_results
    from tasks.errors import InputError, InputErrors

__all__ = [
    "run",
    "plan",
    "verify",
    "compare",
    "cost",
    "load_results",
    "kept_workers",
    "Plan",
    "Results",
    "InputError",
    "InputErrors",
    "RunFailed",
]

# Imported when first asked for: a worker needs none of them.
_HOMES = {
    "run": "stream.api.run",
    "kept_workers": "stream.api.run",
    "plan": "stream.api.plan",
    "Plan": "stream.api.plan",
    "verify": "stream.api.verify",
    "compare": "stream.api.compare",
    "cost": "stream.api.cost",
    "load_results": "stream.results.results",
    "Results": "stream.results.results",
    "RunFailed": "stream.errors",
    "InputError": "tasks.errors",
    "InputErrors": "tasks.errors",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
