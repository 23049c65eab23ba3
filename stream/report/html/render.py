"""Fills the templates. All text is escaped, so a name from outside cannot become markup."""

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
    """Fills the template `name` of the folder `templates` with `values`.

    Raises:
        jinja2.UndefinedError: The template uses a value that is missing.
    """
    return environment().get_template(name).render(**values)


@cache
def environment() -> Environment:
    """Returns the templates. They escape every value, and raise an error if one is missing."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # slow to import; only an HTML report needs it

    templates = Environment(
        loader=PackageLoader("stream.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=written,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["pieces"] = pieces
    return templates


def asset(name: str) -> str:
    """Returns the text of a file that the page contains without changes."""
    return (files("stream.report.html") / "templates" / name).read_text(encoding="utf-8")


def digest(script: str) -> str:
    """Returns SHA-256 in Base64. The Content-Security-Policy names the only allowed script by it."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def written(value: object) -> object:
    """Formats a value for the page: at most two decimals, no control characters."""
    if hasattr(value, "__html__"):
        return value  # the output of a macro
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:.0f}"
    return plain(str(value))


def plain(text: str) -> str:
    """Replaces control characters and marks that change the reading direction by `?`."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character in "\n\u00a0" else "?" for character in text)


def pieces(name: str) -> list[str]:
    """Splits a name where a line break is allowed: after `:`, `_`, `=`, `+`, `/` and `,`."""
    return re.findall(r"[^:_=+/,]*[:_=+/,]|[^:_=+/,]+", name)
