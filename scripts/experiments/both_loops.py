"""The strategies of a finished run in Avalanche's own loop: how much of a score is the strategy, how much the loop.

It takes a folder of `run_study.py strategies` (or of any run with learners `avalanche:...`) and runs its strategies in
Avalanche's loop, with the same examples, initial weights and learning rate: once with our settings, once with
Avalanche's defaults (`avalanche_loop`). The table shows the differences, paired over seeds and tasks.

    python scripts/experiments/run_study.py strategies --out runs/strategies
    python scripts/experiments/both_loops.py --run runs/strategies
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import study
import typer
from rich.console import Console

from learners.specification.family import parse_learner
from stream import InputError, Results
from stream.avalanche import houlsby26

LOOPS = {"our settings": True, "as it is": False}  # variants of Avalanche's loop: whether it has our settings
EXAMPLES = ("backbone", "max_length", "train_examples", "validation_examples", "test_examples")


def side_by_side(runs: Sequence[Results], names: Sequence[str], console: Console) -> dict[str, Any]:
    """Scores of strategies in our loop and in Avalanche's, which runs here. Tasks without a score are left out.

    Args:
        runs: One per seed.

    Returns:
        Learner -> `ours` and each of `LOOPS`: scores by task, one entry per seed; and `differences`: ours minus each of
        `LOOPS`.
    """
    from avalanche_loop import inside, runs_inside

    epochs, batch_size = (int(str(runs[0].settings[name])) for name in ("epochs", "batch_size"))
    able = [name for name in names if runs_inside(name, len(runs[0].order), batch_size)]
    if left := ", ".join(name for name in names if name not in able):
        reason = "a batch would need a row of every task"
        console.print(f"not possible in Avalanche's loop, where {reason}: {left}", markup=False)
    found: dict[str, Any] = {name: {loop: [] for loop in ("ours", *LOOPS)} for name in able}
    for run in runs:
        examples: dict[str, Any] = {name: run.settings[name] for name in EXAMPLES if run.settings.get(name) is not None}
        if run.settings.get("data_seed"):
            raise InputError("no such option in a benchmark for Avalanche", where="data_seed", expected="0")
        tasks = houlsby26(suite=run.order, order=run.order, source=run.source, seed=run.seed or 0, **examples)
        for name in able:
            found[name]["ours"].append(study.last_row(run, name))
            for loop, equal in LOOPS.items():
                found[name][loop].append(inside(tasks, name, epochs, batch_size, settings_of_ours=equal))
            console.print(f"inside Avalanche, seed {run.seed}: {name}", style="dim", markup=False)
    for name, each in found.items():
        every = [row for rows in each.values() for row in rows]
        scored = [task for task in every[0] if all(row.get(task) is not None for row in every)]
        rows_of = {loop: [{task: row[task] for task in scored} for row in rows] for loop, rows in each.items()}
        gaps = {loop: study.difference(rows_of["ours"], rows_of[loop]) for loop in LOOPS}
        found[name] = rows_of | {"differences": gaps}
    return found


def main(
    *,
    run: Annotated[Path, typer.Option(help="Folder of a finished run or study.")],
    learners: Annotated[str, typer.Option(help="Comma list. Default: all strategies of the run.")] = "",
) -> None:
    console = study.open_console()
    runs = [*study.open_runs(run).members.values()]
    names = learners.split(",") if learners else [*runs[0]]
    names = [name for name in names if parse_learner(name).trainer == "avalanche"]
    if not names:
        raise InputError("no strategy of Avalanche", where=str(run), expected="learners avalanche:...")
    both = side_by_side(runs, names, console)
    compared = []
    for name, each in both.items():
        cells = [name, study.points(study.average(each["ours"]))]
        for loop, difference in each["differences"].items():
            cells += [study.points(study.average(each[loop])), difference.points(sign=True)]
        compared.append(cells)
    head = ["strategy", "in our\nloop"]
    for loop in LOOPS:
        head += [f"Avalanche's,\n{loop}", "ours minus it"]
    study.show(console, "The same strategies in both loops", head, compared)
    study.save(run / "both_loops.json", {"loops": both}, runs[0], console)


if __name__ == "__main__":
    study.command(main, __doc__)
