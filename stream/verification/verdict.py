"""What a check of a run comes to: differences found, what was counted, and what could not be looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One difference between what a run claims and what is there.

    Attributes:
        what: A sentence without a full stop.
        file: Where it shows.
        learner, task, arrival, tensor: What it concerns, as far as it concerns one.
        expected, found: Hashes in full, or values.
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
        return asdict(self)


@dataclass(eq=False)
class Outcome:
    """What one check found, in the order in which it looked, and how many things of each kind it looked at."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """The end of all checks.

    Attributes:
        folder: Of the run, as given.
        tasks, learners: How many the run streams, and to how many; 0 where its ledger does not say.
        counts: By check ("chain", "cells", ...), what it looked at.
        findings: Differences, the first one first; none is a pass.
        notes: What is no difference and yet worth knowing: what was not here, what a crash left.
    """

    folder: str
    tasks: int
    learners: int
    counts: Mapping[str, Mapping[str, int]]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "folder": self.folder,
            "passed": self.passed,
            "tasks": self.tasks,
            "learners": self.learners,
            "counts": {check: dict(counts) for check, counts in self.counts.items()},
            "findings": [finding.as_dict() for finding in self.findings],
            "notes": list(self.notes),
        }
