"""Joins several methods into one learner: `prefix:30+parallel:512:scale=4` (He et al. 2022, section 4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import get_args

from learners.specification.learner import Learner
from learners.specification.tuned import Biases, Norms, Tuned
from tasks.errors import InputError

# Fields of `Learner` that at most one part may set: name, value if unset, and the words for the error message.
SINGLE = (("prompt", 0, "a prompt"), ("layers_read", 1, "a head on several layers"), ("gates", None, "L0 gates"))


def combined(learners: Sequence[Learner], specification: str) -> Learner:
    """Returns one learner that adds everything the parts add and tunes everything that any part tunes.

    If two parts modify the same representation, the later part modifies the output of the earlier part. All parts
    share one optimiser. The result takes the training settings of the first part, but the lowest learning rate of all
    parts, together with the `width_power` of that part: the lowest rate is safe for every part. Rates are compared as
    stated, at width 384.

    Args:
        learners: The parts, in the order of the specification.
        specification: Text of the whole, for error messages.

    Raises:
        InputError: A part cannot be joined, two parts add something of the same name, two parts set a field that only
            one may set, or the parts have different `sharing`.
    """
    first, where = learners[0], f"learner {specification!r}"
    for learner in learners:
        if reason := _alone(learner):
            raise InputError(f"{learner.family} cannot be joined with others", where=where, found=reason)
    sharing = list(dict.fromkeys(learner.sharing for learner in learners))
    if len(sharing) > 1:
        fix = "give every part the same sharing"
        raise InputError("the parts have different sharing", where=where, found=" and ".join(sharing), fix=fix)
    if first.sharing == "frozen-shared":
        _check_common(learners, where)
    names = [modification.name for learner in learners for modification in learner.modifications]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise InputError(f"two parts add {duplicate}", where=where, fix="join methods that change different things")
    for field, unset, what in SINGLE:
        if sum(getattr(learner, field) != unset for learner in learners) > 1:
            raise InputError(f"two parts have {what}", where=where, expected="at most one")
    prompt, layers = (max(getattr(learner, field) for learner in learners) for field in ("prompt", "layers_read"))
    if prompt and layers > 1:
        found = "a head that reads the positions of the prompt, which hold no words"
        raise InputError("cannot join a prompt and a head on several layers", where=where, found=found)
    slowest = min((learner.training for learner in learners), key=lambda training: training.learning_rate)
    rate = {name: getattr(slowest, name) for name in ("learning_rate", "width_power")}
    gated = next((learner for learner in learners if learner.gates is not None), first)
    return replace(
        first,
        name="+".join(learner.name for learner in learners),
        family="+".join(learner.family for learner in learners),
        training=replace(first.training, **rate),
        tuned=united([learner.tuned for learner in learners]),
        modifications=tuple(m for learner in learners for m in learner.modifications),
        prompt=prompt,
        layers_read=layers,
        gates=gated.gates,
        penalty=gated.penalty,
        gated=gated.gated,
        formats=tuple(sorted({format for learner in learners for format in learner.formats})),
        plugins=tuple(sorted({plugin for learner in learners for plugin in learner.plugins})),
    )


def united(parts: Sequence[Tuned]) -> Tuned:
    """Returns the union of what the parts tune: the largest value of each field."""
    ranks = {"norms": get_args(Norms).index, "biases": get_args(Biases).index}
    return Tuned(
        **{f.name: max((getattr(p, f.name) for p in parts), key=ranks.get(f.name, int)) for f in fields(Tuned)}
    )


def _alone(learner: Learner) -> str:
    """Returns in one sentence why a learner cannot be joined with others; "" if it can."""
    if learner.no_encoder:
        return learner.no_encoder
    if learner.tuned.all or learner.difference:
        return "it trains every weight: nothing is left to tune, and added tensors need a much higher learning rate"
    if learner.peft:
        return "peft replaces modules of the encoder, so the sites that other methods modify are missing"
    if not (learner.modifications or learner.prompt or learner.layers_read > 1) and learner.tuned == Tuned():
        return "it trains only a head, and every learner has a head"
    return ""


def _check_common(learners: Sequence[Learner], where: str) -> None:
    """Check that the tasks have the same tensors in common in the whole learner as in each part (`frozen-shared`).

    If a part adds tensors, then the norms and biases that it tunes belong to one task. If a part only tunes, then
    everything that it tunes is common to all tasks. Parts of both kinds may tune the same weight, so they cannot be
    joined.

    Raises:
        InputError: There are parts of both kinds.
    """
    adding = [learner.family for learner in learners if learner.modifications]
    tuning = [learner.family for learner in learners if learner.tuned != Tuned() and not learner.modifications]
    if adding and tuning:
        found = f"all tuned weights of {tuning[0]}, but only a part of the tensors that {adding[0]} adds"
        fix = f"leave {tuning[0]} out, or use isolated in every part"
        raise InputError("the parts differ in what tasks have in common", where=where, found=found, fix=fix)
