"""TWINS.md says of every twin what the code says: its default difficulty, and what makes it hard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tasks.sources.simulated
from tasks.sources.simulated.registry import twins

PAGE = Path(tasks.sources.simulated.__file__).with_name("TWINS.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(twins()))
def test_the_page_has_the_twin(name: str) -> None:
    mechanism = twins()[name].mechanism
    (line,) = [line for line in PAGE.splitlines() if line.endswith(f"| {mechanism.hard_by} |")]
    assert f"{name} {mechanism.difficulty:g}" in line.split(" | ")[0].removeprefix("| ").split(", ")
    rows = re.findall(rf"^{name} +[\d/]+ +\w+ +(\S+) ", PAGE, re.MULTILINE)  # of the tables
    assert {*rows} == {f"{mechanism.difficulty:g}"}
