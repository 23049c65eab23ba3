"""Errors in what a user says about alternatives and their search: what, where, what was expected, and the fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from learners.specification.family import parse_learner
from stream.config.resolve import resolve_config
from stream.config.same_run import check_same_run
from stream.engine.resolve import resolve
from stream.study.settings import resolve_study
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


def told(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_learner(text)
    return [str(error) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "full:sequential:learning_rate=1e-5/1e-4",
            "alternatives need a Delta of their own on each task; found sharing sequential; leave out sequential, or "
            "give one value",
        ),
        ("adapter:8/64:lerning_rate=1e-3", "unknown option of adapter 'lerning_rate'"),
        ("head/adapter:8", "/ separates values of an option; found head/adapter; separate learners by commas"),
        ("adapter:8/64:scope=first:0", "bad value of scope; expected first:K with K from 1; found 'first:0'"),
        ("adapter:8/64:select=random:x", "bad value of select; expected random:N with N from 1; found 'random:x'"),
    ],
)
def test_one_error_says_what_is_wrong(text: str, error: str) -> None:
    """Also if each alternative has it."""
    (found,) = told(text)
    assert found.startswith(f"learner {text!r}: {error}")


def test_errors_of_alternatives_that_differ_are_all_told() -> None:
    assert len(told("adapter:8/64:learning_rate=x/y")) == 2


def test_restarts_need_a_learner_that_has_seeds(tmp_path: Path) -> None:
    (error,) = errors_of(tmp_path, learners="majority", restarts=1)
    assert "restarts applies to no learner; restarts need an isolated learner that our loop trains" in error


def test_a_bad_seed_names_its_option_and_none_is_not_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^--seed: bad value of seed"):
        resolve_study({"seed": "0-"})
    with pytest.raises(InputError, match="an order is given twice"):
        resolve_study({"order": "paper;paper"})
    (tmp_path / "config.toml").write_text('learners = "adapter:8/64"\n')
    with pytest.raises(InputError, match="expected not set; found 'halving'"):
        check_same_run(tmp_path / "config.toml", resolve_config({"learners": "adapter:8/64", "select": "halving"})[0])
