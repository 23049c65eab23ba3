"""Strategies of continual learning against learners that forget little or nothing: score, forgetting, bytes, seconds.

EWC (Kirkpatrick et al. 2017), LwF (Li and Hoiem 2016) and replay are Avalanche's and train one model for all tasks.
`naive` does nothing against forgetting. `cumulative` trains on all tasks so far at each arrival and is an upper bound.
Our learners have a Delta per task. `bytes` is everything that must be stored after the last task, without the backbone:
Deltas, and the state of a strategy (importances and old weights, an old model, or rows).

A second table compares the same strategies in Avalanche's own loop, with the same examples, initial weights and
learning rate: once with our settings, once with Avalanche's defaults (`avalanche_loop`). It shows the differences
paired over tasks, and over seeds if there are several.

    python scripts/experiments/strategies.py --out runs/strategies
    python scripts/experiments/strategies.py --suite houlsby26 --seeds 3 --out runs/strategies26
    python scripts/experiments/strategies.py --source folder:DATA --backbone minilm --out runs/strategies-real
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pictures
import study
import typer
from findings import SeedSummary, summarise_all
from options import run_options
from rich.console import Console

from learners.specification.family import parse_learner
from stream import Results
from stream.avalanche import houlsby26

REFERENCE = "full:isolated"
OURS = (REFERENCE, "full:sequential", "adapter", "layernorm", "head")
STRATEGIES = ("avalanche:naive", "avalanche:ewc", "avalanche:lwf", "avalanche:replay", "avalanche:cumulative")
TASKS = "sst2,rte,cola,mrpc,cf_airline,cf_disasters"
LOOPS = {"our settings": True, "as it is": False}  # variants of Avalanche's loop: whether it has our settings
EXAMPLES = ("suite", "source", "backbone", "max_length", "train_examples", "test_examples")


def row(name: str, facts: SeedSummary, runs: Sequence[Results]) -> list[str]:
    """Cells of one learner's row."""
    costs = [results[name].cost for results in runs]
    stored = sum(cost.after_each_arrival[-1].bytes or 0 for cost in costs) / len(costs)
    flops = sum(cost.train_flops or 0.0 for cost in costs) / len(costs)
    return [
        name,
        study.points(facts.score),
        "" if name == REFERENCE else facts.to_reference.tasks.points(sign=True),
        study.points(facts.forgetting),
        f"{stored:,.0f}",
        f"{facts.seconds:.1f}",
        f"{flops / 1e9:,.0f}",
        "exact" if facts.verified else "–",
    ]


def side_by_side(
    runs: Sequence[Results], names: Sequence[str], settings: dict[str, Any], console: Console
) -> dict[str, Any]:
    """Scores of strategies in our loop and in Avalanche's, which runs here. Tasks without a score are left out.

    Returns:
        Learner -> `ours` and each of `LOOPS`: scores by task, one entry per seed; and `differences`: ours minus each of
        `LOOPS`.
    """
    from avalanche_loop import inside, runs_inside

    able = [name for name in names if runs_inside(name, len(runs[0].order), settings["batch_size"])]
    if left := ", ".join(name for name in names if name not in able):
        reason = "a batch would need a row of every task"
        console.print(f"not possible in Avalanche's loop, where {reason}: {left}", markup=False)
    names = able
    found: dict[str, Any] = {name: {loop: [] for loop in ("ours", *LOOPS)} for name in names}
    for seed, run in enumerate(runs):
        examples = {name: settings[name] for name in EXAMPLES}
        examples["source"] = settings["source"].replace("{seed}", str(seed))
        tasks = houlsby26(**examples, seed=seed)
        for name in names:
            found[name]["ours"].append(study.last_row(run, name))
            for loop, equal in LOOPS.items():
                scores = inside(tasks, name, settings["epochs"], settings["batch_size"], settings_of_ours=equal)
                found[name][loop].append(scores)
            console.print(f"inside Avalanche, seed {seed}: {name}", style="dim", markup=False)
    for name, each in found.items():
        every = [row for rows in each.values() for row in rows]
        scored = [task for task in every[0] if all(row.get(task) is not None for row in every)]
        rows_of = {loop: [{task: row[task] for task in scored} for row in rows] for loop, rows in each.items()}
        found[name] = rows_of | {"differences": {loop: study.paired(rows_of["ours"], rows_of[loop]) for loop in LOOPS}}
    return found


@run_options(suite=TASKS, train_examples=300, evaluate="full", without=["dtype"])
def main(
    settings: dict[str, Any],
    learners: Annotated[str, typer.Option(help="Comma list; full:isolated is added. Default: ten learners.")] = "",
    loop: Annotated[bool, typer.Option(help="Also run the strategies in Avalanche's own loop.")] = True,
    seeds: study.Seeds = 1,
    out: study.Out = Path("runs/strategies"),
) -> None:
    console = study.open_console()
    names = list(dict.fromkeys([REFERENCE, *(learners.split(",") if learners else (*OURS, *STRATEGIES))]))
    settings["learners"] = ",".join(names)
    runs = study.run_seeds(out, console, seeds, **settings)
    found = summarise_all(runs, REFERENCE, console)
    ranked = sorted(found.items(), key=lambda entry: -entry[1].score.mean)
    head = ["learner", f"score\n({seeds} seeds)", f"to {REFERENCE}\n(over tasks)", "forget", "bytes\nkept"]
    head += ["seconds\n/task", "GFLOPs", "kept as\nlearned"]
    rows = [row(name, facts, runs) for name, facts in ranked]
    title = f"{len(runs[0].order)} tasks, backbone {settings['backbone']}"
    study.show(console, title, head, rows, (0, len(head) - 1))

    theirs = [name for name in names if parse_learner(name).trainer == "avalanche" and name in found]
    both = side_by_side(runs, theirs, settings, console) if loop and theirs else {}
    if both:
        compared = []
        for name, each in both.items():
            cells = [name, study.points(study.average(each["ours"]))]
            for loop, difference in each["differences"].items():
                cells += [study.points(study.average(each[loop])), difference.tasks.points(sign=True)]
                cells += [difference.seeds.points(sign=True)] if seeds > 1 else []
            compared.append(cells)
        head = ["strategy", "in our\nloop"]
        for loop in LOOPS:
            head += [f"Avalanche's,\n{loop}", "ours minus it\n(over tasks)", *(["(over\nseeds)"] if seeds > 1 else [])]
        study.show(console, "The same strategies in both loops", head, compared)
    document = {
        "settings": settings | {"seeds": seeds},
        "reference": REFERENCE,
        "learners": dict(ranked),
        "loops": both,
    }
    study.save(out / "strategies.json", document, runs[0], console)

    def plot(axes: Any) -> None:
        groups: dict[str, list[tuple[int, study.Interval]]] = {}
        for place, (name, facts) in enumerate(ranked):
            groups.setdefault("strategies" if name in theirs else "learners", []).append((place, facts.score))
        pictures.grouped(axes, groups)
        pictures.task_axis(axes, [name for name, _ in ranked], "mean score after the last arrival, points", 2)

    pictures.draw(out / "strategies.png", 7, 1.5 + 0.3 * len(ranked), plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
