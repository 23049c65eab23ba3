"""Learners and backbones that a caller has as objects: the names by which any process makes them again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from tasks.errors import InputError

if TYPE_CHECKING:  # seconds
    from learners.backbones.backbone import Backbone

PLUGIN = "define its FAMILY in a file of its own and give plugins=[FILE]: workers, verify and later calls read it there"


def learner_name(learner: object) -> str:
    """The specification of a learner: a text as it is; of an object its name, if the name gives the same object.

    Raises:
        InputError: No learner, or one that its name does not make, so that no other process could have it.
    """
    if isinstance(learner, str):
        return learner
    from learners.specification.family import FAMILIES, Family, families, parse_learner
    from learners.specification.learner import Learner

    if isinstance(learner, Family):
        known = families().get(learner.name)
        # A plug-in's file is run anew for each run, so the caller's object is another one that the same code made.
        own = known is not None and FAMILIES.origin(learner.name) is not None
        if known is learner or (own and _code(known) == _code(learner)):
            return learner.name
        where = f"learner {learner.name!r}"
        raise InputError("this family is not one that taskstream knows", where=where, fix=PLUGIN)
    if not isinstance(learner, Learner):
        expected = "a specification (a text), a Learner or a Family"
        raise InputError("not a learner", where="learners", expected=expected, found=repr(learner)[:80])
    where = f"learner {learner.name!r}"
    try:
        named = parse_learner(learner.name)
    except InputError as error:
        found = error.what if learner.name else "no name"
        raise InputError("no specification makes this learner", where=where, found=found, fix=PLUGIN) from None
    if named == learner:
        return learner.name
    name, ours, theirs = next(_differences(learner, named))
    fix = f"write it in the specification if there is an option for it, else {PLUGIN}"
    raise InputError(
        "the specification of this learner makes another one", where=where, expected=f"{name} {theirs}",
        found=str(ours), fix=fix,
    )  # fmt: skip


def backbone_name(backbone: object) -> str:
    """The name of a loaded backbone.

    Raises:
        InputError: It is none.
    """
    from learners.backbones.backbone import Backbone

    if isinstance(backbone, Backbone):
        return backbone.name
    expected = "a name, a folder, or what load_backbone gave"
    raise InputError("not a backbone", where="backbone", expected=expected, found=repr(backbone)[:80])


def check_backbone(backbone: Backbone, dtype: str) -> None:
    """See that a loaded backbone is as it was loaded, and in the dtype of the run.

    Raises:
        InputError: It is not.
    """
    from learners.backbones.backbone import changed_tensor

    where, loaded = f"backbone {backbone.name}", str(backbone.dtype).removeprefix("torch.")
    if loaded != dtype:
        fix = f"give dtype={loaded!r}, or load it in {dtype}"
        raise InputError("its dtype is not that of the run", where=where, expected=dtype, found=loaded, fix=fix)
    if (tensor := changed_tensor(backbone)) is not None:
        raise InputError("changed since it was loaded", where=where, found=f"tensor {tensor}", fix="load it again")


def _code(family: Any) -> object:
    return getattr(family.build, "__code__", None)


def _differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, object, object]]:
    """Fields in which two objects of a dataclass differ."""
    for field in fields(one):
        ours, theirs, name = getattr(one, field.name), getattr(other, field.name), path + field.name
        if ours == theirs:
            continue
        if is_dataclass(ours) and type(ours) is type(theirs):
            yield from _differences(ours, theirs, f"{name}.")
        else:
            yield name, ours, theirs
