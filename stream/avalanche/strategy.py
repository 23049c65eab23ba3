"""Strategies and plugins of Avalanche 0.6 by name: found, their arguments checked, put together around our loop."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import inspect
import warnings
from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import nn

from learners.methods.avalanche import NAMES
from learners.specification.family import TRAINING_OPTIONS
from learners.specification.learner import Learner
from learners.specification.notation import read_object
from stream.avalanche.loop import Loop
from stream.avalanche.model import loss_of
from tasks.errors import InputError, unknown_name

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of solvers of quadratic programs: only GEM needs one, and says so itself
    from avalanche.core import SupervisedPlugin
    from avalanche.training import plugins, supervised
    from avalanche.training.plugins import EvaluationPlugin
    from avalanche.training.plugins.clock import Clock
    from avalanche.training.supervised import Naive
    from avalanche.training.templates import SupervisedTemplate
    from avalanche.training.templates.base_sgd import PeriodicEval

# What a plugin does after a single update or batch: its state is then that of the last epoch.
FOLLOWS = ("after_update", "after_training_iteration", "after_training_epoch")
EVERYWHERE = (Clock, EvaluationPlugin, PeriodicEval)  # plugins that every strategy has
# Arguments that are the stream's, of strategies; a plugin may ask for the model too.
OURS = ("model", "optimizer", "criterion", "train_mb_size", "train_epochs", "eval_mb_size", "device", "plugins",
        "evaluator", "eval_every", "peval_mode")  # fmt: skip


def classes() -> dict[str, type]:
    """Every strategy and plugin that can be named."""
    found = {**vars(plugins), **vars(supervised)}
    bases = (SupervisedPlugin, SupervisedTemplate)
    return {
        name: each
        for name, each in found.items()
        if isinstance(each, type) and issubclass(each, bases) and each not in bases
    }


def strategy_of(learner: Learner, model: nn.Module) -> Any:
    """A strategy for a model: the one that the learner names, or `Naive`, with the plugins that it names.

    Raises:
        InputError: No class of that name, several strategies, an argument that a class does not have or wants, or one
            that it refuses.
    """
    base, given, named = classes_of(learner)
    where = f"learner {learner.name}"
    with warnings.catch_warnings(record=True, action="ignore"):  # that there are no loggers
        joined = [_made(each, own, {"model": model}, where) for each, own in named.items()]
        training = learner.training
        ours = {
            "model": model,
            "optimizer": torch.optim.SGD(model.parameters()),  # in the place of which comes one for each task
            "criterion": loss_of,
            "train_mb_size": training.batch_size,
            "train_epochs": training.epochs,
            "eval_mb_size": training.batch_size,
            "plugins": joined,
            "evaluator": EvaluationPlugin(),
        }
        return _made(base, given, ours, where)


def classes_of(learner: Learner) -> tuple[type, dict[str, Any], dict[type, dict[str, Any]]]:
    """The strategy that a learner names, or `Naive`, and its arguments; the plugins that it names with theirs.

    Raises:
        InputError: No class of that name, or several strategies.
    """
    where, known = f"learner {learner.name}", classes()
    named: dict[type, dict[str, Any]] = {}
    for name, given in read_object(learner.trainer_config).items():
        if NAMES.get(name, name) not in known:
            raise unknown_name("strategy or plugin of avalanche", name, (*NAMES, *known), where=where)
        named[known[NAMES.get(name, name)]] = given
    bases = [each for each in named if issubclass(each, SupervisedTemplate)]
    if len(bases) > 1:
        found = " and ".join(each.__name__ for each in bases)
        raise InputError("two strategies", where=where, expected="one, and plugins", found=found)
    base = bases[0] if bases else Naive
    return base, named.pop(base, {}), named


def follows_updates(strategy: Any) -> bool:
    """Whether a plugin's state is that of the last update, so that weights of an earlier epoch would not go with it."""
    own = (type(each) for each in strategy.plugins if not isinstance(each, EVERYWHERE))
    return any(getattr(kind, name) is not getattr(SupervisedPlugin, name) for kind in own for name in FOLLOWS)


def _made(kind: type, given: Mapping[str, Any], ours: Mapping[str, Any], where: str) -> Any:
    """An object of a class of Avalanche; a strategy with our loop in it."""
    parameters = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    stars = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    plain = {name: each for name, each in [*parameters.items()][1:] if each.kind not in stars}
    strategy = issubclass(kind, SupervisedTemplate)
    if strategy and "model" not in plain:
        raise InputError(f"avalanche's {kind.__name__} brings a model of its own", where=where, fix="name another")
    _check(kind, plain, given, ours, where)
    own = {name: value for name, value in ours.items() if name in plain or strategy}
    try:
        return (type(kind.__name__, (Loop, kind), {}) if strategy else kind)(**{**own, **given})
    except Exception as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise InputError(f"avalanche's {kind.__name__} refuses this", where=where, found=found) from error


def _check(
    kind: type,
    parameters: Mapping[str, inspect.Parameter],
    given: Collection[str],
    ours: Collection[str],
    where: str,
) -> None:
    free = [name for name in parameters if name not in OURS]
    for name in given:
        if name not in free:
            options = (*free, *(option.name for option in TRAINING_OPTIONS))
            raise unknown_name(f"argument of avalanche's {kind.__name__}", name, options, where=where)
    needs = [name for name, each in parameters.items() if each.default is each.empty and name not in (*given, *ours)]
    if needs:
        what = f"avalanche's {kind.__name__} needs {', '.join(needs)}"
        fix = "give numbers, words or lists as key=value; what is no such value cannot be given"
        raise InputError(what, where=where, fix=fix)
