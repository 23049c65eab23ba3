"""Several folders, of runs or of studies, as studies that one report shows together."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from stream.results.results import Results, load_results
from stream.study.document import StudyDocument, document_of
from stream.study.members import FILE, Member, order_folder
from stream.study.scores import Arm, arms_of
from stream.study.study import Study, load_study
from tasks.errors import InputError, InputErrors
from tasks.suite import paper_order

PAPER = "paper"


@dataclass(frozen=True)
class Loose:
    """A run that is no member of a study in one of the given folders."""

    folder: Path
    results: Results


def gather(folders: Sequence[Path]) -> list[Study]:
    """Reads runs and studies. Runs that differ only in seed or order become one study.

    Args:
        folders: Folders of runs and of studies, each once.

    Raises:
        InputErrors: All folders with neither, with damaged files, or given twice.
    """
    errors: list[InputError] = []
    found: list[Study | Loose] = []
    seen: set[Path] = set()
    for folder in folders:
        if folder.resolve() in seen:
            errors.append(InputError("a folder is given twice", where=str(folder), fix="give each once"))
            continue
        seen.add(folder.resolve())
        try:
            found.append(load_study(folder) if (folder / FILE).is_file() else Loose(folder, load_results(folder)))
        except InputError as error:
            errors += error.errors
    if errors:
        raise InputErrors(errors)
    return _grouped(found)


def _grouped(found: Sequence[Study | Loose]) -> list[Study]:
    groups: dict[object, list[Study | Loose]] = {}
    for place, each in enumerate(found):
        groups.setdefault(place if isinstance(each, Study) else unseeded(each.results), []).append(each)
    studies: list[Study] = []
    for members in groups.values():
        runs = [each for each in members if isinstance(each, Loose)]
        named = {(run.results.seed, run.results.order) for run in runs}
        if len(named) < len(runs):  # the same run in several folders: each is shown for itself
            studies += [of_runs([run]) for run in runs]
        else:
            studies += [of_runs(runs)] if runs else [each for each in members if isinstance(each, Study)]
    return studies


def of_runs(runs: Sequence[Loose]) -> Study:
    """Returns several runs as one study; its folder names all of theirs."""
    grid = tuple(Member(str(run.folder), run.results.seed or 0, short_order(run.results.order)) for run in runs)
    finished = {
        str(run.folder): run.results for run in runs if run.results.arrivals == len(run.results.order) > 0
    }  # fmt: skip
    folders = [str(run.folder) for run in runs]
    name = folders[0] if len(folders) == 1 else f"{folders[0]} and {len(folders) - 1} more"
    return Study(name, grid, finished, loose=True)


def short_order(order: tuple[str, ...]) -> str:
    """Returns a short name of an order of tasks: `paper`, or a hash of their names."""
    return PAPER if paper_order(order) == order else order_folder(",".join(order))


def unseeded(results: Results) -> object:
    """Returns what must be equal in runs that differ only in seed or order."""
    source = re.sub(r":seed=\d+", "", results.source)
    data = frozenset((name, t.data_id, t.train, t.validation, t.test) for name, t in results.tasks.items())
    settings = frozenset((name, str(value)) for name, value in results.settings.items())
    return results.suite, source, results.backbone, data, settings, tuple(results)


def labels(studies: Sequence[Study]) -> list[Callable[[str], str]]:
    """Returns for each study a function that names its learners: by the specification, and if several studies have the
    learner also by the folder of the study, as short as tells them apart."""
    holders: dict[str, int] = {}
    for study in studies:
        for name in {name for results in study.members.values() for name in results}:
            holders[name] = holders.get(name, 0) + 1
    folders = [study.grid[0].folder if study.loose else study.folder for study in studies]
    short = [Path(folder).name for folder in folders]
    unique = [name if short.count(name) == 1 else folder for name, folder in zip(short, folders, strict=True)]
    return [partial(_named, holders, label) for label in unique]


def _named(holders: dict[str, int], label: str, learner: str) -> str:
    return learner if holders.get(learner, 0) < 2 else f"{learner} ({label})"


def document_together(studies: Sequence[Study]) -> StudyDocument:
    """Returns the document of several studies: each learner of each is an entry. A member's folder names its study."""
    if len(studies) == 1:
        return studies[0].document
    members: list[Member] = []
    finished: dict[Member, Results] = {}
    arms: list[Arm] = []
    for study, named in zip(studies, labels(studies), strict=True):
        for member in study.grid:
            path = member.folder if study.loose else f"{study.folder}/{member.folder}"
            members.append(replace(member, folder=path))
            if member.folder in study.members:
                finished[members[-1]] = study.members[member.folder]
        arms += arms_of(study.finished, named)
    return document_of(members, finished, arms)
