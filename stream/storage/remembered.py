"""Facts that are slow to compute and depend only on known inputs: computed once, then read from the user's cache.

The file of a fact is named by the hash of its inputs, of the versions of the libraries and of all code of this
project. So a fact is never used with other inputs than those it was computed from. A missing or damaged file costs only
the time to compute the fact again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from stream.storage.plain import plain, read
from tasks.content import canonical, content_id
from tasks.files import write_atomic

T = TypeVar("T")
LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "peft")
PACKAGES = ("tasks", "learners", "stream")


def remembered(kind: type[T], inputs: Mapping[str, object], folder: Path, compute: Callable[[], T]) -> T:
    """Returns a fact from the cache; computes it if the cache does not have it.

    Args:
        kind: Type of the fact, a frozen dataclass of plain values.
        inputs: All that the fact depends on besides libraries and code, as values for JSON.
        folder: Folder of the cache. If it cannot be written, the fact is computed each time.
        compute: Computes the fact from these inputs. If it raises an error, nothing is written.
    """
    key = content_id("remembered", kind.__name__, canonical(plain(inputs)), _versions(), _code())
    path = folder / f"{kind.__name__.lower()}-{key[:32]}.json"
    with suppress(OSError, ValueError, LookupError, TypeError):  # a missing or damaged file
        written = json.loads(path.read_text(encoding="utf-8"))
        if written["check"] == _check(key, written["fact"]):
            return read(kind, written["fact"])
    fact = compute()
    with suppress(OSError):
        write_atomic(path, json.dumps({"fact": plain(fact), "check": _check(key, plain(fact))}) + "\n")
    return fact


@cache
def _code() -> str:
    """Returns the SHA-256 of all Python files of this project."""
    parts: list[str | bytes] = []
    for package in PACKAGES:
        spec = find_spec(package)
        for folder in map(Path, (spec.submodule_search_locations or ()) if spec else ()):
            for file in sorted(folder.rglob("*.py")):
                parts += [f"{package}/{file.relative_to(folder).as_posix()}", file.read_bytes()]
    return content_id("code", *parts)


@cache
def _versions() -> str:
    found = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return canonical(found)


def _check(key: str, fact: object) -> str:
    return content_id("fact", key, canonical(fact))
