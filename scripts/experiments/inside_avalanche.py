"""Our stream inside Avalanche: Avalanche's strategies, evaluator and loggers on the examples of `taskstream run`.

Naive fine-tuning, EWC (Kirkpatrick et al. 2017) and replay train one model on task after task, with a head per task.
Avalanche measures accuracy, whatever the metric of a task, so its score of a regression has no meaning. The log of a
strategy is OUT/<strategy>.log. The table shows Avalanche's averages beside ours, computed from Avalanche's accuracies:
they are the same numbers.

    python scripts/experiments/inside_avalanche.py --out runs/inside
    python scripts/experiments/inside_avalanche.py --source folder:DATA --backbone minilm --out runs/inside-real
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import study
import typer
from options import run_options

from stream.avalanche import houlsby26
from stream.results.matrix import AccuracyMatrix
from stream.results.metrics import compute_all
from stream.storage.files import usable_folder

AVERAGES = {  # our metric -> Avalanche's, without its prefix for phase and stream
    "average_accuracy": "Top1_Acc_Stream",
    "forgetting_avalanche": "StreamForgetting",
    "bwt_gem": "StreamBWT",
}


@run_options(
    suite="sst2,rte,cf_disasters,qnli,sms_spam,cf_airline",
    source="simulated",
    max_length=48,
    epochs=3,
    without=["dtype", "evaluate", "workers"],
)
def main(
    settings: dict[str, Any],
    learning_rate: Annotated[float, typer.Option(help="Learning rate of AdamW, one optimiser for all tasks.")] = 2e-4,
    ewc_lambda: Annotated[float, typer.Option(help="Weight of EWC's penalty.")] = 0.4,
    mem_size: Annotated[int, typer.Option(min=1, help="Examples that replay stores, all tasks together.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Seed of examples, heads, dropout and batches.")] = 0,
    out: study.Out = Path("runs/inside"),
) -> None:
    console = study.open_console()
    usable_folder(out, f"--out {out}")
    epochs, batch_size = (settings.pop(name) for name in ("epochs", "batch_size"))
    tasks = houlsby26(**settings | {"source": settings["source"].replace("{seed}", str(seed))}, seed=seed)
    benchmark = tasks.to_avalanche()

    from avalanche.evaluation.metrics import accuracy_metrics, bwt_metrics, forgetting_metrics
    from avalanche.logging import TextLogger
    from avalanche.training.plugins import EvaluationPlugin, EWCPlugin, ReplayPlugin
    from avalanche.training.supervised import Naive
    from torch import manual_seed
    from torch.optim import AdamW

    plugins = {"naive": [], "ewc": [EWCPlugin(ewc_lambda)], "replay": [ReplayPlugin(mem_size)]}
    found: dict[str, Any] = {}
    for name, chosen in plugins.items():
        manual_seed(seed)
        model = tasks.model()
        with (
            (out / f"{name}.log").open("w", encoding="utf-8") as log,
            warnings.catch_warnings(record=True),  # Avalanche uses functions that it declares deprecated itself
        ):
            strategy = Naive(
                model=model,
                optimizer=AdamW(model.parameters(), lr=learning_rate),
                criterion=tasks.loss,
                train_mb_size=batch_size,
                train_epochs=epochs,
                eval_mb_size=64,
                plugins=chosen,
                evaluator=EvaluationPlugin(
                    accuracy_metrics(epoch=True, experience=True, stream=True),
                    forgetting_metrics(experience=True, stream=True),
                    bwt_metrics(experience=True, stream=True),
                    loggers=[TextLogger(log)],
                ),
            )
            rows = []
            for experience in benchmark.train_stream:
                strategy.train(experience)
                said = strategy.eval(benchmark.test_stream)
                rows.append(tuple(accuracies(said, len(tasks.order))))
                console.print(f"{name}: {tasks.order[experience.current_experience]}", style="dim")
        matrix = AccuracyMatrix(tasks.order, (None,) * len(rows), tuple(rows))
        theirs = {ours: last(said, metric) for ours, metric in AVERAGES.items()}
        found[name] = {"R": rows, "avalanche": theirs, "ours": compute_all(matrix)}
    table = [
        [name, *(study.points(each[of][metric]) for metric in AVERAGES for of in ("avalanche", "ours"))]
        for name, each in found.items()
    ]
    head = [title for theirs in AVERAGES.values() for title in (theirs, "ours")]
    study.show(console, f"{len(tasks.order)} tasks inside Avalanche", ["strategy", *head], table)
    given = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "seed": seed}
    options = {**settings, **given, "ewc_lambda": ewc_lambda, "mem_size": mem_size}
    study.save(out / "inside_avalanche.json", {"settings": options, "strategies": found}, None, console)


def accuracies(said: dict[str, float], count: int) -> list[float]:
    """Accuracies of the experiences 0, 1, ..., `count` - 1 in the metrics that Avalanche returned."""
    return [last(said, "Top1_Acc_Exp", f"Exp{index:03}") for index in range(count)]


def last(said: dict[str, float], metric: str, experience: str = "") -> float:
    """The single value of a metric in the metrics that Avalanche returned.

    Avalanche names a stream's accuracy after the task evaluated last. It is always the same task here, because the
    whole stream is evaluated each time.
    """
    (value,) = (said[key] for key in said if key.startswith(f"{metric}/eval_phase") and key.endswith(experience))
    return value


if __name__ == "__main__":
    study.command(main, __doc__)
