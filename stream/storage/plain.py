"""Frozen dataclasses as plain JSON values, and back.

A dataclass is an object with its fields in order. Read back, every field is of its type, or an error says which is not.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import JsonValue

T = TypeVar("T")
Reader = Callable[[Any, str], Any]  # (a JSON value, where it stands) -> the value of a field
NUMBERS = {int: (int,), float: (int, float)}  # a number stays of its own type: 0 must not become 0.0 in the results

# Metadata of a field that is left out of the JSON object where it is None, or an empty tuple.
ABSENT = {"absent": True}


class NotOurs(ValueError):
    """A JSON value is not what this version writes; the message says where it stands, and what should stand there."""

    def __init__(self, where: str, expected: str, found: object) -> None:
        super().__init__(f"{where or 'the whole'}: expected {expected}, found {repr(found)[:80]}")


def plain(value: Any) -> Any:
    """The JSON value of a dataclass, or of what holds dataclasses."""
    if is_dataclass(value):
        given = ((each.name, getattr(value, each.name), each.metadata.get("absent")) for each in fields(value))
        return {name: plain(found) for name, found, absent in given if not (absent and found in (None, ()))}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def read(cls: type[T], data: object, where: str = "") -> T:
    """A dataclass from a JSON object.

    A field that is missing takes its default; fields unknown here are left out, as a newer version may write them.

    Args:
        where: Path of the object in what is read, for the error.

    Raises:
        NotOurs: A field is missing, or of another type.
    """
    found: dict[str, Any] = {}
    given = _object(data, where)
    for name, reader, needed in _fields(cast(Hashable, cls)):
        if name in given:
            found[name] = reader(given[name], f"{where}/{name}")
        elif needed:
            raise NotOurs(where, f"a field {name!r}", list(given))
    return cls(**found)


@cache
def _fields(cls: Any) -> tuple[tuple[str, Reader, bool], ...]:
    hints = get_type_hints(cls)
    return tuple(
        (field.name, _reader(hints[field.name]), field.default is MISSING and field.default_factory is MISSING)
        for field in fields(cls)
    )


def _reader(hint: Any) -> Reader:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is JsonValue:
        return lambda value, where: value
    if origin is types.UnionType or type(None) in arguments:
        return _optional(hint)
    if origin is Literal:
        return _checked(lambda value: value in arguments, " or ".join(map(repr, arguments)))
    if origin in (tuple, list):
        return _list_of(_reader(arguments[0]))
    if origin is Mapping:
        return _object_of(_reader(arguments[1]))
    if is_typeddict(hint):
        return _typed_dict(hint)
    if is_dataclass(hint):
        return partial(read, cast(type, hint))
    accepted = NUMBERS.get(hint, (hint,))
    return _checked(lambda value: type(value) in accepted, hint.__name__)  # a bool is no int here


def _checked(test: Callable[[Any], bool], expected: str) -> Reader:
    def reader(value: Any, where: str) -> Any:
        if not test(value):
            raise NotOurs(where, expected, value)
        return value

    return reader


def _optional(hint: Any) -> Reader:
    """None or a value of one type; or a number or a text."""
    inner = [part for part in get_args(hint) if part is not type(None)]
    if len(inner) > 1:
        return _checked(lambda value: type(value) in (*inner, type(None)), " or ".join(part.__name__ for part in inner))
    reader = _reader(inner[0])
    return lambda value, where: None if value is None else reader(value, where)


def _list_of(inner: Reader) -> Reader:
    def reader(value: Any, where: str) -> Any:
        if not isinstance(value, list | tuple):
            raise NotOurs(where, "a list", value)
        return tuple([inner(item, f"{where}/{at}") for at, item in enumerate(value)])

    return reader


def _object_of(inner: Reader) -> Reader:
    return lambda value, where: {key: inner(item, f"{where}/{key}") for key, item in _object(value, where).items()}


def _typed_dict(hint: Any) -> Reader:
    """The object itself, entries unknown here too: the results repeat it."""
    readers = {name: _reader(part) for name, part in get_type_hints(hint).items()}

    def reader(value: Any, where: str) -> Any:
        for name in hint.__required_keys__ - _object(value, where).keys():
            raise NotOurs(where, f"an entry {name!r}", list(value))
        for name, item in value.items():
            if name in readers:
                readers[name](item, f"{where}/{name}")
        return value

    return reader


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise NotOurs(where, "an object", value)
    return value
