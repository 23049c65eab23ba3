"""Several methods as one learner: `prefix:30+parallel:512:scale=4` (He et al. 2022, section 4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import get_args

from learners.specification.learner import Learner
from learners.specification.tuned import Biases, Norms, Tuned
from tasks.errors import InputError

# Field of `Learner` that one part alone may set, its value where it is not set, and what it stands for.
SINGLE = (("prompt", 0, "a prompt"), ("layers_read", 1, "a head on several layers"), ("gates", None, "L0 gates"))


def combined(learners: Sequence[Learner], specification: str) -> Learner:
    """One learner that adds all that the parts add and tunes all that any of them tunes.

    Where two change the same representation, the later one has what the earlier one made of it. There is one optimiser,
    so the whole trains as its first part does, but at the lowest of the parts' rates, as they are stated (at width 384,
    with the power of the width that belongs to it): the most delicate part bears it.

    Raises:
        InputError: A part that cannot be one of several, two that add something of the same name, two of what there can
            be one, or parts that share differently.
    """
    first, where = learners[0], f"learner {specification!r}"
    for learner in learners:
        if reason := _alone(learner):
            raise InputError(f"{learner.family} cannot be joined with others", where=where, found=reason)
    sharing = list(dict.fromkeys(learner.sharing for learner in learners))
    if len(sharing) > 1:
        raise InputError("parts that share differently", where=where, found=" and ".join(sharing))
    if first.sharing == "frozen-shared":
        _check_common(learners, where)
    names = [modification.name for learner in learners for modification in learner.modifications]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two parts add {twice}", where=where, fix="join methods that change different things")
    for field, unset, what in SINGLE:
        if sum(getattr(learner, field) != unset for learner in learners) > 1:
            raise InputError(f"two parts with {what}", where=where, expected="one at most")
    prompt, layers = (max(getattr(learner, field) for learner in learners) for field in ("prompt", "layers_read"))
    if prompt and layers > 1:
        found = "a head that would read the places of the prompt, which are no words"
        raise InputError("a prompt and a head on several layers", where=where, found=found)
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
        plugins=tuple(sorted({plugin for learner in learners for plugin in learner.plugins})),
    )


def united(parts: Sequence[Tuned]) -> Tuned:
    """What any of the parts tunes: the largest value of each field."""
    ranks = {"norms": get_args(Norms).index, "biases": get_args(Biases).index}
    return Tuned(
        **{f.name: max((getattr(p, f.name) for p in parts), key=ranks.get(f.name, int)) for f in fields(Tuned)}
    )


def _alone(learner: Learner) -> str:
    """Why a learner cannot be one of several, in one sentence; "": it can."""
    if not learner.trains:
        return "it trains no model"
    if learner.tuned.all or learner.difference:
        return "it trains every weight: others find nothing left to tune, and what they add wants a far higher rate"
    if learner.peft:
        return "peft puts modules of its own into the encoder, where the places that others act on are not"
    if not (learner.modifications or learner.prompt or learner.layers_read > 1) and learner.tuned == Tuned():
        return "it is a head alone, which every learner has"
    return ""


def _check_common(learners: Sequence[Learner], where: str) -> None:
    """See that what tasks have in common of the whole is what they have in common of each part.

    A part that adds something keeps for a task alone the norms and biases that it tunes; of one that only tunes, all is
    common. Both may tune the same.

    Raises:
        InputError: There are parts of both kinds.
    """
    adding = [learner.family for learner in learners if learner.modifications]
    tuning = [learner.family for learner in learners if learner.tuned != Tuned() and not learner.modifications]
    if adding and tuning:
        found = f"of {tuning[0]} all that it tunes, of {adding[0]} no more than a part of what it adds"
        fix = f"leave {tuning[0]} out, or join them isolated"
        raise InputError("parts of which tasks have different things in common", where=where, found=found, fix=fix)
