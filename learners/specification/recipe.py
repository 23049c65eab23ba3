"""A learner as plain values, for the recipes of fits and the keys of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from learners.specification.learner import LOOP, Learner

TRAINING_FIELDS = ("trainer", "trainer_config", "draws_as")  # `recipe_of` writes them in another form
RESERVED = frozenset({field.name for field in fields(Learner)} | {"seeds"})  # a trainer must not have such a name


def recipe_of(learner: Learner) -> dict[str, Any]:
    """Returns all settings of a learner as values for JSON.

    The dictionary has the fields of `Learner`, with three exceptions. If the trainer is not `LOOP`, its name is a key
    and its configuration the value. `seeds` is present only if it differs from the name, `plugins` only if there are
    any. Ids of fits and keys of results are hashes of these values. If you add a field to `Learner`, omit it here when
    it has its default: otherwise all ids change and stored results are not found.
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
    """Returns name and configuration of the trainer in a recipe."""
    return next(((name, config) for name, config in recipe.items() if name not in RESERVED), (LOOP, ""))
