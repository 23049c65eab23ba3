"""Checks a study: each member as a run, that they are the members of its settings, and study.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.storage.files import readable_json
from stream.study.members import FILE
from stream.study.study import Study, finished_members, load_study
from stream.verification.checks import verify
from stream.verification.grid import check_grid
from stream.verification.verdict import Finding, Verdict
from tasks.errors import InputError


@dataclass(frozen=True)
class StudyVerdict:
    """The result of all checks of a study.

    Attributes:
        folder: Folder of the study, as given.
        members: The result of each member, by the name of its folder; of those that have begun.
        missing: Folders of the members that have not begun.
        own: Differences in study.json.
    """

    folder: str
    members: Mapping[str, Verdict]
    missing: tuple[str, ...]
    own: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All differences, member by member."""
        return (*(finding for verdict in self.members.values() for finding in verdict.findings), *self.own)

    @property
    def passed(self) -> bool:
        """Whether no check found a difference."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """Returns the fields and `passed` as plain values, ready for JSON."""
        return {
            "folder": self.folder,
            "passed": self.passed,
            "members": {folder: verdict.as_dict() for folder, verdict in self.members.items()},
            "missing": list(self.missing),
            "findings": [finding.as_dict() for finding in self.findings],
        }


def verify_study(
    folder: str | Path,
    *,
    store: str | Path | None = None,
    rerun: int | None = 0,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> StudyVerdict:
    """Checks every member of a study that has begun, and that study.json is what their results give, byte for byte.

    The members are those of the study's settings, so one that study.json leaves out is a difference.

    Args:
        folder: Folder of the study.
        store, rerun, seed, progress: As for `verify`, for each member.

    Raises:
        InputError: As for `verify`, or study.json is damaged.
    """
    study, path = load_study(folder), Path(folder) / FILE
    grid, own = check_grid(path.parent, study.grid)
    every = dict.fromkeys(each.folder for each in (*grid, *study.grid))
    begun = [name for name in every if (path.parent / name / "ledger.jsonl").is_file()]
    verdicts: dict[str, Verdict] = {}
    for name in begun:

        def told(text: str, name: str = name) -> None:
            progress(f"{name}: {text}")

        verdicts[name] = verify(path.parent / name, store=store, rerun=rerun, seed=seed, progress=told)
    progress(FILE)
    try:
        whole = study if grid == study.grid else Study(str(folder), grid, finished_members(path.parent, grid))
        expected = readable_json(whole.document) + "\n"
    except InputError as error:
        own.append(Finding("the members of the study cannot be read together", str(path), found=str(error)))
    else:
        if path.read_text(encoding="utf-8") != expected:
            own.append(Finding("study.json is not what the results of its members give", str(path)))
    missing = tuple(name for name in every if name not in verdicts)
    return StudyVerdict(str(folder), verdicts, missing, tuple(own))
