"""(i) Many tasks, one after another and in packs: fits and evaluations of a suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmark.clock import clocked
from benchmark.contenders import OURS
from benchmark.measurement import Measurement
from benchmark.ours import backbone_of
from benchmark.process import Contender
from benchmark.rows import opened
from benchmark.work import Work
from learners.backbones.backbone import Backbone
from learners.delta.initial import initial_delta
from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from learners.training.fit import fit
from learners.training.pack import fit_pack
from learners.training.result import Request
from stream.execution.evaluate_job import Question, evaluate, evaluate_together, scorer
from stream.execution.workers import MEMORY
from tasks.encoded import EncodedTask

SLOTS = (1, 2, 4, 8)
LEARNERS = ("adapter:16", "adapterbias", "layernorm", "lora:8", "prefix:16")


def measure(work: Work) -> Iterator[Measurement]:
    """Measure part i. A pack of one is the fit by itself."""
    sizes = work.sizes
    data = [*work.encoded(sizes.suite, sizes.stream_examples, 1).values()]
    for learner in LEARNERS:
        work.tell(f"i: {learner}")
        who = [_contender(slots, work.dtype) for slots in SLOTS]
        settings = {"backbone": work.backbone, "data": data, "learner": learner, "examples": sizes.stream_examples,
                    "batch_size": sizes.batch_size}  # fmt: skip
        answers = work.processes.alternate(who, settings, sizes.stream_repetitions, {})
        for contender in who:
            values = tuple(len(data) * sizes.stream_examples / answer["cpu"] for answer in answers[contender.name])
            yield Measurement(
                "i", f"{learner}, fits of {len(data)} tasks", contender.name, "examples/s", values, more=True
            )

    suite = [*work.encoded(sizes.suite, sizes.test_examples, sizes.test_examples).values()]
    for learner in LEARNERS:
        work.tell(f"i: evaluation, {learner}")
        who = [_contender(slots, work.dtype, "evaluated") for slots in SLOTS]
        settings = {"backbone": work.backbone, "data": suite, "learner": learner, "examples": sizes.test_examples}
        answers = work.processes.alternate(who, settings, sizes.repetitions, {})
        for contender in who:
            values = tuple(answer["rows"] / answer["cpu"] for answer in answers[contender.name])
            what = f"{learner}, evaluation of {len(suite)} tasks"
            yield Measurement("i", what, contender.name, "examples/s", values, more=True)


def _contender(slots: int, dtype: str, function: str = "in_packs") -> Contender:
    name = "one by one" if slots == 1 else f"packs of {slots}"
    settings = {"dtype": dtype, "slots": slots}
    return Contender(f"{OURS} {name}", f"{OURS} {dtype}", f"benchmark.packs:{function}", settings, MEMORY)


def evaluated(
    backbone: str, dtype: str, data: Sequence[str], learner: str, examples: int, slots: int, **_: Any
) -> dict[str, float]:
    """Scores the test rows of each task, with a Delta of each."""
    base, parsed = backbone_of(backbone, dtype), parse_learner(learner)
    tasks = [opened(each, examples, examples) for each in data]
    deltas = [initial_delta(base, parsed, each.task, seed=0) for each in tasks]
    with clocked() as spent:
        if slots == 1:
            for delta, each in zip(deltas, tasks, strict=True):
                evaluate(base, parsed, delta, each.task, each.test)
        else:
            asked = [Question(delta, each.task, each.test) for delta, each in zip(deltas, tasks, strict=True)]
            evaluate_together(base, parsed, asked, slots)
    return {**spent.as_dict(), "rows": sum(len(each.test) for each in tasks)}


def in_packs(
    backbone: str, dtype: str, data: Sequence[str], learner: str, examples: int, batch_size: int, slots: int, **_: Any
) -> dict[str, float]:
    """One epoch on each task."""
    base = backbone_of(backbone, dtype)
    parsed = parse_learner(learner, {"epochs": 1, "batch_size": batch_size, "learning_rate": None})
    tasks = [opened(each, examples, 1) for each in data]
    with clocked() as spent:
        fit_all(base, parsed, tasks, slots)
    return spent.as_dict()


def fit_all(base: Backbone, learner: Learner, tasks: Sequence[EncodedTask], slots: int) -> None:
    """Fits a learner on each task, in packs of so many; 1: one by one."""
    if slots == 1:
        for task in tasks:
            fit(base, learner, task, scorer(task.task), seed=0)
        return
    list(fit_pack(base, [Request(learner, task, scorer(task.task), seed=0) for task in tasks], slots))
