"""The notation of specifications: parts outside braces, and JSON objects with as few quotes as can be.

`{peft_type=LORA,r=4,target_modules=[query,value]}` is `{"peft_type": "LORA", "r": 4, "target_modules": ["query",
"value"]}`: a specification names a folder and stands in a shell, where quotes and colons are a nuisance.
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
    """Split at matches of a pattern, but not inside braces or in the quotes there.

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
    """The object that a text denotes: JSON, in which `=` may stand for `:`, and a bare word for a string.

    Raises:
        ValueError: It denotes none.
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
    """The one text of a JSON value, keys sorted: `read_object` gives the value back."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_word(str(key))}={written(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return _word(value) if isinstance(value, str) else json.dumps(value)


def _plain(word: str) -> str:
    return word if _LITERAL.fullmatch(word) else json.dumps(word)


def _word(text: str) -> str:
    return text if _WORD.fullmatch(text) and not _LITERAL.fullmatch(text) else json.dumps(text)
