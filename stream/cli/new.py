"""`taskstream new learner|metric|source NAME`: write a template of a plug-in that works without changes."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from stream.plugins.defined import registry
from stream.plugins.file import NAME, NAME_RULE, RESERVED
from stream.report import make_console
from tasks.errors import InputError


def new(kind: str, name: str, display: str) -> None:
    """Write NAME.py into the current folder.

    Raises:
        InputError: The name is not allowed or is in use, or the file exists. An existing file is not changed.
    """
    where, path = f"taskstream new {kind} {name}", Path(f"{name}.py")
    if NAME.fullmatch(name) is None:
        raise InputError(f"bad name for a {kind}", where=where, expected=NAME_RULE, found=repr(name))
    if name in registry(kind).built_in() or name in RESERVED[kind]:
        raise InputError(f"the name of {kind} {name} is in use", where=where, fix="choose another name")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template(kind).replace("NAME", name))
    except FileExistsError:
        raise InputError("the file exists", where=str(path), fix="choose another name, or move the file") from None
    except OSError as error:
        raise InputError("cannot write the file", where=str(path), found=error.strerror or str(error)) from None
    if display == "json":
        print(json.dumps({"file": str(path)}))
    elif display != "none":
        use = {"learner": f"--learners {name}", "metric": "...", "source": f"--source {name} --suite all"}[kind]
        console = make_console(display)
        words = f"wrote {path}; use it with: taskstream run --plugin {path} {use} --dtype auto"
        console.print(words, markup=False, soft_wrap=True)


def template(kind: str) -> str:
    """The text of the template for `kind`. It has NAME in place of the name."""
    return files("stream.plugins").joinpath("templates", f"{kind}.txt").read_text(encoding="utf-8")
