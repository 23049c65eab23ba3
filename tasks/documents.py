"""JSON files that may be damaged or hostile: read within bounds, and refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from tasks.errors import InputError

MAX_BYTES = (
    64 << 20
)  # of a document; the largest that tools of the field write, a tokenizer of 250,000 pieces, has 17 MB


def read_object(path: Path, *, what: str = "damaged file", fix: str = "") -> dict[str, Any]:
    """The JSON object in a file: UTF-8 text without NaN, infinity or half a surrogate pair.

    Args:
        path: The file.
        what: The fault in the words of the reader ("damaged config").
        fix: What to do about it.

    Raises:
        InputError: The file cannot be read, is larger than any document of its kind, or is no such object.
    """

    def refused(found: str) -> InputError:
        return InputError(what, where=str(path), expected="a JSON object", found=found, fix=fix)

    def constant(name: str) -> NoReturn:
        raise ValueError(f"{name}, which is no JSON")

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise refused(f"more than {MAX_BYTES >> 20} MB")
        value = json.loads(data.decode("utf-8-sig"), parse_constant=constant)
        json.dumps(value, ensure_ascii=False).encode()  # JSON can write half a surrogate pair, which no text can hold
    except OSError as error:
        raise refused(error.strerror or type(error).__name__) from None
    except RecursionError:
        raise refused("lists or objects nested too deep") from None
    except ValueError as error:
        raise refused(" ".join(str(error).split())[:120]) from None
    if not isinstance(value, dict):
        raise refused(f"a {type(value).__name__}")
    return value
