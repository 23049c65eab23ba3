"""Checks of a run's learners before its first job: alternatives must suit the backbone, trainers must accept them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from learners.backbones.backbone import Backbone
from learners.delta.layout import delta_shapes, has_layout
from learners.specification.alternatives import restricted
from learners.specification.learner import Learner
from learners.specification.recipe import recipe_of
from learners.training.trainer import trainer_named
from stream.engine.attempts import Attempts
from stream.engine.known import KnownBackbone
from stream.storage.remembered import remembered
from tasks.errors import InputError
from tasks.home import facts_folder


def alternatives_of(learner: Learner) -> list[Learner]:
    """Returns the learners that a task may keep: the alternatives of a learner, or the learner itself."""
    return [learner] if learner.selection is None else [each.learner for each in learner.selection.alternatives]


def applicable(learner: Learner, known: KnownBackbone, notice: Callable[[str], None]) -> Learner:
    """Returns the learner without the alternatives that the backbone does not allow. A notice names them."""
    kept = restricted(learner, lambda each: has_layout(each.learner, known.architecture))
    if learner.selection is not None and kept.selection is not None and kept is not learner:
        gone = [
            each.specification for each in learner.selection.alternatives if each not in kept.selection.alternatives
        ]
        notice(f"left out, because the backbone does not allow it: {', '.join(gone)}")
    return kept


def check_learners(
    attempt: Attempts,
    learners: Mapping[str, Learner],
    known: KnownBackbone,
    max_length: int,
    load: Callable[[], Backbone],
    notice: Callable[[str], None],
) -> None:
    """Checks every learner, and every alternative of one.

    Args:
        attempt: Takes the errors of learners.
        learners: The learners, by specification.
        max_length: Tokens to which rows are cut.
        load: Returns the backbone, which only a method of peft needs.
        notice: Called with a text before each step that may take seconds.

    Raises:
        InputError: Rows are longer than the backbone takes.
    """
    longest = known.architecture.maximum_length
    every = [(name, each) for name, learner in learners.items() for each in alternatives_of(learner)]
    for specification, learner in every:
        if max_length + learner.prompt > longest:
            what, where = "rows are longer than the backbone accepts", f"--max-length {max_length}"
            prompt = f" with the prompt of {specification}" if learner.prompt else ""
            raise InputError(what, where=where + prompt, expected=f"at most {longest - learner.prompt} tokens")
    for _, learner in every:
        attempt(partial(delta_shapes, learner, known.architecture, 2))
        if learner.peft and not attempt.errors:
            attempt(partial(_once, "encoder", learner, known, partial(_check_encoder, load, learner)))
        attempt(partial(_once, "trainer", learner, known, partial(_check_trainer, learner, notice)))


@dataclass(frozen=True)
class Passed:
    """A check of a learner that found no error: of its encoder, or by its trainer."""

    what: str


def _once(what: str, learner: Learner, known: KnownBackbone, check: Callable[[], None]) -> None:
    """Does a check of a learner, which may load libraries, unless the check has passed on this machine before."""

    def passed() -> Passed:
        check()
        return Passed(what)

    if learner.library:
        inputs = {"what": what, "backbone": known.id, "learner": recipe_of(learner)}
        remembered(Passed, inputs, facts_folder(), passed)
    else:  # the version of a trainer from another package is not known
        check()


def _check_encoder(load: Callable[[], Backbone], learner: Learner) -> None:
    from learners.delta.peft_modules import injected_model

    injected_model(load(), learner.peft)


def _check_trainer(learner: Learner, notice: Callable[[str], None]) -> None:
    if learner.trainer_config:
        notice(f"checking {learner.trainer_config} of {learner.trainer}")
    trainer_named(learner.trainer).check(learner)
