"""The result of checks: the differences found, the number of things checked, and notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One difference that a check found.

    Attributes:
        what: The difference, as a sentence without a full stop.
        file: Path of the file in which it was found.
        learner, task, arrival, tensor: What it concerns; None (default) if it does not concern one of these.
        expected, found: Complete hashes or values; empty (default) if there are none.
    """

    what: str
    file: str
    learner: str | None = None
    task: str | None = None
    arrival: int | None = None
    tensor: str | None = None
    expected: str = ""
    found: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields as plain values, ready for JSON."""
        return asdict(self)


@dataclass(eq=False)
class Outcome:
    """The result of one check.

    Attributes:
        findings: Differences, in the order of the check. Default: none.
        counts: Number of checked things, by kind. Default: none.
        notes: Texts for the user that are not differences. Default: none.
    """

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """The result of all checks of a run.

    Attributes:
        folder: Folder of the run, as given.
        tasks, learners: Number of tasks and learners of the run; 0 if its ledger does not say.
        counts: Number of checked things by kind, for each check ("chain", "cells", ...).
        findings: Differences, in the order of the checks. The run passes if there are none.
        notes: Other facts for the user, for example missing data or an unfinished ledger line after a crash.
    """

    folder: str
    tasks: int
    learners: int
    counts: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether no check found a difference."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields and `passed` as plain values, ready for JSON."""
        return {
            "folder": self.folder,
            "passed": self.passed,
            "tasks": self.tasks,
            "learners": self.learners,
            "counts": {check: dict(counts) for check, counts in self.counts.items()},
            "findings": [finding.as_dict() for finding in self.findings],
            "notes": list(self.notes),
        }
