"""All simulated twins, found in the files of `twins/`."""

from __future__ import annotations

import hashlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from tasks.errors import unknown_name
from tasks.sources.simulated import fresh
from tasks.sources.simulated import twins as package
from tasks.sources.simulated.twin import Twin
from tasks.suite import paper_order


@cache
def twins() -> Mapping[str, Twin]:
    """The twin of every task that has one, by task name, in the paper's order."""
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    modules = ((name, import_module(f"{package.__name__}.{name}")) for name in names)
    return gathered((name, getattr(module, "TWINS", ())) for name, module in modules)  # none: a part of others


def gathered(modules: Iterable[tuple[str, Iterable[Twin]]]) -> Mapping[str, Twin]:
    """The twins of several modules by task name, in the paper's order.

    Raises:
        ValueError: Two twins of one task: a mistake in the package.
    """
    found: dict[str, tuple[str, Twin]] = {}
    for module, members in modules:
        for twin in members:
            name = twin.task.name
            if name in found:
                raise ValueError(f"task {name} has a twin in {found[name][0]} and another in {module}")
            found[name] = (module, twin)
    return MappingProxyType({name: found[name][1] for name in paper_order(found)})


def find_twin(name: str) -> Twin:
    """A twin of the table, or a fresh task, whose name says all of it.

    Raises:
        InputError: A name of neither, or of a fresh task that cannot be.
    """
    if fresh.is_fresh(name):
        return fresh.fresh_task(name)
    if name not in twins():
        raise unknown_name("task", name, twins(), where="source simulated")
    return twins()[name]


@cache
def generator_id() -> str:
    """SHA-256 of the code and the words that simulated examples are made of: other content, other examples."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted((*folder.rglob("*.py"), *folder.rglob("words/*.txt"))):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
