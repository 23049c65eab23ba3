"""The results of a study. `run` returns them, and `load_study` reads them from a folder."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from stream.errors import checks_arguments
from stream.results.frames import html_table, text_table
from stream.results.reading import damaged, items, section, text, whole
from stream.results.results import Results, load_results
from stream.study.members import FILE, SCHEMA, Member
from tasks.errors import InputError, unknown_name

if TYPE_CHECKING:
    import pandas

    from stream.study.document import StudyDocument
    from stream.study.scores import Arm


@dataclass(frozen=True, repr=False)
class Study:
    """The results of a study, finished or not: its members, and what they say together.

        study.members["seed0-paper"]["adapter:64"].matrix   # the results of one member
        study.summary()                                     # one row per learner, a pandas frame
        study.comparisons()                                 # one row per pair of learners, a pandas frame
        study.selection()                                   # what learners with alternatives chose, a pandas frame

    Attributes:
        folder: Folder of the study.
        grid: All members: folder, seed and order, also of those that are not finished.
        members: Results of the finished members, by the name of their folder.
        loose: Whether the members are runs with folders of their own, that no study.json names (default: no). Then the
            folder of a member is its whole path.
    """

    folder: str
    grid: tuple[Member, ...]
    members: Mapping[str, Results] = field(compare=False)
    loose: bool = False

    def __getitem__(self, name: str) -> NoReturn:
        """Says where the results of a learner are: each member has its own.

        Raises:
            InputError: Always.
        """
        member = self.grid[0].folder
        raise InputError(
            "a study has members, and each has results of its own",
            where=f"study[{name!r}]",
            expected=f"study.members[{member!r}][{name!r}], or study.summary()",
        )

    @property
    def finished(self) -> Mapping[Member, Results]:
        """Results of the finished members, by member."""
        return {member: self.members[member.folder] for member in self.grid if member.folder in self.members}

    @cached_property
    def arms(self) -> list[Arm]:
        """The learners of the study with their results in each finished member."""
        from stream.study.scores import arms_of

        return arms_of(self.finished)

    @cached_property
    def document(self) -> StudyDocument:
        """The content of OUT/study.json. Do not change it."""
        from stream.study.document import study_document

        return study_document(self.grid, self.finished)

    def as_dict(self) -> dict[str, Any]:
        """Returns a copy of the document of study.json."""
        return copy.deepcopy(dict(self.document))

    def frame(self) -> pandas.DataFrame:
        """Returns every score of every finished member in a pandas frame.

        Columns: `member` (name of its folder), `member_seed`, `member_order`, then those of `Results.frame`.
        """
        import pandas

        frames = []
        for member, results in self.finished.items():
            scores = results.frame()
            about = {"member": member.folder, "member_seed": member.seed, "member_order": member.order}
            for place, (name, value) in enumerate(about.items()):
                scores.insert(place, name, value)
            frames.append(scores)
        return pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()

    def summary(self) -> pandas.DataFrame:
        """Returns a pandas frame with one row per learner: means over seeds and orders, and their 95 % intervals.

        Columns: `learner`, `seeds` (number of seeds behind average_accuracy), `rank` (average rank over groups of
        tasks), and for each metric NAME: `NAME`, `NAME_half` (half width of the interval; NaN with one unit) and
        `NAME_median`.
        """
        import pandas

        return pandas.DataFrame(summary_rows(self.document))

    def comparisons(self, metric: str = "average_accuracy") -> pandas.DataFrame:
        """Returns a pandas frame with one row per pair of learners: the paired difference a - b in a metric.

        Columns: `a`, `b`, `metric`, `difference`, `half` (of its 95 % interval), `p`, `p_holm` (Holm's correction over
        all rows), `method`, `seeds`, `orders`, `tasks`, `groups`, `degrees_of_freedom`.

        Args:
            metric: Name of a metric of the results. Default: average_accuracy.

        Raises:
            InputError: No learner has this metric.
        """
        import pandas

        from stream.study.document import ComparisonEntry, comparisons

        known = {name for results in self.members.values() for each in results.values() for name in each.metrics}
        if self.arms and metric not in known:
            raise unknown_name("metric", metric, known)
        return pandas.DataFrame(comparisons(self.arms, metric), columns=list(ComparisonEntry.__annotations__))

    def selection(self) -> pandas.DataFrame:
        """Returns a pandas frame with what learners with alternatives chose: one row per finished member, learner and
        task.

        Columns: `seed`, `order` (of the member), `learner`, `task`, `chosen` (specification; "" if all failed), `score`
        (of the kept fit on validation rows, a fraction; NaN if not known). Without such learners it has no rows.
        """
        import pandas

        from stream.study.selection import COLUMNS, selection_rows

        return pandas.DataFrame(selection_rows(self.finished), columns=list(COLUMNS))

    def __repr__(self) -> str:
        return text_table(self._title(), self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._title(), self._rows())

    def _title(self) -> str:
        return f"Study in {self.folder}: {len(self.members)} of {len(self.grid)} members finished, scores in points"

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = [("learner", "average", "forgetting", "bwt", "seeds")]
        for name, entry in self.document["learners"].items():
            shown = []
            for metric in ("average_accuracy", "forgetting_chaudhry", "bwt_gem"):
                found = entry.get(metric)
                half = "" if found is None or found["half"] is None else f" ±{100 * found['half']:.1f}"
                shown.append("-" if found is None else f"{100 * found['mean'] + 0.0:.1f}{half}")
            seeds = entry["average_accuracy"]["seeds"] if "average_accuracy" in entry else 0
            rows.append((name, *shown, str(seeds)))
        return rows


def summary_rows(document: StudyDocument) -> list[dict[str, Any]]:
    """Returns one row per learner of a study's document; see `Study.summary`."""
    ranks = document["ranks"]
    rows = []
    for name, numbers in document["learners"].items():
        row: dict[str, Any] = {"learner": name}
        row["seeds"] = numbers["average_accuracy"]["seeds"] if "average_accuracy" in numbers else 0
        row["rank"] = ranks["average"][name] if ranks else float("nan")
        for metric, entry in numbers.items():
            row[metric] = entry["mean"]
            row[f"{metric}_half"] = float("nan") if entry["half"] is None else entry["half"]
            row[f"{metric}_median"] = entry["median"]
        rows.append(row)
    return rows


@checks_arguments
def load_study(folder: str | Path) -> Study:
    """Reads the results of the study in a folder, finished or not. It runs nothing.

        load_study("runs/seeds").summary()

    Args:
        folder: Folder of the study (`out`, or `--out` of the command) with study.json.

    Raises:
        InputError: The folder has no study, or a file is damaged or has another schema.
    """
    if not isinstance(folder, str | Path):
        raise InputError("bad value of folder", where="load_study()", expected="a path", found=repr(folder)[:80])
    grid = read_grid(Path(folder))
    return Study(str(folder), grid, finished_members(Path(folder), grid))


def finished_members(folder: Path, grid: tuple[Member, ...]) -> dict[str, Results]:
    """Returns the results of the members whose tasks have all arrived, by the name of their folder."""
    found = {}
    for member in grid:
        if (folder / member.folder / "results.json").is_file():
            results = load_results(folder / member.folder)
            if results.arrivals == len(results.order):
                found[member.folder] = results
    return found


def read_grid(folder: Path) -> tuple[Member, ...]:
    """Reads the members of a study from its study.json.

    Raises:
        InputError: There is no study in the folder, or the file is damaged or has another schema.
    """
    path = folder / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError("no study here", where=str(folder), expected=FILE, fix="taskstream list runs") from None
    except (ValueError, RecursionError) as error:
        fix = "give the command of the study again"
        raise InputError("damaged study", where=str(path), found=str(error), fix=fix) from None
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        found = str(document.get("schema")) if isinstance(document, Mapping) else type(document).__name__
        raise InputError("a study of another version", where=str(path), expected=f"schema {SCHEMA}", found=found)
    members = []
    for value in items(document.get("members"), str(path)):
        entry = section(value, str(path))
        name, seed = text(entry.get("folder")), whole(entry.get("seed"))
        if Path(name).name != name or name in ("", ".", "..") or seed is None:
            raise damaged(str(path), "members with folder, seed and order", repr(value))
        members.append(Member(name, seed, text(entry.get("order"))))
    if not members:
        raise damaged(str(path), "members", "none")
    return tuple(members)


def stores_beside(run: Path) -> tuple[Path, ...]:
    """Returns where the store of a run may be, beside its settings: in its folder, or in that of its study."""
    return (run / "store", *([run.parent / "store"] if (run.parent / FILE).is_file() else []))
