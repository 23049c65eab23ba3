"""Run a study of `studies/`: learners on a stream, with seeds and orders, one table, and the verdicts on its claims.

Without a name it lists the studies. Options replace the settings of the study's file; --learners replaces its rows. The
same command continues an interrupted study. It writes OUT/NAME.json and a picture, and leaves an ordinary run or study
folder, which `taskstream report` and `taskstream verify` read.

    python scripts/experiments/run_study.py
    python scripts/experiments/run_study.py league --suite sst2,rte --seed 0-2 --out runs/league
    python scripts/experiments/run_study.py trade_off --source folder:DATA --backbone minilm --out runs/trade-real
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pictures
import study
import typer
from claims import Finding, judge, missing, print_findings
from facts import Facts, cells, counted, facts_of, heads
from options import NOT_GIVEN, OPTIONS, run_options
from rich.console import Console
from row_values import RowReader
from study_file import Row, StudyFile, expanded, read_study, studies

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import load_backbone
from learners.specification.notation import parts
from stream import Study
from stream.study.scores import Arm


class Found(NamedTuple):
    """What a study found.

    Attributes:
        file: The study with its rows expanded, without learners that failed.
        study: The runs.
        arms: Learners by name.
        facts: Facts of each row, by its name.
        findings: Verdicts on its claims.
        backbone: Number of parameters of the backbone.
    """

    file: StudyFile
    study: Study
    arms: Mapping[str, Arm]
    facts: Mapping[str, Facts]
    findings: list[Finding]
    backbone: int

    @property
    def tasks(self) -> tuple[str, ...]:
        return next(iter(self.study.members.values())).order


def settings_of(file: StudyFile, given: Mapping[str, Any]) -> tuple[StudyFile, dict[str, Any]]:
    """The study and the settings of its runs, after the options of the command line; None is not given."""
    if learners := given.get("learners"):
        file = replace(file, rows=tuple(Row(each, "", each) for each in parts(learners, ",")))
    known = {name: default for name, (_, default) in OPTIONS.items() if default not in (None, Parameter.empty)}
    chosen = {name: value for name, value in given.items() if value is not None and name != "learners"}
    return file, {**known, **file.run, **chosen}


def for_backbone(file: StudyFile, backbone: str, console: Console) -> StudyFile:
    """The study with its rows expanded for a backbone. Learners that it cannot have are left out, with a note."""
    architecture = load_backbone(backbone).architecture
    return expanded(file, architecture, lambda text: console.print(text, style="yellow", markup=False))


def find(file: StudyFile, settings: dict[str, Any], out: Path, console: Console, together: int = 0) -> Found:
    """Run or continue an expanded study, and judge its claims.

    Args:
        settings: Settings of `stream.run`, without learners and `out`.
        together: As in `claims.judge`.
    """
    runs = study.run_study(out, console, learners=list(file.learners), **settings)
    return found_in(file, runs, console, together)


def found_in(file: StudyFile, runs: Study, console: Console, together: int = 0) -> Found:
    """What finished runs say of an expanded study. Learners with a failed fit are left out, and a note names them."""
    arms = {}
    for arm in runs.arms:
        if failed := sum(len(results.failures) for results in arm.results):
            console.print(f"{arm.name} is left out: {failed} fits failed", style="yellow", markup=False)
        else:
            arms[arm.name] = arm
    rows = [row for row in file.rows if row.learner in arms]
    reference = arms.get(file.learner(file.reference))
    any_run = next(iter(runs.members.values()))
    backbone = study.backbone_parameters(any_run)
    facts = {row.name: facts_of(arms[row.learner], reference, runs, backbone) for row in rows}
    named = {**arms, **{row.name: arms[row.learner] for row in rows}}
    findings = judge(file.claims, named, any_run.order, backbone, together, RowReader(runs))
    file = replace(file, rows=tuple(rows), reference=file.reference if reference else "")
    return Found(file, runs, arms, facts, findings, backbone)


def show(found: Found, architecture: Architecture, console: Console) -> None:
    """Print the table of a study and its findings."""
    file, backbone = found.file, next(iter(found.study.members.values())).backbone.name
    rows = [*file.rows]
    if file.ranked:
        rows.sort(key=lambda row: -found.facts[row.name].score.mean)
    columns = [name for name in file.columns if file.reference or name not in ("difference", "p20", "p50", "p80")]
    titles, left = heads(columns, file.reference, found.tasks)
    grouped = any(row.group for row in rows)
    lines = []
    for row in rows:
        name = f"{row.group}  {row.name}" if grouped else row.name
        lines.append([name, *cells(columns, found.facts[row.name], row.learner, architecture)])
    title = f"{file.title}: {len(found.tasks)} tasks, {len(found.study.members)} runs, backbone {backbone}"
    study.show(console, title, ["learner", *titles], lines, (0, *(place + 1 for place in left)))
    print_findings(console, found.findings, {claim.id: missing(claim, backbone) for claim in file.claims})


def save(found: Found, architecture: Architecture, settings: Mapping[str, Any], out: Path, console: Console) -> None:
    """Write OUT/NAME.json, and the picture of the study if it has one."""
    file = found.file
    rows = [
        {**row._asdict(), "facts": found.facts[row.name]}
        | ({"counted": counted(row.learner, architecture)} if "counted" in file.columns else {})
        for row in file.rows
    ]  # fmt: skip
    document = {"study": file.name, "settings": settings, "reference": file.reference, "rows": rows}
    any_run = next(iter(found.study.members.values()))
    study.save(out / f"{file.name}.json", {**document, "findings": found.findings}, any_run, console)
    if file.picture:
        pictures.study_picture(file.picture, found, out / f"{file.name}.png", console)


@run_options(**NOT_GIVEN)
def main(
    *,
    name: Annotated[str, typer.Argument(help="Name of a study, or a TOML file.")] = "",
    settings: dict[str, Any],
    out: Annotated[Path | None, typer.Option(help="Folder of the runs and results. Default: runs/NAME.")] = None,
) -> None:
    console = study.open_console()
    if not name:
        rows = [[each, read_study(each).title] for each in studies()]
        study.show(console, "Studies", ["name", "what it shows"], rows, (0, 1))
        return
    file, chosen = settings_of(read_study(name), settings)
    console.print(file.about.strip(), markup=False)
    folder = out or Path("runs") / file.name
    found = find(for_backbone(file, chosen["backbone"], console), chosen, folder, console)
    architecture = load_backbone(chosen["backbone"]).architecture
    show(found, architecture, console)
    save(found, architecture, chosen, folder, console)


if __name__ == "__main__":
    study.command(main, __doc__)
