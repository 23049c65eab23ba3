"""Fills the templates. Text is escaped, so a name that comes from outside cannot become markup."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(name: str, **values: object) -> str:
    """The template `name` of the folder `templates`, filled with `values`.

    Raises:
        jinja2.UndefinedError: The template uses a value that is not there.
    """
    return environment().get_template(name).render(**values)


@cache
def environment() -> Environment:
    """Templates that escape every value, and stop at one that is missing."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # only an HTML report needs it

    made = Environment(
        loader=PackageLoader("stream.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=written,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["pieces"] = pieces
    return made


def asset(name: str) -> str:
    """The text of a file that goes into the page as it is."""
    return (files("stream.report.html") / "templates" / name).read_text(encoding="utf-8")


def digest(script: str) -> str:
    """SHA-256 in Base64, by which a Content-Security-Policy names the one script that may run."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def written(value: object) -> object:
    """A value as the page writes it: at most two decimals, no control characters."""
    if hasattr(value, "__html__"):
        return value  # the output of a macro
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
    return plain(str(value))


def plain(text: str) -> str:
    """Text without control characters and without marks that turn the direction of reading."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character in "\n\u00a0" else "?" for character in text)


def pieces(name: str) -> list[str]:
    """A name in the pieces between which it may break over lines: after `:`, `_`, `=`, `+`, `/` and `,`."""
    return re.findall(r"[^:_=+/,]*[:_=+/,]|[^:_=+/,]+", name)
