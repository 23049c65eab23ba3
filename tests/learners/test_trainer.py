"""Trainers by name: how another package registers one, what a wrong registration is told, what a recipe says of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints

import pytest

import learners.training.trainer
from learners.specification.family import families, parse_learner
from learners.specification.learner import LOOP, Learner
from learners.specification.recipe import RESERVED, TRAINING_FIELDS, recipe_of, trainer_in
from learners.training.trainer import GROUP, FitRequest, Trained, Trainer, trainer_named
from tasks.errors import InputError
from tests.loaded import backbone, encoded, score


class Halves:
    """A trainer from outside: our loop on half of the epochs."""

    keeps_state = False

    def needs_full_stream(self, config: str) -> bool:
        return False

    def is_joint(self, config: str) -> bool:
        return False

    def check(self, learner: Learner) -> None:
        if learner.training.epochs < 2:
            raise InputError("too few epochs", where=learner.name, expected="two at least")

    def fit(self, request: FitRequest, state: object) -> Trained:
        training = replace(request.learner.training, epochs=request.learner.training.epochs // 2)
        shorter = replace(request.learner, trainer=LOOP, training=training)
        return trainer_named(LOOP).fit(replace(request, learner=shorter), state)


HALVES = Halves()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    points = EntryPoints(
        EntryPoint(name, value, GROUP)
        for name, value in (
            ("halves", "tests.learners.test_trainer:HALVES"),
            ("twice", "one:A"),
            ("twice", "two:B"),
            ("tuned", "tests.learners.test_trainer:HALVES"),
            ("nowhere", "tests.learners.no_such_module:A"),
            ("nothing", "tests.learners.test_trainer:GROUP"),
        )
    )
    monkeypatch.setattr(learners.training.trainer, "entry_points", lambda group: points.select(group=group))
    trainer_named.cache_clear()
    yield
    trainer_named.cache_clear()


def request(learner: Learner) -> FitRequest:
    return FitRequest(
        backbone=backbone(), learner=learner, data=encoded(), seed=0, score_of=lambda task: score, previous=None,
        history=(), tasks=(), load=lambda name: encoded(), report=lambda event: None,
    )  # fmt: skip


def test_a_trainer_from_outside_trains_a_learner(registered: None) -> None:
    learner = replace(parse_learner("head:epochs=4"), trainer="halves")
    own = trainer_named("halves")
    assert isinstance(own, Trainer)
    own.check(learner)
    with pytest.raises(InputError, match="too few epochs"):
        own.check(replace(learner, training=replace(learner.training, epochs=1)))
    trained = own.fit(request(learner), None)
    assert len(trained.fit.validation) == 2
    assert (trained.state, trained.state_bytes) == (None, None)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("halve", "unknown trainer.*halves"),
        ("twice", "this name is already in use.*one:A and two:B"),
        ("tuned", "this name is already in use"),
        ("nowhere", "cannot be imported.*ModuleNotFoundError"),
        ("nothing", "not a trainer.*expected an object with the members"),
    ],
)
def test_a_wrong_registration_is_told(registered: None, name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        trainer_named(name)


def test_a_recipe_says_what_differs_from_the_defaults() -> None:
    """Ids are hashes of these values: a new one would make every stored fit unknown."""
    for name in families():
        learner = parse_learner(name)
        recipe = recipe_of(learner)
        assert {"name", "family", "training"} <= {*recipe} < RESERVED | {"avalanche"}
        assert not {"formats", "plugins", "draws_as", "trainer"} & {*recipe}
        assert trainer_in(json.loads(json.dumps(recipe))) == (learner.trainer, learner.trainer_config)
    assert [*recipe_of(parse_learner("head"))] == ["name", "family", "training"]
    assert {*TRAINING_FIELDS} < RESERVED


def test_to_ask_what_a_trainer_needs_imports_no_avalanche() -> None:
    code = (
        "import sys; from learners.training.trainer import trainer_named; own = trainer_named('avalanche'); "
        "assert own.keeps_state and own.needs_full_stream('{joint={}}') and own.is_joint('{joint={}}'); "
        "assert not own.is_joint('{ewc={},joint={}}') and not own.needs_full_stream('{ewc={}}'); "
        "print('avalanche' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
