"""`pytest --slowest N`: the tests and the files with the most CPU time, subprocesses included.

pytest's own `--durations` measures wall time, which means little on a busy machine and hides the work of subprocesses.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slowest", type=int, default=0, metavar="N", help="show the N tests with the most CPU time")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("slowest"):
        config.pluginmanager.register(Slowest(config.getoption("slowest")))


class Slowest:
    """Adds the CPU seconds of setup, call and teardown to their reports, and prints sums at the end."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.last = processor_seconds()
        self.of: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[None]:
        report = yield
        now = processor_seconds()
        report.processor_seconds, self.last = (
            now - self.last,
            now,
        )  # an attribute of a report travels from xdist's workers
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.of[report.nodeid] += report.processor_seconds

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        files: dict[str, float] = defaultdict(float)
        for test, seconds in self.of.items():
            files[test.split("::")[0]] += seconds
        for title, table in (("files", files), (f"{self.count} slowest tests", self.of)):
            terminalreporter.section(f"processor seconds: {title}")
            for name, seconds in sorted(table.items(), key=lambda pair: -pair[1])[: self.count]:
                terminalreporter.line(f"{seconds:8.2f}  {name}")
        terminalreporter.line(f"{sum(files.values()):8.2f}  all tests; imports during collection are not included")


def processor_seconds() -> float:
    """User and system CPU seconds of this process and of the children that it has waited for."""
    return sum(os.times()[:4])
