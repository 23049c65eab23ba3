"""Strategies of continual learning against learners that forget little or nothing: score, forgetting, bytes, seconds.

EWC (Kirkpatrick et al. 2017), LwF (Li and Hoiem 2016) and replay, as Avalanche has them, train one model for all tasks;
naive is without any of this, cumulative trains on all tasks so far at each arrival and bounds them from above. Ours
give each task a Delta. bytes is all that must be kept after the last task beside the backbone: Deltas, and what a
strategy keeps for itself (importances and old weights, an old model, rows).

Then the same strategies in the loop of Avalanche itself, on the same examples, from the same weights and at the same
learning rate, which is constant there; its batches are not of like length, no epoch is chosen, its optimiser has the
moments of the tasks before. The scores of both stand side by side, with the difference paired over tasks.

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
from findings import Told, told_all
from options import run_options
from rich.console import Console

from learners.delta import Delta
from learners.family import parse_learner
from learners.learner import AvalancheLearner, peak_rate
from learners.seeds import seed_of
from stream.avalanche import TextBenchmark, houlsby26
from stream.avalanche.isolation import own_randomness, silenced
from stream.evaluate import evaluate

REFERENCE = "full:isolated"
OURS = (REFERENCE, "full:sequential", "adapter", "layernorm", "head")
STRATEGIES = ("avalanche:naive", "avalanche:ewc", "avalanche:lwf", "avalanche:replay", "avalanche:cumulative")
TASKS = "sst2,rte,cola,mrpc,cf_airline,cf_disasters"
EXAMPLES = ("suite", "source", "backbone", "max_length", "train_examples", "test_examples")


def inside(tasks: TextBenchmark, name: str, epochs: int, batch_size: int) -> dict[str, float | None]:
    """Score of each task after the last arrival, of a strategy in Avalanche's own loop."""
    import torch
    from avalanche.training.plugins import EvaluationPlugin

    from stream.avalanche.strategy import classes_of

    learner = parse_learner(name, {"epochs": epochs, "batch_size": batch_size})
    assert isinstance(learner, AvalancheLearner)
    base, given, plugins = classes_of(learner)
    training = learner.training
    with own_randomness(seed_of(tasks.seed, name, "inside")), silenced():
        model = tasks.model()
        rate = peak_rate(training, tasks.backbone.architecture.hidden)
        strategy = base(
            model=model,
            optimizer=torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=training.weight_decay),
            criterion=tasks.loss,
            train_mb_size=batch_size,
            train_epochs=epochs,
            plugins=[plugin(**own) for plugin, own in plugins.items()],
            evaluator=EvaluationPlugin(),
            **given,
        )
        for experience in tasks.to_avalanche().train_stream:
            strategy.train(experience, eval_streams=[])
    found: dict[str, float | None] = {}
    for label, data in enumerate(tasks.tasks):
        head = f"heads.{label}."
        named = {key.replace(head, "head."): p.detach() for key, p in strategy.model.named_parameters()}
        delta = Delta({key: tensor for key, tensor in named.items() if key.startswith(("backbone.", "head."))})
        found[data.task.name] = evaluate(tasks.backbone, learner, delta, data.task, data.test).score
    return found


def row(name: str, facts: Told, runs: Sequence[dict[str, Any]]) -> list[str]:
    """The cells of one learner."""
    costs = [results["learners"][name]["cost"] for results in runs]
    kept = sum(cost["after_each_arrival"][-1]["bytes"] for cost in costs) / len(costs)
    flops = sum(cost["train_flops"] for cost in costs) / len(costs)
    return [
        name,
        study.points(facts.score),
        "" if name == REFERENCE else facts.to_reference.tasks.points(sign=True),
        study.points(facts.forgetting),
        f"{kept:,.0f}",
        f"{facts.seconds:.1f}",
        f"{flops / 1e9:,.0f}",
        "exact" if facts.verified else "–",
    ]


def side_by_side(
    runs: Sequence[dict[str, Any]], names: Sequence[str], settings: dict[str, Any], console: Console
) -> dict[str, Any]:
    """Scores of strategies in our loop and in Avalanche's, which is run here; of tasks that both could score."""
    found: dict[str, Any] = {}
    for seed in range(len(runs)):
        examples = {name: settings[name] for name in EXAMPLES}
        examples["source"] = settings["source"].replace("{seed}", str(seed))
        tasks = houlsby26(**examples, seed=seed)
        for name in names:
            theirs = inside(tasks, name, settings["epochs"], settings["batch_size"])
            found.setdefault(name, {"ours": [], "avalanche": []})["avalanche"].append(theirs)
            found[name]["ours"].append(study.last_row(runs[seed], name))
            console.print(f"inside Avalanche, seed {seed}: {name}", style="dim", markup=False)
    for name, each in found.items():
        every = [*each["ours"], *each["avalanche"]]
        scored = [task for task in every[0] if all(row[task] is not None for row in every)]
        found[name] = {loop: [{task: row[task] for task in scored} for row in rows] for loop, rows in each.items()}
        found[name]["difference"] = study.paired(found[name]["ours"], found[name]["avalanche"])
    return found


@run_options(suite=TASKS, train_examples=300, evaluate="full", without=["dtype"])
def main(
    settings: dict[str, Any],
    learners: Annotated[str, typer.Option(help="Comma list, beside full:isolated; the list above if empty.")] = "",
    loop: Annotated[bool, typer.Option(help="Run the strategies in Avalanche's own loop too.")] = True,
    seeds: study.Seeds = 1,
    out: study.Out = Path("runs/strategies"),
) -> None:
    console = study.open_console()
    names = list(dict.fromkeys([REFERENCE, *(learners.split(",") if learners else (*OURS, *STRATEGIES))]))
    settings["learners"] = ",".join(names)
    runs = study.run_seeds(out, console, seeds, **settings)
    found = told_all(runs, REFERENCE, console)
    ranked = sorted(found.items(), key=lambda entry: -entry[1].score.mean)
    head = ["learner", f"score\n({seeds} seeds)", f"to {REFERENCE}\n(over tasks)", "forget", "bytes\nkept"]
    head += ["seconds\n/task", "GFLOPs", "kept as\nlearned"]
    rows = [row(name, facts, runs) for name, facts in ranked]
    title = f"{len(runs[0]['order'])} tasks, backbone {settings['backbone']}"
    study.show(console, title, head, rows, (0, len(head) - 1))

    theirs = [name for name in names if isinstance(parse_learner(name), AvalancheLearner) and name in found]
    both = side_by_side(runs, theirs, settings, console) if loop and theirs else {}
    if both:
        compared = [
            [name, study.points(study.average(each["ours"])), study.points(study.average(each["avalanche"])),
             each["difference"].tasks.points(sign=True)]
            for name, each in both.items()
        ]  # fmt: skip
        head = ["strategy", "in our loop", "in Avalanche's", "difference\n(over tasks)"]
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
