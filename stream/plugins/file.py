"""Read and parse plug-in files without executing them and without heavy imports."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.errors import InputError, InputErrors
from tasks.paths import user_path

Kind = Literal["learner", "metric", "source"]

NAMES = ("FAMILY", "FAMILIES", "METRIC", "METRICS", "SOURCE")

NAME = re.compile(r"[a-z][a-z0-9_]*")  # allowed in specifications, folder names and file names
NAME_RULE = "lower-case letters, digits and '_', beginning with a letter"
RESERVED: Mapping[str, tuple[str, ...]] = {
    "learner": (),
    "metric": (),
    "source": ("folder", "hub", "simulated", "frames"),
}


@dataclass(frozen=True)
class PluginFile:
    """A file that is valid Python and defines at least one of `NAMES`.

    Attributes:
        path: Absolute path.
        code: Content of the file. The same bytes are hashed and executed.
        lines: Line number, from 1, of each of `NAMES` that the file defines.
    """

    path: Path
    code: bytes
    lines: dict[str, int]

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, hexadecimal."""
        return hashlib.sha256(self.code).hexdigest()


def read_plugins(files: Sequence[str | Path]) -> list[PluginFile]:
    """Read and parse the files. None is executed. A file that is named twice is read once.

    Raises:
        InputErrors: All errors of all files.
    """
    found: dict[Path, PluginFile] = {}
    errors: list[InputError] = []
    for file in files:
        try:
            plugin = _read(str(file))
            found.setdefault(plugin.path.resolve(), plugin)
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    return [*found.values()]


def _read(file: str) -> PluginFile:
    path, where = user_path(file, where="--plugin").absolute(), f"--plugin {file}"
    if path.suffix != ".py":
        raise InputError("not a Python file", where=where, expected="FILE.py")
    try:
        code = path.read_bytes()
    except FileNotFoundError:
        fix = "taskstream new learner NAME writes a template"
        raise InputError("no such file", where=where, fix=fix) from None
    except OSError as error:
        raise InputError(
            "the file cannot be read", where=where, expected="a Python file", found=error.strerror or str(error)
        ) from None
    try:
        tree = ast.parse(code, str(path))
    except SyntaxError as error:
        found = f"{error.msg}: {(error.text or '').strip()}" if error.text else error.msg
        raise InputError("not valid Python", where=f"{path}:{error.lineno or 1}", found=found) from None
    except ValueError as error:  # null bytes, or a wrong encoding
        raise InputError("not valid Python", where=str(path), found=str(error)) from None
    lines = dict(_defined(tree))
    if not lines:
        raise InputError(
            "this plug-in defines nothing", where=f"{path}:1", expected=f"one of {', '.join(NAMES)}",
            found="none of these names", fix="taskstream new learner NAME writes a template",
        )  # fmt: skip
    return PluginFile(path, code, lines)


def _defined(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The names of `NAMES` that the module assigns or imports, with their line numbers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in NAMES:
            yield node.id, node.lineno
        if isinstance(node, ast.ImportFrom):
            yield from ((a.asname or a.name, node.lineno) for a in node.names if (a.asname or a.name) in NAMES)
