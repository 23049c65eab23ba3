"""Strategies and plugins of Avalanche by name: specifications, what they become, and what a wrong one is told."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from learners.methods.avalanche import DEFAULTS, NAMES
from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from learners.specification.tuned import Tuned
from learners.training.fit import fit
from stream.avalanche.registration import TRAINER
from stream.avalanche.strategy import classes, follows_updates, strategy_of
from tasks.errors import InputError
from tests.loaded import backbone, encoded, score


def avalanche(specification: str, **training: Any) -> Learner:
    learner = parse_learner(f"avalanche:{specification}", training)
    assert learner.trainer == "avalanche"
    return learner


def made(specification: str) -> Any:
    return strategy_of(avalanche(specification), torch.nn.Linear(2, 2))


def test_one_strategy_has_one_name() -> None:
    same = (
        "ewc",
        "ewc:ewc_lambda=0.4",
        "EWCPlugin:ewc_lambda=4e-1",
        "{ewc={}}",
        "{EWCPlugin={ewc_lambda=0.4}}",
        "config={ewc={ewc_lambda=0.4}}",
    )
    (name,) = {avalanche(specification).name for specification in same}
    assert name == "avalanche:config={ewc={ewc_lambda=0.4}}"
    assert parse_learner(name) == avalanche("ewc")
    assert avalanche("ewc:epochs=7").training.epochs == 7
    assert avalanche("ewc:ewc_lambda=1").name != name


def test_a_learner_of_all_weights_that_trains_in_a_stream() -> None:
    learner = avalanche("replay")
    assert (learner.tuned, learner.sharing, learner.training) == (
        Tuned(all=True),
        "sequential",
        parse_learner("full").training,
    )
    assert learner.library.startswith("avalanche-lib 0.6")
    with pytest.raises(InputError, match="not this training loop"):
        fit(backbone(), learner, encoded(), score, 0)


@pytest.mark.parametrize("name", NAMES)
def test_short_names(name: str) -> None:
    strategy = made(name)
    named = classes()[NAMES[name]]
    objects = [strategy, *strategy.plugins]
    (own,) = (each for each in objects if isinstance(each, named) and (each is not strategy or named.__name__ == "Naive"
              or issubclass(type(strategy), named)))  # fmt: skip
    for argument, value in DEFAULTS.get(name, {}).items():
        holder = own.lwf if name == "lwf" else own
        assert getattr(holder, argument) == value
    assert TRAINER.needs_full_stream(avalanche(name).trainer_config) == (name == "joint")


def test_arguments_reach_the_class() -> None:
    (plugin,) = (each for each in made("replay:mem_size=500").plugins if type(each).__name__ == "ReplayPlugin")
    assert plugin.mem_size == 500
    (plugin,) = (each for each in made("lwf:alpha=[0,2]").plugins if type(each).__name__ == "LwFPlugin")
    assert plugin.lwf.alpha == [0, 2]
    strategy = made("{Cumulative={},ewc={ewc_lambda=2,mode=online,decay_factor=0.5},replay={mem_size=3}}")
    assert type(strategy).__name__ == "Cumulative"
    assert {"EWCPlugin", "ReplayPlugin"} <= {type(each).__name__ for each in strategy.plugins}


def test_plugins_that_follow_updates_keep_the_last_epoch() -> None:
    assert {name for name in NAMES if follows_updates(made(name))} == set()
    assert follows_updates(made("SynapticIntelligencePlugin:si_lambda=0.1"))
    assert follows_updates(made("SynapticIntelligence:si_lambda=0.1"))
    assert follows_updates(made("{ewc={},SynapticIntelligencePlugin={si_lambda=0.1}}"))


@pytest.mark.parametrize(
    ("specification", "told"),
    [
        ("replya", "unknown strategy or plugin of avalanche 'replya'; did you mean replay"),
        ("ewc:ewc_lambd=1", "unknown argument of avalanche's EWCPlugin 'ewc_lambd'; did you mean ewc_lambda"),
        ("ewc:epcohs=3", "unknown argument of avalanche's EWCPlugin 'epcohs'; did you mean epochs"),
        ("EWC:train_mb_size=3", "unknown argument of avalanche's EWC 'train_mb_size'"),
        ("SynapticIntelligencePlugin", "SynapticIntelligencePlugin needs si_lambda"),
        ("LearningToPrompt:model_name=vit", "makes its own model"),
        ("PNNStrategy", "avalanche's PNNStrategy refuses its arguments.*requires a PNN model"),
        ("ewc:mode=online", "avalanche's EWCPlugin refuses its arguments.*decay_factor"),
        ("{Cumulative={},JointTraining={}}", "several strategies.*Cumulative and JointTraining"),
    ],
)
def test_what_avalanche_has_not_is_told(specification: str, told: str) -> None:
    with pytest.raises(InputError, match=f"learner avalanche.*{told}"):
        made(specification)


@pytest.mark.parametrize(
    ("specification", "told"),
    [
        ("ewc:ewc_lambda=1:ewc_lambda=2", "ewc_lambda is given twice"),
        ("{ewc={},replay={}}:mem_size=3", "arguments in the braces of one of ewc, replay"),
        ("{ewc=3}", "the name of a strategy or plugin"),
        ("{}", "the name of a strategy or plugin"),
        ("ewc/2", "cannot read this part"),
        ("ewc:ewc_lambda={", "bad arguments of avalanche"),
        ("ewc:sequential", "avalanche has no sharing"),
        ("ewc:epochs=-1", "bad value of epochs"),
    ],
)
def test_what_cannot_be_read_is_told(specification: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        avalanche(specification)
