"""Finds strategies and plugins of Avalanche 0.6 by name, checks their arguments, and makes them with our loop."""

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
    warnings.simplefilter("ignore")  # about missing solvers of quadratic programs; GEM needs one and reports it itself
    from avalanche.core import SupervisedPlugin
    from avalanche.training import plugins, supervised
    from avalanche.training.plugins import EvaluationPlugin
    from avalanche.training.plugins.clock import Clock
    from avalanche.training.supervised import Naive
    from avalanche.training.templates import SupervisedTemplate
    from avalanche.training.templates.base_sgd import PeriodicEval

# A plugin with one of these methods has state that belongs to the last update, not to the best epoch.
FOLLOWS = ("after_update", "after_training_iteration", "after_training_epoch")
EVERYWHERE = (Clock, EvaluationPlugin, PeriodicEval)  # every strategy has these plugins
# The user may not set these arguments of a strategy: the stream sets them. A plugin may have the argument `model` too.
OURS = ("model", "optimizer", "criterion", "train_mb_size", "train_epochs", "eval_mb_size", "device", "plugins",
        "evaluator", "eval_every", "peval_mode")  # fmt: skip


def classes() -> dict[str, type]:
    """Returns every strategy and plugin by name."""
    found = {**vars(plugins), **vars(supervised)}
    bases = (SupervisedPlugin, SupervisedTemplate)
    return {
        name: each
        for name, each in found.items()
        if isinstance(each, type) and issubclass(each, bases) and each not in bases
    }


def strategy_of(learner: Learner, model: nn.Module) -> Any:
    """Makes a strategy for a model: the strategy that the learner names, or `Naive`, with the plugins that it names.

    Raises:
        InputError: A class does not exist, there are several strategies, an argument is unknown or missing, or a class
            refuses its arguments.
    """
    base, arguments, named = classes_of(learner)
    where = f"learner {learner.name}"
    with warnings.catch_warnings(record=True, action="ignore"):  # Avalanche warns that there are no loggers
        with_plugins = [_make(each, own, {"model": model}, where) for each, own in named.items()]
        training = learner.training
        ours = {
            "model": model,
            "optimizer": torch.optim.SGD(model.parameters()),  # `Loop` replaces it for each task
            "criterion": loss_of,
            "train_mb_size": training.batch_size,
            "train_epochs": training.epochs,
            "eval_mb_size": training.batch_size,
            "plugins": with_plugins,
            "evaluator": EvaluationPlugin(),
        }
        return _make(base, arguments, ours, where)


def classes_of(learner: Learner) -> tuple[type, dict[str, Any], dict[type, dict[str, Any]]]:
    """Returns the strategy that a learner names, or `Naive`; its arguments; and the plugins with their arguments.

    Raises:
        InputError: A class does not exist, or there are several strategies.
    """
    where, known = f"learner {learner.name}", classes()
    named: dict[type, dict[str, Any]] = {}
    for name, arguments in read_object(learner.trainer_config).items():
        if NAMES.get(name, name) not in known:
            raise unknown_name("strategy or plugin of avalanche", name, (*NAMES, *known), where=where)
        named[known[NAMES.get(name, name)]] = arguments
    bases = [each for each in named if issubclass(each, SupervisedTemplate)]
    if len(bases) > 1:
        found = " and ".join(each.__name__ for each in bases)
        raise InputError("several strategies", where=where, expected="one strategy and any plugins", found=found)
    base = bases[0] if bases else Naive
    return base, named.pop(base, {}), named


def follows_updates(strategy: Any) -> bool:
    """Whether a plugin has state of the last update. Then weights of an earlier epoch would not match that state."""
    own = (type(each) for each in strategy.plugins if not isinstance(each, EVERYWHERE))
    return any(getattr(kind, name) is not getattr(SupervisedPlugin, name) for kind in own for name in FOLLOWS)


def _make(kind: type, given: Mapping[str, Any], ours: Mapping[str, Any], where: str) -> Any:
    """Makes an object of an Avalanche class. A strategy gets our loop as its first base class."""
    parameters = inspect.signature(kind.__init__).parameters  # type: ignore[misc]
    stars = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    plain = {name: each for name, each in [*parameters.items()][1:] if each.kind not in stars}
    strategy = issubclass(kind, SupervisedTemplate)
    if strategy and "model" not in plain:
        raise InputError(f"avalanche's {kind.__name__} makes its own model", where=where, fix="name another strategy")
    _check(kind, plain, given, ours, where)
    own = {name: value for name, value in ours.items() if name in plain or strategy}
    try:
        return (type(kind.__name__, (Loop, kind), {}) if strategy else kind)(**{**own, **given})
    except Exception as error:
        found = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise InputError(f"avalanche's {kind.__name__} refuses its arguments", where=where, found=found) from error


def _check(
    kind: type,
    parameters: Mapping[str, inspect.Parameter],
    given: Collection[str],
    ours: Collection[str],
    where: str,
) -> None:
    """Raises an error if an argument in `given` is unknown, or a required argument is missing."""
    free = [name for name in parameters if name not in OURS]
    for name in given:
        if name not in free:
            options = (*free, *(option.name for option in TRAINING_OPTIONS))
            raise unknown_name(f"argument of avalanche's {kind.__name__}", name, options, where=where)
    needs = [name for name, each in parameters.items() if each.default is each.empty and name not in (*given, *ours)]
    if needs:
        what = f"avalanche's {kind.__name__} needs {', '.join(needs)}"
        fix = "give numbers, words or lists as key=value; other values are not possible"
        raise InputError(what, where=where, fix=fix)
