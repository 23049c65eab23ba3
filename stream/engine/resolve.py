"""Resolves what the settings name: tasks, source, order and learners. Takes no time, and reports all wrong names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from learners.backbones.locate import check_name
from learners.device import CPU, device_named
from learners.specification.family import parse_learners
from learners.specification.learner import LOOP, Learner
from stream.config.settings import RunConfig
from stream.engine.attempts import Attempts
from stream.engine.names import Names, resolve_names
from stream.engine.unused import scope_too_long, without_effect
from stream.results.metrics import metrics
from stream.selection.rungs import saves_little
from stream.selection.sampler import check_method
from tasks.errors import InputError


@dataclass(frozen=True, eq=False)
class Resolved(Names):
    """What the settings name. Known at once, before the backbone and the data.

    Attributes:
        learners: The learners, by specification.
    """

    learners: Mapping[str, Learner]


def resolve(config: RunConfig) -> Resolved:
    """Resolves all names, also those that plug-ins define. Fast: reads no data and loads no backbone.

    Raises:
        InputErrors: All errors in the settings. Settings without effect are errors only before the run begins, because
            earlier versions accepted them.
    """
    attempt = Attempts()
    attempt(metrics)  # a file that defines no metric must be reported now, not after the training
    learners = attempt(lambda: parse_learners(config.learners, config.training_overrides))
    names = attempt(partial(resolve_names, config))
    attempt(partial(check_name, config.backbone))
    attempt(partial(device_named, config.device))
    if config.device not in ("auto", CPU):
        for name, learner in (learners or {}).items():
            if learner.trainer != LOOP:
                what, fix = f"{learner.trainer} computes on the CPU only", "leave the learner out, or give --device cpu"
                attempt.errors.append(InputError(what, where=f"learner {name}", found=config.device, fix=fix))
    if config.pack != 1 and config.workers not in (None, 1):
        expected, found = "--workers 1, or none", f"--workers {config.workers}"
        attempt.errors.append(InputError("packs run in one process", where="--pack", expected=expected, found=found))
    for learner in (learners or {}).values():
        if learner.selection is not None:
            attempt(partial(check_method, learner.selection))
    if learners is not None and not (config.out_folder / "ledger.jsonl").exists():
        attempt.errors += without_effect(config, learners)
        if names is not None:
            attempt.errors += scope_too_long(config, learners, len(names.stream.order))
    attempt.check()
    assert learners is not None
    assert names is not None
    for name in names.stream.order:
        attempt(partial(names.source.task, name))  # report a task without data before the backbone is loaded
    attempt.check()
    few = [note for each in learners.values() if each.selection is not None if (note := saves_little(each.selection))]
    return Resolved(**vars(names) | {"notes": (*names.notes, *dict.fromkeys(few))}, learners=learners)
