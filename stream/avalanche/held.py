"""Strategies that a process holds between the fits of their learners, and how it comes to hold one."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch

from learners.fit import Fit, Report
from learners.learner import AvalancheLearner
from stream.avalanche.isolation import own_randomness

if TYPE_CHECKING:
    from stream.execute import Bench
    from stream.plan import Job


class Nondeterminism(Exception):
    """The same fit gave another Delta: this machine's arithmetic is not repeatable, or a defect; the end of the run."""


def next_fit(
    bench: Bench, job: Job, learner: AvalancheLearner, earlier: Sequence[Mapping[str, Any]], report: Report
) -> tuple[Fit, int]:
    """The next fit of a strategy, and the bytes that it keeps beside the model.

    Where this process does not hold it as the fits before left it, it is made again by doing them again.

    Args:
        earlier: Records of the good fits before.

    Raises:
        Nondeterminism: A fit that is done again gives another Delta.
        Diverged: As `learners.fit.fit`.
        InputError: The strategy cannot learn such tasks.
    """
    trainer = bench.trainers.pop(job.learner, None)  # what ends midway is of no more use
    if trainer is None or trainer.learned != [record["delta"] for record in earlier]:
        stream = [bench.data(name) for name in bench.setup.data] if learner.foresees else ()
        trainer = _trainers().Trainer(bench.backbone, learner, bench.setup.seed, stream)
        for record in earlier:
            again, expected = trainer.learn(bench.data(record["task"]), report).delta.id, record["delta"]
            if again != expected:
                what = f"task {record['task']} was learned again, as the next one needs, and gave another Delta"
                raise Nondeterminism(f"{what}: expected {expected[:16]}, found {again[:16]}")
    outcome = trainer.learn(bench.data(job.tasks[0]), report)
    bench.trainers[job.learner] = trainer
    return outcome, trainer.kept_bytes


def check_strategy(learner: AvalancheLearner) -> None:
    """See that there is such a strategy, and that it takes its arguments.

    Raises:
        InputError: There is none, or it does not.
    """
    _trainers().strategy_of(learner, torch.nn.Linear(1, 1))


def _trainers() -> ModuleType:
    """The bridge to Avalanche, which takes seconds to import and draws random numbers meanwhile."""
    with own_randomness(0):
        return importlib.import_module("stream.avalanche.trainer")
