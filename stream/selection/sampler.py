"""Trials that Optuna proposes: the tree-structured Parzen estimator (Bergstra et al. 2011), by ask and tell.

Each axis of alternatives is a categorical distribution. Optuna's own first ten trials are drawn at random.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from math import prod
from typing import Any

from learners.specification.learner import Selection
from stream.storage.trials import Trial, Tried
from tasks.errors import InputError
from tasks.seeds import seed_of

OPTUNA = "optuna"
ASKS = 100  # proposals of the sampler for one trial, until one is an alternative that was not tried before


def check_method(selection: Selection) -> None:
    """Checks that the library behind the method of a search is installed.

    Raises:
        InputError: It is not.
    """
    if selection.method.startswith(OPTUNA) and find_spec(OPTUNA) is None:
        fix = "pip install 'taskstream[optuna]', or select=random:N"
        raise InputError("Optuna is not installed", where=f"select={selection.method}", fix=fix)


def same_trials(selection: Selection, environment: Mapping[str, object]) -> bool:
    """Whether the library behind the method of a search gives the same trials here as in a run.

    Args:
        environment: Versions of libraries in that run, by name.
    """
    if not selection.method.startswith(OPTUNA):
        return True
    return find_spec(OPTUNA) is not None and environment.get(OPTUNA) == version(OPTUNA)


def sampled_trial(selection: Selection, seed: int, name: str, trial: int, earlier: Sequence[Tried]) -> Trial:
    """Returns what a trial fits: an alternative that no earlier trial has tried.

    It depends on the arguments alone: the sampler is a new one with a seed of its own for each trial, and is told all
    earlier results. With the same version of Optuna the same arguments give the same trial.

    Args:
        seed: Seed of the run.
        name: Specification of the learner with alternatives.
        trial: Number of the trial, from 0.
        earlier: Results of all trials before this one, in any order.

    Raises:
        InputError: Optuna is not installed.
    """
    check_method(selection)
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it would report every study on the terminal
    points = points_of(selection)
    names = {point: specification for specification, point in points.items()}
    sizes = [1 + max(values) for values in zip(*names, strict=True)]
    axes = {f"axis{i}": optuna.distributions.CategoricalDistribution(range(size)) for i, size in enumerate(sizes)}
    sampler = optuna.samplers.TPESampler(seed=seed_of(seed, name, "search", str(trial)) % 2**32)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    tried = {each.candidate for each in earlier if each.trial < trial}
    for each in sorted(earlier, key=lambda each: each.trial):
        if each.trial < trial:
            study.add_trial(_told(optuna, each, dict(zip(axes, points[each.candidate], strict=True)), axes))
    for _ in range(ASKS):
        asked = study.ask(axes).params
        candidate = names[tuple(asked[axis] for axis in axes)]
        if candidate not in tried:
            return Trial(candidate=candidate)
    return Trial(candidate=next(candidate for candidate in points if candidate not in tried))


def points_of(selection: Selection) -> dict[str, tuple[int, ...]]:
    """Returns the place of each alternative on each axis, by specification.

    If some alternatives are missing, because the backbone does not allow them, all others are on one axis.
    """
    alternatives = selection.alternatives
    values = [sorted(set(column)) for column in zip(*(each.point for each in alternatives), strict=True)]
    if prod(map(len, values)) != len(alternatives) or not values:
        return {each.specification: (place,) for place, each in enumerate(alternatives)}
    return {
        each.specification: tuple(own.index(place) for own, place in zip(values, each.point, strict=True))
        for each in alternatives
    }


def _told(optuna: Any, tried: Tried, point: dict[str, int], axes: dict[str, Any]) -> Any:
    """Returns a finished trial in Optuna's form."""
    state = optuna.trial.TrialState.FAIL if tried.score is None else optuna.trial.TrialState.COMPLETE
    return optuna.trial.create_trial(state=state, value=tried.score, params=point, distributions=axes)
