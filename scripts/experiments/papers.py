"""One table of the papers' claims: their number, ours with its interval, the verdict, and the command that gives ours.

The papers are Houlsby et al. (2019), He et al. (2022) and Fu et al. (2022). Claims are data, in `studies/*.toml` and
`papers.toml`. Counts come from configurations alone. Scores come from runs at a small budget on simulated tasks; the
same command continues them, and --only runs one claim. A claim about BERT or RoBERTa itself `needs` their weights:
our number beside it is what the backbone of the command gives (`here`). With weights, give --backbone, and the budget
of the paper. --read takes runs that are finished: STUDY=FOLDER, where the folder is that of `run_study.py STUDY`.

    python scripts/experiments/papers.py --only counts
    python scripts/experiments/papers.py --only H-variable,H-nobert --out runs/papers
    python scripts/experiments/papers.py --source folder:DATA --backbone minilm --train-examples 1000 --epochs 5
    python scripts/experiments/papers.py --read forms=runs/forms --read sizes_17=runs/sizes
"""

from __future__ import annotations

import importlib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import study
import typer
from claims import COLOURS, Claim, missing
from encoders import save_random
from options import NOT_GIVEN, run_options
from rich.console import Console
from rich.text import Text
from run_study import find, for_backbone, found_in, settings_of
from study_file import StudyFile, read_study, studies

from stream import InputError, cost
from tasks import unknown_name

PLAN = Path(__file__).with_name("papers.toml")
RUN, COUNT = "python scripts/experiments/papers.py", "taskstream cost"


class Line(NamedTuple):
    """A line of the table. `verdict` is holds, fails, open, or needs ...; `here` is the verdict on what ran, if any."""

    id: str
    paper: str
    claim: str
    theirs: str
    ours: str
    verdict: str
    here: str
    command: str


def count_line(name: str, entry: Mapping[str, Any]) -> Line:
    """A claim about a count, from configurations alone.

    A learner with alternatives is counted for the alternatives that `chosen` gives its tasks. The least and most that
    any choice has are shown beside it; they are no part of the verdict.
    """
    where = dict(zip(("backbone", "suite", "learners"), entry["of"], strict=True))

    def counted(**chosen: str) -> Any:
        return cost(**where, **chosen)["learners"][where["learners"]][entry["value"]]  # type: ignore[literal-required]

    def shown(number: float) -> str:
        share = entry["value"].startswith("share")
        return f"{100 * number:.3g} %" if share else f"{number:,.6g}" if number < 1000 else f"{number:,}"

    if "chosen" in entry:
        where_chosen = {"chosen": entry["chosen"]}
        least, most = map(shown, counted())
        more = f" ({least} to {most} for all choices)"
    else:
        where_chosen, more = {}, ""
    number = counted(**where_chosen)
    low, high = entry["between"]
    options = {**where, **where_chosen}
    command = " ".join([COUNT, *(f"--{option} {value}" for option, value in options.items())])
    verdict = "holds" if low <= number <= high else "fails"
    paper, claim, theirs = (entry[key] for key in ("paper", "claim", "theirs"))
    return Line(name, paper, claim, theirs, shown(number) + more, verdict, verdict, command)


def needed(file: StudyFile, ids: set[str]) -> StudyFile:
    """The expanded study with the claims of these ids, and only the learners that they are about."""
    claims = tuple(claim for claim in file.claims if claim.id in ids)
    names = {name for claim in claims for name in (claim.first, claim.second)} | {file.reference}
    return replace(file, claims=claims, rows=tuple(row for row in file.rows if row.name in names))


def study_lines(
    file: StudyFile, ids: set[str], settings: dict[str, Any], out: Path, options: str, console: Console,
    read: Path | None = None,
) -> Iterator[Line]:  # fmt: skip
    """The claims of a study, from its runs or from a finished folder.

    Args:
        settings: Settings of its runs.
        out: Folder of the runs.
        options: Options that the command of a line repeats.
        read: Folder of finished runs; None: run them.
    """
    runs = study.open_runs(read) if read is not None else None
    backbone = next(iter(runs.members.values())).backbone.name if runs else settings["backbone"]
    whole = for_backbone(file, backbone, console)
    together = sum(max(len(claim.tasks), 1) for claim in whole.claims)  # also if --only shows one of them
    file = needed(whole, ids)
    found = found_in(file, runs, console, together) if runs else find(file, settings, out, console, together)
    needs: dict[str, Claim] = {claim.id: claim for claim in file.claims}
    for each in found.findings:
        claim = needs[each.id]
        lack = missing(claim, backbone)
        verdict = f"needs {lack}" if lack else each.verdict
        paper = f"{each.paper}, {each.task}" if each.task else each.paper
        command = f"{RUN} --only {each.id}" + (f" --read {file.name}={read}" if read else options)
        ours = f"{each.found} (backbone {Path(backbone).name})"
        yield Line(each.id, paper, each.claim, each.theirs, ours, verdict, each.verdict, command)


def script_lines(name: str, ids: set[str], settings: Mapping[str, Any], out: Path, options: str) -> Iterator[Line]:
    """The claims of a script that judges its own findings; it runs and continues like a study."""
    module: Any = importlib.import_module(name)
    defaults = getattr(module.main, "__signature__").parameters  # noqa: B009
    given = {key: settings.get(key, option.default) for key, option in defaults.items()}
    if "seeds" in given:
        given["seeds"] = defaults["seeds"].default
    if "suite" in defaults:
        given["suite"] = defaults["suite"].default
    if "learners" in defaults:
        given["learners"] = defaults["learners"].default
    module.main(**given | {"out": out})
    for each in json.loads((out / f"{name}.json").read_text(encoding="utf-8"))["findings"]:
        if each["id"] in ids:
            paper = f"{each['paper']}, {each['task']}" if each["task"] else each["paper"]
            claim, theirs, found, verdict = (str(each[key]) for key in ("claim", "theirs", "found", "verdict"))
            command = f"{RUN} --only {each['id']}{options}"
            yield Line(each["id"], paper, claim, theirs, found, verdict, verdict, command)


def encoders_of(study_name: str, plan: Mapping[str, Any], given: str | None, out: Path) -> Iterator[str]:
    """The backbones of a study: the one that is given, or those of the plan; a shape is made with random weights."""
    for name in [given] if given else plan["encoders"].get(study_name, ["embedded"]):
        kind, _, shape = name.partition(":")
        if kind != "shape":
            yield name
            continue
        layers, width = map(int, shape.split("x"))
        changes = {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": 4 * width}
        yield str(save_random("embedded", out / "encoders" / f"random-{shape}", 0, **changes))


def chosen_ids(only: str, plan: Mapping[str, Any], files: Sequence[StudyFile]) -> set[str]:
    """Ids of the claims to show: all, or those that are named; `counts` names all counts.

    Raises:
        InputError: A name is unknown.
    """
    known = [*plan["counts"], *(claim.id for file in files for claim in file.claims)]
    known += [name for names in plan["scripts"].values() for name in names] + [*plan["others"]]
    if not only:
        return set(known)
    wanted: set[str] = set()
    for name in only.split(","):
        if name != "counts" and name not in known:
            raise unknown_name("claim", name, known, where="--only")
        wanted |= {*plan["counts"]} if name == "counts" else {name}
    return wanted


def print_lines(lines: Sequence[Line], console: Console) -> None:
    """Print the claims one below the other."""
    for line in lines:
        console.print(Text.assemble((f"\n{line.id}  ", "bold"), f"{line.paper}: {line.claim}"))
        console.print(Text(f"  theirs   {line.theirs}"))
        console.print(Text(f"  ours     {line.ours or '–'}"))
        here = f" (here: {line.here})" if line.here and line.here != line.verdict else ""
        console.print(Text.assemble("  verdict  ", (line.verdict, COLOURS.get(line.verdict, "yellow")), here))
        if line.command:
            console.print(Text(f"  {line.command}", style="dim"), soft_wrap=True)


def markdown(lines: Sequence[Line]) -> str:
    """The table as Markdown."""
    rows = ["| claim | theirs | ours | verdict | command |", "|---|---|---|---|---|"]
    for line in lines:
        here = f" (here: {line.here})" if line.here and line.here != line.verdict else ""
        cells = [f"{line.paper}: {line.claim}", line.theirs, line.ours or "–", line.verdict + here,
                 f"`{line.command}`" if line.command else "–"]  # fmt: skip
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


@run_options(**NOT_GIVEN)
def main(
    *,
    only: Annotated[str, typer.Option(help="Ids of claims, a comma list; counts: all counts. Default: all.")] = "",
    read: Annotated[list[str] | None, typer.Option(help="STUDY=FOLDER of finished runs. May be repeated.")] = None,
    settings: dict[str, Any],
    out: study.Out = Path("runs/papers"),
) -> None:
    console = study.open_console()
    plan = tomllib.loads(PLAN.read_text(encoding="utf-8"))
    files = [read_study(name) for name in studies()]
    ids = chosen_ids(only, plan, files)
    folders = dict(each.split("=", 1) for each in read or [] if "=" in each)
    if unknown := [each for each in read or [] if each.split("=")[0] not in studies() or "=" not in each]:
        raise InputError("no such study", where="--read", expected="STUDY=FOLDER", found=", ".join(unknown))
    given = {name: value for name, value in settings.items() if value is not None and name != "learners"}
    options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in given.items())
    lines = [count_line(name, entry) for name, entry in plan["counts"].items() if name in ids]
    for file in files:
        if not ids & {claim.id for claim in file.claims}:
            continue
        if file.name in folders:
            lines += study_lines(file, ids, {}, out, options, console, Path(folders[file.name]))
            continue
        if file.name in plan["only_read"]:
            continue
        for backbone in encoders_of(file.name, plan, given.get("backbone"), out):
            suite = {"suite": plan["suites"][file.name]} if file.name in plan["suites"] else {}
            seeds = {"seed": file.run["seed"]} if "seed" in file.run else {}
            _, chosen = settings_of(file, {**plan["budget"], **seeds, **suite, **given, "backbone": backbone})
            folder = out / file.name if backbone == "embedded" else out / f"{file.name}-{Path(backbone).name}"
            lines += study_lines(file, ids, chosen, folder, options, console)
    for name, named in plan["scripts"].items():
        if ids & {*named}:
            known = {"backbone": "embedded", "source": "simulated", "dtype": "auto", **plan["budget"], **given}
            lines += script_lines(name, ids, known, out / name, options)
    for name, entry in plan["others"].items():
        if name in ids:
            paper, claim, theirs = (entry[key] for key in ("paper", "claim", "theirs"))
            lines.append(Line(name, paper, claim, theirs, "", entry["verdict"], "", entry.get("command", "")))
    print_lines(lines, console)
    study.save(out / "papers.json", {"budget": {**plan["budget"], **given}, "claims": lines}, None, console)
    (out / "papers.md").write_text(markdown(lines), encoding="utf-8")


if __name__ == "__main__":
    study.command(main, __doc__)
