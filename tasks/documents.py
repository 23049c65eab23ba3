"""Read JSON files that may be damaged or hostile: within limits, with an error of one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from tasks.errors import InputError

MAX_BYTES = 64 << 20  # per file; the largest that common tools write, a tokenizer of 250,000 pieces, has 17 MB


def read_object(path: Path, *, what: str = "damaged file", fix: str = "") -> dict[str, Any]:
    """Read a file that holds one JSON object: UTF-8 text without NaN, infinity or half a surrogate pair.

    Args:
        path: The file.
        what: What is wrong, for the error ("damaged config"). Default: "damaged file".
        fix: What to do, for the error. Default: "", not stated.

    Raises:
        InputError: The file cannot be read, is larger than 64 MB, or does not hold such an object.
    """

    def refused(found: str) -> InputError:
        return InputError(what, where=str(path), expected="a JSON object", found=found, fix=fix)

    def constant(name: str) -> NoReturn:
        raise ValueError(f"{name}, which is not JSON")

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise refused(f"more than {MAX_BYTES >> 20} MB")
        value = json.loads(data.decode("utf-8-sig"), parse_constant=constant)
        json.dumps(value, ensure_ascii=False).encode()  # JSON allows half a surrogate pair, UTF-8 does not
    except OSError as error:
        raise refused(error.strerror or type(error).__name__) from None
    except RecursionError:
        raise refused("lists or objects nested too deep") from None
    except ValueError as error:
        raise refused(" ".join(str(error).split())[:120]) from None
    if not isinstance(value, dict):
        raise refused(f"a {type(value).__name__}")
    return value
