"""Plug-ins that the conformance tests go over as over our own: the templates, and files given by `--plugin`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from stream.cli.new import template
from stream.plugins.defined import Plugins
from stream.plugins.load import load_plugins

FILES: list[str] = []  # of --plugin; set before the tests are collected
SCRATCH = TemporaryDirectory()


@cache
def plugins() -> Plugins:
    files = [*FILES]
    for kind in ("learner", "metric", "source"):
        path = Path(SCRATCH.name) / f"own_{kind}.py"
        path.write_text(template(kind).replace("NAME", path.stem), encoding="utf-8")
        files.append(str(path))
    return load_plugins(files)


@contextmanager
def plugged() -> Iterator[None]:
    """Know their names until the block ends: other tests must not."""
    with plugins().in_use():
        yield
