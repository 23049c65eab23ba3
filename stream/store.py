"""The store: Deltas by content id, finished fits by recipe id, shared by all runs that name it.

store/deltas/<content id>.safetensors
store/fits/<recipe id>.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learners.delta import Delta, load_delta, load_head, save_delta
from stream.files import write_json
from tasks.content import canonical, content_id
from tasks.errors import InputError


def recipe_id(recipe: dict[str, Any]) -> str:
    """Id of a job's inputs, known before it runs: equal recipes need not run twice."""
    return content_id("recipe", canonical(recipe))


@dataclass(frozen=True)
class Store:
    """A folder of results. A lost or damaged entry costs a fit, never correctness."""

    root: Path

    def delta_path(self, delta_id: str) -> Path:
        return self.root / "deltas" / f"{delta_id}.safetensors"

    def put_delta(self, delta: Delta) -> int:
        """Keep a Delta; returns its bytes on disk."""
        path = self.delta_path(delta.id)
        return path.stat().st_size if path.exists() else save_delta(delta, path)

    def get_delta(self, record: dict[str, Any]) -> Delta:
        """The Delta of a fit record, its content checked.

        Raises:
            InputError: The file is missing or changed; names it and the tensor.
        """
        return load_delta(self.delta_path(record["delta"]), record["delta"], record["digests"])

    def get_head(self, record: dict[str, Any]) -> Delta:
        """The head of a fit record's Delta, its content checked, without reading the body.

        Raises:
            InputError: The file is missing or changed; names it and the tensor.
        """
        return load_head(self.delta_path(record["delta"]), record["digests"])

    def put_fit(self, recipe: str, record: dict[str, Any]) -> None:
        write_json(self._fit_path(recipe), record)

    def get_fit(self, recipe: str) -> dict[str, Any] | None:
        """The record of a finished fit whose Delta is there, or None.

        Raises:
            InputError: A damaged record.
        """
        path = self._fit_path(recipe)
        try:
            record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return record if self.delta_path(record["delta"]).exists() else None
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as error:  # not JSON, or not a record
            raise InputError(
                "damaged record", where=str(path), found=str(error), fix="delete it and run again"
            ) from None

    def _fit_path(self, recipe: str) -> Path:
        return self.root / "fits" / f"{recipe}.json"
