"""The file results.json of a run, read as the document that it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.errors import InputError

SCHEMA = 1


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Results of the right schema that lack what a report needs are damaged: say so, in one line."""
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        found = f"{type(error).__name__}: {error}"
        fix = "give the run's command again"
        raise InputError("damaged results", where=str(folder / "results.json"), found=found, fix=fix) from error


def read_results(folder: Path) -> dict[str, Any]:
    """The document of a run's results.json.

    Raises:
        InputError: No run there, a damaged file, or one of another schema.
    """
    path = folder / "results.json"
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            "no run here", where=str(folder), expected="results.json", fix="taskstream list runs"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            "damaged results", where=str(path), found=str(error), fix="give the run's command again"
        ) from None
    if not isinstance(results, dict) or results.get("schema") != SCHEMA:
        found = str(results.get("schema")) if isinstance(results, dict) else type(results).__name__
        raise InputError("results of another version", where=str(path), expected=f"schema {SCHEMA}", found=found)
    return results
