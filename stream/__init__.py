"""Simulate continual learning on streams of text tasks: run learners on a stream, compare them, check the proof.

    from stream import run

    results = run(suite="cola,rte", learners=["head", "adapter:64"], train_examples=500, dtype="auto", out="runs/first")
    results["adapter:64"].metrics["average_accuracy"]

`run` trains and evaluates; `kept_workers` keeps its processes for several runs. `plan` shows what a run would do.
`load_results`, `verify` and `compare` read the folders of runs, `load_study` that of several seeds or orders.
`cost` counts parameters without running anything.
`InputError` means bad input, `RunFailed` a run that ended early. Import these names from here; the rooms below `stream`
are internal, except `stream.hub` (load shared models) and `stream.results.metrics` (define your own metrics).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stream.api.compare import compare
    from stream.api.cost import cost
    from stream.api.plan import plan
    from stream.api.preview import Plan
    from stream.api.run import kept_workers, run
    from stream.api.verify import verify
    from stream.errors import RunFailed
    from stream.results.results import Results, load_results
    from stream.study.study import Study, load_study
    from tasks.errors import InputError, InputErrors

__all__ = [
    "run",
    "plan",
    "verify",
    "compare",
    "cost",
    "load_results",
    "load_study",
    "kept_workers",
    "Plan",
    "Results",
    "Study",
    "InputError",
    "InputErrors",
    "RunFailed",
]

# Module of each name. It is imported at the first use of the name, because a worker needs none of them.
_MODULES = {
    "run": "stream.api.run",
    "kept_workers": "stream.api.run",
    "plan": "stream.api.plan",
    "Plan": "stream.api.preview",
    "verify": "stream.api.verify",
    "compare": "stream.api.compare",
    "cost": "stream.api.cost",
    "load_results": "stream.results.results",
    "Results": "stream.results.results",
    "load_study": "stream.study.study",
    "Study": "stream.study.study",
    "RunFailed": "stream.errors",
    "InputError": "tasks.errors",
    "InputErrors": "tasks.errors",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted((*globals(), *__all__))
