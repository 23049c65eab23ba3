"""Our training loop as a trainer. It keeps no state between tasks except the last Delta."""

from __future__ import annotations

from learners.specification.learner import Learner
from learners.training.trainer import FitRequest, Trained


class LoopTrainer:
    """Trains with `learners.training.fit.fit`. Learners use it if they name no other trainer."""

    keeps_state = False

    def needs_full_stream(self, config: str) -> bool:
        return False

    def is_joint(self, config: str) -> bool:
        return False

    def check(self, learner: Learner) -> None:
        """Check nothing: the shapes of a learner are checked for every trainer."""

    def fit(self, request: FitRequest, state: object) -> Trained:
        from learners.training.fit import fit

        score, data = request.score_of(request.data.task), request.data
        return Trained(
            fit(
                request.backbone,
                request.learner,
                data,
                score,
                request.seed,
                request.previous,
                request.report,
                request.until,
                request.state,
            )
        )


TRAINER = LoopTrainer()
