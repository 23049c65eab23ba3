"""A learner as plain values, as recipes of fits and keys of results hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from learners.specification.learner import LOOP, Learner

TRAINING_FIELDS = ("trainer", "trainer_config", "draws_as")  # written in a form of their own
RESERVED = frozenset({field.name for field in fields(Learner)} | {"seeds"})  # no trainer can have such a name


def recipe_of(learner: Learner) -> dict[str, Any]:
    """All settings of a learner, ready for JSON.

    A trainer other than our loop stands as its name with its configuration; `seeds` stands where it is not the
    learner's name, `plugins` where there are any. Ids of fits and keys of results are hashes of these values, so a
    field that is added to `Learner` must be left out here where it has its default: else nothing that is stored would
    be found again.
    """
    values = asdict(learner)
    for name in TRAINING_FIELDS:
        del values[name]
    if not learner.plugins:
        del values["plugins"]
    if learner.trainer != LOOP:
        values[learner.trainer] = learner.trainer_config
    if learner.seeds != learner.name:
        values["seeds"] = learner.seeds
    return values


def trainer_in(recipe: Mapping[str, Any]) -> tuple[str, str]:
    """Name and configuration of the trainer in a recipe."""
    return next(((name, config) for name, config in recipe.items() if name not in RESERVED), (LOOP, ""))
