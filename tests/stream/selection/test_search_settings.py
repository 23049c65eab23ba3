"""Errors in what a user says about alternatives and their search: what, where, what was expected, and the fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stream.config.resolve import resolve_config
from stream.engine.resolve import resolve
from tasks.errors import InputError


def errors_of(tmp_path: Path, **given: Any) -> list[str]:
    config, _ = resolve_config({"suite": "cola,rte", "out": str(tmp_path / "run"), **given})
    with pytest.raises(InputError) as caught:
        resolve(config)
    return [str(error) for error in caught.value.errors]


def test_the_first_tasks_are_tasks_of_the_stream(tmp_path: Path) -> None:
    told = "the scope has more tasks than the stream; expected first:K with K up to 2; found first:3; give first:2"
    (error,) = errors_of(tmp_path, learners="adapter:8/64,topk:1/2", scope="first:3")
    assert error.startswith(f"--scope first:3: {told}")
    (error,) = errors_of(tmp_path, learners="adapter:8/64:scope=first:3")
    assert told in error
    config, _ = resolve_config({"suite": "cola,rte", "out": str(tmp_path), "learners": "adapter:8/64:scope=first:2"})
    assert resolve(config).learners
