"""Conformance of your own plug-in: `pytest tests/conformance --plugin mine.py -k mine`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance import plugged


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plugin", action="append", default=[], help="Python file with a learner or metric of your own.")


def pytest_configure(config: pytest.Config) -> None:
    plugged.FILES[:] = config.getoption("--plugin", []) or []


@pytest.fixture(autouse=True)
def _plugged() -> Iterator[None]:
    with plugged.plugged():
        yield
