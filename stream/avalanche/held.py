"""Strategies that a process holds between the fits of their learners, and how it comes to hold one."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from learners.specification.learner import Learner
from learners.training.fit import Fit, Report
from stream.avalanche.isolation import own_randomness, silenced
from stream.storage.fits import LearnedTask

if TYPE_CHECKING:
    from stream.execution.workbench import Workbench
    from stream.storage.job import Job

WAY_OUT = "begin anew with another --out and --store, or leave this learner out"


class Nondeterminism(Exception):
    """The same fit gave another Delta: this machine's arithmetic is not repeatable, or a defect; the end of the run."""


def next_fit(
    bench: Workbench, job: Job, learner: Learner, earlier: Sequence[LearnedTask], report: Report
) -> tuple[Fit, int]:
    """The next fit of a strategy, and the bytes that it keeps beside the model.

    Where this process does not hold it as the fits before left it, it does those again that are missing, or all.

    Args:
        earlier: The good fits before.
        report: What is told of a fit that is done again has its task as `again`.

    Raises:
        Nondeterminism: A fit that is done again gives another Delta.
        Diverged: As `learners.training.fit.fit`.
        InputError: The strategy cannot learn such tasks.
    """
    trainer = bench.trainers.pop(job.learner, None)  # what ends midway is of no more use
    if trainer is None or trainer.learned != [fit.delta for fit in earlier[: len(trainer.learned)]]:
        trainer = _trainers().Trainer(bench.backbone, learner, bench.setup.seed, map(bench.data, bench.setup.data))
    for fit in earlier[len(trainer.learned) :]:
        task, expected = fit.task, fit.delta
        told = partial(_told_again, report, task)
        if (again := trainer.learn(bench.data(task), told).delta.id) != expected:
            what = f"task {task} was learned again, as the next one needs, and gave another Delta"
            raise Nondeterminism(f"{what}: expected {expected[:16]}, found {again[:16]}; {WAY_OUT}")
    outcome = trainer.learn(bench.data(job.tasks[0]), report)
    bench.trainers[job.learner] = trainer
    return outcome, trainer.kept_bytes


def _told_again(report: Report, task: str, event: dict[str, object]) -> None:
    report({**event, "again": task})


def check_strategy(learner: Learner) -> None:
    """See that there is such a strategy, and that it takes its arguments.

    Raises:
        InputError: There is none, or it does not.
    """
    trainers = _trainers()
    with own_randomness(0), silenced():
        trainers.strategy_of(learner, torch.nn.Linear(1, 1))


def _trainers() -> ModuleType:
    """The bridge to Avalanche, which takes seconds to import and draws random numbers meanwhile."""
    with own_randomness(0):
        return importlib.import_module("stream.avalanche.trainer")
