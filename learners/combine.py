"""Several methods as one learner: `prefix:30+parallel:512:scale=4` (He et al. 2022, section 4.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from learners.learner import Learner, Tuned
from tasks.errors import InputError

NOTHING = (False, 0, "none")


def combined(learners: Sequence[Learner], specification: str) -> Learner:
    """One learner that adds all that the parts add, tunes all that they tune, and trains as the first does.

    Where two change the same representation, the later one has what the earlier one made of it.

    Raises:
        InputError: A part that neither adds nor tunes, two that add or tune the same in different ways, share
            differently, or both have L0 gates.
    """
    first, where = learners[0], f"learner {specification!r}"
    for learner in learners:
        if not learner.modifications and learner.tuned == Tuned():
            fix = "join methods that add or tune something"
            raise InputError(f"{learner.family} cannot be joined with others", where=where, fix=fix)
        if learner.sharing != first.sharing:
            found = f"{first.sharing} and {learner.sharing}"
            raise InputError("parts that share differently", where=where, found=found)
    names = [modification.name for learner in learners for modification in learner.modifications]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two parts add {twice}", where=where, fix="join methods that change different things")
    special = [learner for learner in learners if learner.gates is not None]
    if len(special) > 1:
        raise InputError("two parts with L0 gates", where=where, expected="one at most")
    return replace(
        first,
        name="+".join(learner.name for learner in learners),
        family="+".join(learner.family for learner in learners),
        tuned=Tuned(**{field.name: _joined(learners, field.name, where) for field in fields(Tuned)}),
        modifications=tuple(m for learner in learners for m in learner.modifications),
        gates=special[0].gates if special else None,
        penalty=special[0].penalty if special else 0.0,
    )


def _joined(learners: Sequence[Learner], field: str, where: str) -> Any:
    """The value of a field of `Tuned` that holds for all parts: the one that is not nothing."""
    values = [getattr(learner.tuned, field) for learner in learners]
    given = list(dict.fromkeys(value for value in values if value not in NOTHING))
    if len(given) > 1:
        raise InputError(f"parts that tune {field} differently", where=where, found=" and ".join(map(str, given)))
    return given.pop() if given else values[0]
