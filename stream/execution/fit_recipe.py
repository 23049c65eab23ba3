"""The recipe of a fit in a process that executes jobs, and the state of a paused fit under it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of
from learners.training.state import FitState
from stream.execution.workbench import Workbench
from stream.storage.fits import LearnedTask, Recipe
from stream.storage.job import Job
from stream.storage.keys import history
from stream.storage.states import drop_state, get_state
from stream.storage.trials import Trial
from tasks.metrics import scoring


def recipe_in(
    workbench: Workbench,
    job: Job,
    learner: Learner,
    start: LearnedTask | None,
    earlier: Sequence[LearnedTask],
    trial: Trial | None,
) -> Recipe:
    """Returns the recipe of a fit; the arguments are those of `stream.execution.fit_job.fit_or_stored`.

    `stream.storage.keys.fit_recipe` computes the same from the inputs in a ledger.
    """
    data = workbench.data(job.tasks[0])
    return Recipe(
        backbone=workbench.backbone.id,
        data=data.id,
        learner=recipe_of(learner),
        task=data.task.name,
        seed=workbench.setup.seed if trial is None or trial.seed is None else trial.seed,
        train_examples=workbench.setup.train_examples,
        test_examples=workbench.setup.test_examples,
        validation_examples=workbench.setup.validation_examples,
        data_seed=workbench.setup.data_seed,
        scoring=scoring(data.task),
        previous=start.delta if start else None,
        numerics=workbench.numerics,
        met=history(learner, earlier, workbench.setup.data_ids, workbench.setup.scoring),
        until=None if trial is None else trial.until,
    )


def full_recipe(recipe: Recipe) -> Recipe:
    """Returns the recipe of the whole fit that a paused fit is the beginning of."""
    return replace(recipe, until=None)


def paused_state(workbench: Workbench, recipe: Recipe) -> FitState | None:
    """Returns the state with which a fit can go on; None if it has to begin."""
    state = get_state(workbench.store, full_recipe(recipe).id)
    return state if state is not None and (recipe.until is None or state.epochs <= recipe.until) else None


def drop_states(workbench: Workbench, job: Job, learner: Learner, fits: Iterable[tuple[str, Trial]]) -> None:
    """Deletes the states of paused fits from the store: after the choice none of them goes on.

    Args:
        fits: Task and trial of each fit; those that did not pause have no state.
    """
    assert learner.selection is not None
    for task, each in fits:
        if each.until is not None:
            trial = Trial(candidate=each.candidate, seed=each.seed)
            fitted = learner.selection[each.candidate].learner
            recipe = recipe_in(workbench, replace(job, tasks=(task,)), fitted, None, (), trial)
            drop_state(workbench.store, recipe.id)
