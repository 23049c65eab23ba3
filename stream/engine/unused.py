"""Settings of a run about learners that no learner of the run uses, or that ask for more tasks than there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from learners.specification.alternatives import argument
from learners.specification.family import parse_learners
from learners.specification.learner import Learner
from stream.config.settings import SEARCH, RunConfig
from stream.plugins.used import used_plugins
from tasks.errors import InputError
from tasks.paths import user_path


def without_effect(config: RunConfig, learners: Mapping[str, Learner]) -> Iterator[InputError]:
    """One error for each training setting that no learner takes, and for each plug-in that the run does not use.

    Args:
        learners: The learners of the run, by specification.
    """
    overrides = config.training_overrides
    for name, value in overrides.items():
        if name in SEARCH:
            if not any(learner.selection is not None for learner in learners.values()):
                fix = "give a learner alternatives, as in adapter:8/64, or leave it out"
                if name == "restarts":
                    fix = "restarts need an isolated learner that our loop trains"
                yield InputError(f"{name} applies to no learner", where=f"--{name} {value}", fix=fix)
            continue
        if value is None or isinstance(value, str):
            continue
        other = parse_learners(
            config.learners, {**overrides, name: value / 2 if isinstance(value, float) else value + 1}
        )
        if not any(learner.trains and learner != other[spec] for spec, learner in learners.items()):
            trains = any(learner.trains for learner in learners.values())
            found = "each learner states its own" if trains else "no learner that trains"
            yield InputError(f"{name} applies to no learner", where=f"--{name.replace('_', '-')} {value}", found=found,
                             fix="leave it out")  # fmt: skip
    plugins = used_plugins(learners.values(), config.source.partition("+frames:")[0])
    used = {Path(plugin.origin.file).resolve() for plugin in plugins if plugin.origin.file}
    for file in config.plugins:
        if user_path(file, where="--plugin").resolve() not in used:
            fix = "name one of its learners in --learners, or leave it out"
            yield InputError("the run uses nothing of this plug-in", where=f"--plugin {file}", fix=fix)


def scope_too_long(config: RunConfig, learners: Mapping[str, Learner], tasks: int) -> Iterator[InputError]:
    """One error for each learner that would choose on more tasks than the stream has.

    Args:
        learners: The learners of the run, by specification.
        tasks: Number of tasks of the stream.
    """
    told: set[str] = set()
    for name, learner in learners.items():
        scope = "task" if learner.selection is None else learner.selection.scope
        where = f"--scope {scope}" if scope == config.scope else f"learner {name!r}"
        if scope.startswith("first") and argument(scope) > tasks and where not in told:
            told.add(where)
            yield InputError(
                "the scope has more tasks than the stream",
                where=where,
                expected=f"first:K with K up to {tasks}",
                found=scope,
                fix=f"give first:{tasks}, or more tasks",
            )
