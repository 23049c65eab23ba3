"""A trainer that trains learners with Avalanche strategies, and restores the state of a strategy between fits.

Avalanche is slow to import and draws random numbers during the import. So it is imported only when a strategy is made.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from learners.methods.avalanche import JOINT, needs_full_stream
from learners.specification.learner import Learner
from learners.training.trainer import FitRequest, Nondeterminism, Trained

if TYPE_CHECKING:
    from learners.training.result import Report
    from stream.avalanche.session import Session

FIX = "start again with another --out and --store, or leave this learner out"


class AvalancheTrainer:
    """Trains all tasks of a learner with one strategy. The strategy keeps state between tasks, not only the model."""

    keeps_state = True

    def needs_full_stream(self, config: str) -> bool:
        return needs_full_stream(config)

    def is_joint(self, config: str) -> bool:
        return config == JOINT

    def check(self, learner: Learner) -> None:
        """Checks that the strategy exists and accepts its arguments.

        Raises:
            InputError: The strategy does not exist, or refuses its arguments.
        """
        import torch

        from stream.avalanche.isolation import own_randomness, silenced

        with own_randomness(0):
            from stream.avalanche.strategy import strategy_of
        with own_randomness(0), silenced():
            strategy_of(learner, torch.nn.Linear(1, 1))

    def fit(self, request: FitRequest, state: object) -> Trained:
        """Fits the next task.

        If `state` is not the state after the earlier fits, the missing fits are repeated, or all of them. Progress
        events of a repeated fit have its task in the field `again`.

        Raises:
            Nondeterminism: A repeated fit gives another Delta.
            Diverged: As in `learners.training.fit.fit`.
            InputError: The strategy cannot learn such tasks.
        """
        session = _session(request, state)
        for task, expected in request.history[len(session.learned) :]:
            report = partial(_report_again, request.report, task)
            if (again := session.learn(request.load(task), report).delta.id) != expected:
                what = f"the fit of task {task} was repeated to restore the strategy's state, and gave another Delta"
                raise Nondeterminism(f"{what}: expected {expected[:16]}, found {again[:16]}; {FIX}")
        return Trained(session.learn(request.data, request.report), session, session.kept_bytes)


TRAINER = AvalancheTrainer()


def _session(request: FitRequest, state: object) -> Session:
    """Returns the state if it comes from the earlier fits, or from the first of them; else a new session."""
    from stream.avalanche.isolation import own_randomness

    with own_randomness(0):
        from stream.avalanche.session import Session
    learned = [delta for _, delta in request.history]
    if isinstance(state, Session) and state.learned == learned[: len(state.learned)]:
        return state
    stream = map(request.load, request.tasks)
    return Session(request.backbone, request.learner, request.seed, stream, request.score_of)


def _report_again(report: Report, task: str, event: dict[str, object]) -> None:
    report({**event, "again": task})
