"""The notation of specifications: separators outside braces, and JSON objects with few quotes.

`{peft_type=LORA,r=4,target_modules=[query,value]}` means `{"peft_type": "LORA", "r": 4, "target_modules": ["query",
"value"]}`. A specification is written in a shell and names a folder, and quotes and colons cause problems in both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_TOKEN = re.compile(rf"({_QUOTED})|([{{}}\[\],:=])|([^\s{{}}\[\],:=\"]+)|\s+")
_LITERAL = re.compile(r"true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def parts(text: str, separator: str) -> list[str]:
    """Splits a text at matches of a pattern, but not inside braces or inside quotes within braces.

    >>> parts("head,peft:{r=4,bias=none},full", ",")
    ['head', 'peft:{r=4,bias=none}', 'full']
    """
    found, start, depth = [], 0, 0
    for match in re.finditer(rf"({_QUOTED})|([{{}}])|{separator}", text):
        if match[1] is not None and depth:
            continue
        if match[2] is not None:
            depth += 1 if match[2] == "{" else -1
        elif not depth:
            found.append(text[start : match.start()])
            start = match.end()
    return [*found, text[start:]]


def read_object(text: str) -> dict[str, Any]:
    """Returns the object that a text describes: JSON, with `=` allowed for `:` and a bare word allowed for a string.

    Raises:
        ValueError: The text describes no object.
    """
    pieces, end = [], 0
    for match in _TOKEN.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        quoted, mark, word = match.groups()
        pieces.append(quoted or (mark or "").replace("=", ":") or (_plain(word) if word else ""))
    if end != len(text):
        raise ValueError("a JSON object")
    try:
        value = json.loads("".join(pieces))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError("a JSON object")
    return value


def written(value: Any) -> str:
    """Returns the canonical text of a JSON value, with sorted keys. `read_object` reads an object back."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_word(str(key))}={written(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return _word(value) if isinstance(value, str) else json.dumps(value)


def _plain(word: str) -> str:
    return word if _LITERAL.fullmatch(word) else json.dumps(word)


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) and not _LITERAL.fullmatch(text) else json.dumps(text)
