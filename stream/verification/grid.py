"""Checks which members a study has: those of its settings, each with its own seed and order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stream.config.settings import RunConfig
from stream.engine.header import last_header
from stream.engine.stream import make_stream
from stream.storage.events import read_events
from stream.storage.ledger import read_ledger
from stream.study.members import FILE, Grid, Member, same_order
from stream.study.settings import resolve_study
from stream.verification.verdict import Finding
from tasks.errors import InputError
from tasks.suite import resolve_suite

SETTINGS = "config.toml"


def check_grid(folder: Path, named: Sequence[Member]) -> tuple[tuple[Member, ...], list[Finding]]:
    """Compares the members that study.json names with the settings of the study and with the folders of its runs.

    Args:
        folder: Folder of the study.
        named: The members that study.json names.

    Returns:
        The members that the settings give (those of study.json if the settings cannot be read), and the differences.
    """
    path, settings = folder / FILE, folder / SETTINGS
    try:
        config, _, grid = resolve_study({}, settings)
    except InputError as error:
        what = f"the settings of the study cannot be read: {error.what}"
        return tuple(named), [Finding(what, str(settings), found=error.found), *_unnamed(folder, named)]
    findings = _differences(grid, named, path)
    for member in grid.members:
        findings += _of_member(folder, config, member)
    return grid.members, findings + _unnamed(folder, named)


def _differences(grid: Grid, named: Sequence[Member], path: Path) -> list[Finding]:
    """The members that study.json leaves out, adds, or gives another seed or order."""
    expected = {member.folder: _text(member) for member in grid.members}
    found = {member.folder: _text(member) for member in named}
    whats = {
        name: "study.json leaves out a member that the settings of the study give"
        if name not in found
        else "study.json names a member that the settings of the study do not give"
        if name not in expected
        else "study.json gives a member another seed or order than the settings of the study"
        for name in dict.fromkeys((*expected, *found))
        if expected.get(name) != found.get(name)
    }
    return [
        Finding(f"{what}: {name}", str(path), expected=expected.get(name, "none"), found=found.get(name, "none"))
        for name, what in whats.items()
    ]


def _text(member: Member) -> str:
    return f"seed {member.seed}, order {same_order(member.order)}"


def _of_member(folder: Path, config: RunConfig, member: Member) -> list[Finding]:
    """What the ledger of a member says of its seed and order, if that is not what the study gives it."""
    path = folder / member.folder / "ledger.jsonl"
    try:
        header = last_header(read_events(read_ledger(path)))
    except (FileNotFoundError, InputError):  # not begun, or damaged, which the checks of the member report
        return []
    if header is None:
        return []
    inputs, findings = header.inputs, []
    if inputs.seed != member.seed:
        what = "this member has another seed than the study gives it"
        findings.append(Finding(what, str(path), expected=str(member.seed), found=str(inputs.seed)))
    order = tuple(inputs.data)
    try:
        names = resolve_suite(config.suite, order)[1] if member.order == "paper" else order
        expected = make_stream(names, member.order).order
    except InputError:  # the order needs names that only the source has, or is none of these tasks
        expected = order if member.order == "paper" else ()
    if expected != order:
        what = "the tasks of this member arrived in another order than the study gives it"
        findings.append(Finding(what, str(path), expected=", ".join(expected) or member.order, found=", ".join(order)))
    return findings


def _unnamed(folder: Path, named: Sequence[Member]) -> list[Finding]:
    """The runs in the folder that study.json does not name."""
    known = {member.folder for member in named}
    return [
        Finding(f"study.json does not name a run in the folder of the study: {path.parent.name}", str(path))
        for path in sorted(folder.glob("seed*/ledger.jsonl"))
        if path.parent.name not in known
    ]
