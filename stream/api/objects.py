"""Names of learners and backbones that a caller gives as objects. Worker processes make them again from the names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from tasks.errors import InputError

if TYPE_CHECKING:  # importing it takes seconds
    from learners.backbones.backbone import Backbone

PLUGIN = "define its FAMILY in a separate file and give plugins=[FILE], which workers, verify and later calls read"


def learner_name(learner: object) -> str:
    """The specification of a learner.

    Args:
        learner: A text, which is returned unchanged, a `Learner` or a `Family`.

    Raises:
        InputError: It is none of these, or its name does not make the same object, so no other process could make it.
    """
    if isinstance(learner, str):
        return learner
    from learners.specification.family import FAMILIES, Family, families, parse_learner
    from learners.specification.learner import Learner

    if isinstance(learner, Family):
        known = families().get(learner.name)
        # Each run executes the plug-in's file again, so the caller's object is not the same one; its code is.
        own = known is not None and FAMILIES.origin(learner.name) is not None
        if known is learner or (own and _code(known) == _code(learner)):
            return learner.name
        where = f"learner {learner.name!r}"
        raise InputError("unknown family", where=where, fix=PLUGIN)
    if not isinstance(learner, Learner):
        expected = "a specification (a text), a Learner or a Family"
        raise InputError("not a learner", where="learners", expected=expected, found=repr(learner)[:80])
    where = f"learner {learner.name!r}"
    try:
        named = parse_learner(learner.name)
    except InputError as error:
        found = error.what if learner.name else "no name"
        raise InputError("this learner has no specification", where=where, found=found, fix=PLUGIN) from None
    if named == learner:
        return learner.name
    name, ours, theirs = next(_differences(learner, named))
    fix = f"if there is an option for it, write it in the specification; if not, {PLUGIN}"
    raise InputError(
        "the learner differs from its specification", where=where, expected=f"{name} {theirs}",
        found=str(ours), fix=fix,
    )  # fmt: skip


def backbone_name(backbone: object) -> str:
    """The name of a loaded backbone.

    Raises:
        InputError: The object is not a backbone.
    """
    from learners.backbones.backbone import Backbone

    if isinstance(backbone, Backbone):
        return backbone.name
    expected = "a name, a folder, or the object that load_backbone returns"
    raise InputError("not a backbone", where="backbone", expected=expected, found=repr(backbone)[:80])


def check_backbone(backbone: Backbone, dtype: str) -> None:
    """Check that a loaded backbone has the dtype of the run and has not changed since it was loaded.

    Raises:
        InputError: The dtype differs, or a tensor changed.
    """
    from learners.backbones.backbone import changed_tensor

    where, loaded = f"backbone {backbone.name}", str(backbone.dtype).removeprefix("torch.")
    if loaded != dtype:
        fix = f"give dtype={loaded!r}, or load it in {dtype}"
        raise InputError("the dtype differs from the run's", where=where, expected=dtype, found=loaded, fix=fix)
    if (tensor := changed_tensor(backbone)) is not None:
        raise InputError(
            "the backbone changed since it was loaded", where=where, found=f"tensor {tensor}", fix="load it again"
        )


def _code(family: Any) -> object:
    return getattr(family.build, "__code__", None)


def _differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, object, object]]:
    """Fields in which two dataclass objects differ: name, value of the first, value of the second."""
    for field in fields(one):
        ours, theirs, name = getattr(one, field.name), getattr(other, field.name), path + field.name
        if ours == theirs:
            continue
        if is_dataclass(ours) and type(ours) is type(theirs):
            yield from _differences(ours, theirs, f"{name}.")
        else:
            yield name, ours, theirs
