"""Give every bad input of a list to the real command. Report the exit code, time, memory and message of each.

Each case has its own folder with two small tasks and a random encoder, and its own `taskstream` process. The command
must refuse the input: one line that names the fault, exit code 2, nothing on standard output, and no run folder. `MB`
is the peak memory of the process; PyTorch and transformers alone take about 700.

    python scripts/experiments/bad_inputs.py
    python scripts/experiments/bad_inputs.py --area data --out results
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, NamedTuple

import study
import typer
from cases import CASES, Case, cell_of, make_world
from rich.table import Table
from rich.text import Text

from stream import InputError
from tasks import unknown_name

COMMAND = Path(sys.executable).with_name("taskstream")  # as installed beside this interpreter
AREAS = ("settings", "data", "model")


class Answer(NamedTuple):
    """Answer of the command to a bad input.

    Attributes:
        refused: Whether the command refused it in the right way; see `Case.refused`.
        seconds: Wall clock of the whole process.
        megabytes: Peak resident memory of the process.
    """

    area: str
    input: str
    refused: bool
    code: int
    seconds: float
    megabytes: float
    message: str


def try_case(case: Case) -> Answer:
    """Set up a case in a temporary folder and give it to the command."""
    with tempfile.TemporaryDirectory(prefix="bad-input-") as name:
        folder = Path(name)
        world = make_world(folder)
        arguments = [str(COMMAND), *case.make(world)]
        environment = {**os.environ, "TASKSTREAM_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
        begun = time.perf_counter()
        with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
            process = subprocess.Popen(arguments, stdout=out, stderr=err, env=environment, cwd=folder)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = code = os.waitstatus_to_exitcode(status)
            seconds = time.perf_counter() - begun
            out.seek(0)
            err.seek(0)
            printed, said = out.read(), err.read()
        refused = case.refused(code, printed, said) and not (folder / "run").exists()
        peak = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)  # macOS gives bytes, others kilobytes
        return Answer(case.area, case.name, refused, code, seconds, peak, said.strip().replace(str(folder), "DIR"))


def main(
    area: Annotated[str | None, typer.Option(help="settings, data or model. Default: all.")] = None,
    only: Annotated[str, typer.Option(help="Try only inputs with this text in their names. Default: all.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for bad_inputs.json and bad_inputs.md.")] = None,
) -> None:
    if area is not None and area not in AREAS:
        raise unknown_name("area", area, AREAS)
    console = study.open_console()
    cases = [case for case in CASES if area in (None, case.area) and only in case.name]
    if not cases:
        raise InputError("no input has this text in its name", where=f"--only {only}", fix="leave it out to try all")
    answers = []
    for number, case in enumerate(cases, start=1):
        answers.append(try_case(case))
        state = "refused" if answers[-1].refused else "NOT REFUSED"
        console.print(f"{number}/{len(cases)} {case.area}: {case.name}: {state}", style="dim", markup=False)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for heading, side in (("input", "left"), ("exit", "right"), ("s", "right"), ("MB", "right")):
        table.add_column(heading, justify=side, no_wrap=heading != "input", max_width=34)  # type: ignore[arg-type]
    table.add_column("message", overflow="fold")
    for answer in answers:
        style = "" if answer.refused else "bold red"
        cells = (answer.input, str(answer.code), f"{answer.seconds:.1f}", f"{answer.megabytes:.0f}", answer.message)
        table.add_row(*(Text(cell, style=style) for cell in cells))
    console.print(table)
    refused, most = Counter(answer.refused for answer in answers)[True], max(answer.megabytes for answer in answers)
    console.print(
        f"{refused} of {len(answers)} bad inputs were refused in the right way; at most {most:.0f} MB", style="bold"
    )
    if out is not None:
        write(out, answers)
        console.print(f"table: {out / 'bad_inputs.md'}", style="dim", soft_wrap=True)
        study.save(out / "bad_inputs.json", {"refused": refused, "cases": answers}, None, console)
    raise typer.Exit(int(refused < len(answers)))


def write(out: Path, answers: list[Answer]) -> None:
    """Write the table as Markdown to OUT/bad_inputs.md."""
    lines = ["| area | input | exit | s | MB | message |", "|---|---|--:|--:|--:|---|"]
    for a in answers:
        numbers = f"{a.code} | {a.seconds:.1f} | {a.megabytes:.0f}"
        lines.append(f"| {a.area} | {a.input} | {numbers} | {cell_of(a.message)} |")
    out.mkdir(parents=True, exist_ok=True)
    (out / "bad_inputs.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    study.command(main, __doc__)
