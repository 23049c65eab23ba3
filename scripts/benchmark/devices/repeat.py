"""The same fit twice, and a fit in a pack beside others and alone: equal bit for bit?"""

from __future__ import annotations

from collections.abc import Iterator

from benchmark.devices.case import Case, Found
from learners.specification.family import parse_learner
from learners.training.fit import fit
from learners.training.pack import fit_pack
from learners.training.result import Fit, Request
from stream.execution.evaluate_job import scorer

LEARNERS = ("full:isolated", "topk:1", "adapter:64", "adapterbias", "layernorm", "bitfit", "lora:8", "prefix:16", "ia3",
            "vera:16", "compacter:16", "prompt:10", "head")  # fmt: skip
TOGETHER = ("adapter:64", "adapterbias", "layernorm", "bitfit", "lora:8", "prefix:16", "ia3", "vera:16", "compacter:16",
            "prompt:10", "head")  # fmt: skip
SLOTS, OTHERS = 8, 4


def measure(case: Case) -> Iterator[Found]:
    """One epoch of 64 rows, on the embedded encoder."""
    rows = 32 if case.quick else 64
    tasks = case.tasks(1, rows)
    for learner in LEARNERS[-2:] if case.quick else LEARNERS:
        parsed = parse_learner(learner, {"epochs": 1, "batch_size": 16})
        first, again = (fit(case.embedded, parsed, tasks[0], scorer(tasks[0].task), 0) for _ in range(2))
        yield Found(f"{learner}: the same fit twice", float(first.delta.id == again.delta.id), "holds")
    for learner in TOGETHER[-2:] if case.quick else TOGETHER:
        parsed = parse_learner(learner, {"epochs": 1, "batch_size": 16})
        requests = [Request(parsed, tasks[0], scorer(tasks[0].task), seed) for seed in range(OTHERS + 1)]
        together = dict(fit_pack(case.embedded, [*requests[1:], requests[0]], SLOTS))[OTHERS]
        alone = dict(fit_pack(case.embedded, requests[:1], SLOTS))[0]
        assert isinstance(together, Fit)
        assert isinstance(alone, Fit)
        yield Found(f"{learner}: beside {OTHERS} others as alone", float(together.delta.id == alone.delta.id), "holds")
