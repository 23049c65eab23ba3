"""A learner as plain values, for the recipes of fits and the keys of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from learners.specification.learner import LOOP, Learner

TRAINING_FIELDS = ("trainer", "trainer_config", "draws_as")  # `recipe_of` writes them in another form
RESERVED = frozenset({field.name for field in fields(Learner)} | {"seeds"})  # a trainer must not have such a name


def recipe_of(learner: Learner) -> dict[str, Any]:
    """Returns the settings of a learner as values for JSON. Ids of fits and keys of results are hashes of them.

    The dictionary has the fields of `Learner` that differ from their defaults, so a new field or option with a default
    changes no id. (What a default means is part of the format of the family, `Family.format`.) There are two
    exceptions: if the trainer is not `LOOP`, its name is a key and its configuration the value; and `seeds` is present
    only if it differs from the name.
    """
    values: dict[str, Any] = _set_fields(learner)
    for name in TRAINING_FIELDS:
        values.pop(name, None)
    if learner.trainer != LOOP:
        values[learner.trainer] = learner.trainer_config
    if learner.seeds != learner.name:
        values["seeds"] = learner.seeds
    return values


def _set_fields(value: Any) -> Any:
    """Returns the fields of a dataclass that differ from their defaults, and those of the dataclasses in it.

    A dataclass inside another one has an entry `class`: two forms may have equal fields and compute different things.
    """
    if isinstance(value, list | tuple):
        return [_named(item) for item in value]
    if not is_dataclass(value):
        return value
    entries = ((field, getattr(value, field.name)) for field in fields(value))
    return {field.name: _named(item) for field, item in entries if item != field.default}


def _named(value: Any) -> Any:
    return {"class": type(value).__name__, **_set_fields(value)} if is_dataclass(value) else _set_fields(value)


def trainer_in(recipe: Mapping[str, Any]) -> tuple[str, str]:
    """Returns name and configuration of the trainer in a recipe."""
    return next(((name, config) for name, config in recipe.items() if name not in RESERVED), (LOOP, ""))
