"""Converts frozen dataclasses to plain JSON values and back.

A dataclass becomes a JSON object whose entries have the order of its fields. The reader checks the type of every field;
its error names the field that has another type.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import JsonValue

T = TypeVar("T")
Reader = Callable[[Any, str], Any]  # (a JSON value, its path) -> the value of a field
NUMBERS = {int: (int,), float: (int, float)}  # a number keeps its type: 0 must not become 0.0 in the results

# Metadata of a field that is not written if it is None or an empty tuple.
ABSENT = {"absent": True}


class FormatError(ValueError):
    """A JSON value has a form that this version does not write. The message gives its path, what was expected and what
    was found."""

    def __init__(self, where: str, expected: str, found: object) -> None:
        super().__init__(f"{where or 'the whole value'}: expected {expected}, found {repr(found)[:80]}")


def plain(value: Any) -> Any:
    """Returns the JSON value of a dataclass, or of a mapping, list or tuple that contains dataclasses."""
    if is_dataclass(value):
        entries = ((each.name, getattr(value, each.name), each.metadata.get("absent")) for each in fields(value))
        return {name: plain(item) for name, item, absent in entries if not (absent and item in (None, ()))}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def read(cls: type[T], data: object, where: str = "") -> T:
    """Returns a dataclass from a JSON object.

    A missing field takes its default. Unknown fields are skipped, because a newer version may write them.

    Args:
        cls: The dataclass.
        data: The JSON object.
        where: Path of the object in the whole document, for the error.

    Raises:
        FormatError: A field without a default is missing, or a field has another type.
    """
    values: dict[str, Any] = {}
    entries = _object(data, where)
    for name, reader, required in _fields(cast(Hashable, cls)):
        if name in entries:
            values[name] = reader(entries[name], f"{where}/{name}")
        elif required:
            raise FormatError(where, f"a field {name!r}", list(entries))
    return cls(**values)


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
    return _checked(lambda value: type(value) in accepted, hint.__name__)  # `type`: a bool is not an int here


def _checked(test: Callable[[Any], bool], expected: str) -> Reader:
    def reader(value: Any, where: str) -> Any:
        if not test(value):
            raise FormatError(where, expected, value)
        return value

    return reader


def _optional(hint: Any) -> Reader:
    """Reads None or a value of one type; or a value of one of several simple types (numbers, texts)."""
    inner = [part for part in get_args(hint) if part is not type(None)]
    if len(inner) > 1:
        return _checked(lambda value: type(value) in (*inner, type(None)), " or ".join(part.__name__ for part in inner))
    reader = _reader(inner[0])
    return lambda value, where: None if value is None else reader(value, where)


def _list_of(inner: Reader) -> Reader:
    def reader(value: Any, where: str) -> Any:
        if not isinstance(value, list | tuple):
            raise FormatError(where, "a list", value)
        return tuple([inner(item, f"{where}/{at}") for at, item in enumerate(value)])

    return reader


def _object_of(inner: Reader) -> Reader:
    return lambda value, where: {key: inner(item, f"{where}/{key}") for key, item in _object(value, where).items()}


def _typed_dict(hint: Any) -> Reader:
    """Reads an object and returns it with its unknown entries too, because the results repeat it."""
    readers = {name: _reader(part) for name, part in get_type_hints(hint).items()}

    def reader(value: Any, where: str) -> Any:
        for name in hint.__required_keys__ - _object(value, where).keys():
            raise FormatError(where, f"an entry {name!r}", list(value))
        for name, item in value.items():
            if name in readers:
                readers[name](item, f"{where}/{name}")
        return value

    return reader


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise FormatError(where, "an object", value)
    return value
