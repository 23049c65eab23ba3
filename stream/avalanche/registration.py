"""Strategies of Avalanche as a trainer of ours, and how a process comes to hold a strategy between fits.

Avalanche takes seconds to import and draws random numbers meanwhile, so it is imported when a strategy is made.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch

from learners.methods.avalanche import JOINT, needs_full_stream
from learners.specification.learner import Learner
from learners.training.trainer import FitRequest, Nondeterminism, Trained
from stream.avalanche.isolation import own_randomness, silenced

if TYPE_CHECKING:
    from learners.training.fit import Report
    from stream.avalanche.session import Session

WAY_OUT = "begin anew with another --out and --store, or leave this learner out"


class AvalancheTrainer:
    """Trains all tasks of a learner by one strategy, which keeps more than the model between them."""

    keeps_state = True

    def needs_full_stream(self, config: str) -> bool:
        return needs_full_stream(config)

    def is_joint(self, config: str) -> bool:
        return config == JOINT

    def check(self, learner: Learner) -> None:
        """See that there is such a strategy, and that it takes its arguments.

        Raises:
            InputError: There is none, or it does not.
        """
        with own_randomness(0):
            from stream.avalanche.strategy import strategy_of
        with own_randomness(0), silenced():
            strategy_of(learner, torch.nn.Linear(1, 1))

    def fit(self, request: FitRequest, state: object) -> Trained:
        """The next fit of a strategy.

        Where this process does not hold it as the fits before left it, those fits are done again that are missing, or
        all. What is reported of a fit that is done again has its task as `again`.

        Raises:
            Nondeterminism: A fit that is done again gives another Delta.
            Diverged: As `learners.training.fit.fit`.
            InputError: The strategy cannot learn such tasks.
        """
        session = _session(request, state)
        for task, expected in request.history[len(session.learned) :]:
            told = partial(_told_again, request.report, task)
            if (again := session.learn(request.load(task), told).delta.id) != expected:
                what = f"task {task} was learned again, as the next one needs, and gave another Delta"
                raise Nondeterminism(f"{what}: expected {expected[:16]}, found {again[:16]}; {WAY_OUT}")
        return Trained(session.learn(request.data, request.report), session, session.kept_bytes)


TRAINER = AvalancheTrainer()


def _session(request: FitRequest, state: object) -> Session:
    """The state if it is of the fits before, or the beginning of them; else a new one."""
    with own_randomness(0):
        from stream.avalanche.session import Session
    learned = [delta for _, delta in request.history]
    if isinstance(state, Session) and state.learned == learned[: len(state.learned)]:
        return state
    stream = map(request.load, request.tasks)
    return Session(request.backbone, request.learner, request.seed, stream, request.score_of)


def _told_again(report: Report, task: str, event: dict[str, object]) -> None:
    report({**event, "again": task})
