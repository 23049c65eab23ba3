"""Does the order of arrival matter? The same tasks in several orders, on one store.

The Delta of an isolated learner for a task does not depend on the other tasks. So it is fitted in the first order and
read from the store in the others, which only evaluate. A sequential learner is trained again in each order. All scores
are measured in each order. The table says whether the final logits of all tasks are the same in every order, bit for
bit.

    python scripts/experiments/orders.py --out runs/orders
    python scripts/experiments/orders.py --orders 5 --suite sst2,cola,rte --learners adapter,full:sequential
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pictures
import study
import typer
from findings import complete
from options import run_options

from stream import Results, kept_workers, run
from stream.storage.ledger import read_ledger

LEARNERS = "full:isolated,full:sequential,topk:1,layernorm,adapter,head"


def summarise(runs: Sequence[Results], logits: Sequence[Mapping[Any, Any]], name: str) -> dict[str, Any]:
    """Summarise one learner over the runs of all orders. Scores are fractions; intervals are over orders.

    Args:
        logits: One entry per order; see `last_logits`.

    Returns:
        `score` and `forgetting`: intervals. `lowest`, `highest`: mean score of the worst and the best order. `widest`:
        largest range of a task's score over orders, and that task. `same`: whether the final logits are the same in
        every order. `fitted`: number of fits that were not read from the store.
    """
    last = [study.last_row(results, name) for results in runs]
    forgetting = [lost for results in runs if (lost := results[name].metrics["forgetting_chaudhry"]) is not None]
    means = [sum(row.values()) / len(row) for row in last]
    return {
        "score": study.average(last),
        "lowest": min(means),
        "highest": max(means),
        "forgetting": study.interval(forgetting) if len(forgetting) == len(runs) else None,
        "widest": max((max(r[t] for r in last) - min(r[t] for r in last), t) for t in last[0]),
        "same": all(of[name] == logits[0][name] for of in logits),
        "fitted": sum(fit["cached"] is False for of in logits for fit in of["fits", name]),
    }


def last_logits(folder: Path) -> dict[Any, Any]:
    """From a run's ledger: learner -> content id of each task's last logits; ("fits", learner) -> its fit events."""
    found: dict[Any, Any] = {}
    for event in read_ledger(folder / "ledger.jsonl").events:
        if event["event"] in ("evaluate", "audit"):
            found.setdefault(event["learner"], {}).update({cell["task"]: cell["logits"] for cell in event["cells"]})
        elif event["event"] == "fit":
            found.setdefault(("fits", event["learner"]), []).append(event)
    return found


@run_options(train_examples=120, test_examples=80, epochs=3, max_length=40, source="simulated")
def main(
    settings: dict[str, Any],
    learners: study.Learners = LEARNERS,
    orders: Annotated[int, typer.Option(min=2, help="Number of orders: the paper's first, then random ones.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of examples, heads, dropout and batches.")] = 0,
    out: study.Out = Path("runs/orders"),
) -> None:
    console = study.open_console()
    settings |= {"learners": learners, "source": settings["source"].replace("{seed}", str(seed)), "seed": seed}
    runs: list[Results] = []
    logits = []
    with kept_workers(settings.pop("workers")) as workers:
        for number in range(orders):
            folder, order = out / f"order{number}", f"seed:{number}" if number else "paper"
            given = {"order": order, "out": folder, "store": out / "store", "workers": workers}
            handle = study.progress_printer(console, str(folder), every=1000)
            runs.append(run(handle=handle, **settings, **given))
            logits.append(last_logits(folder))
    found = {name: summarise(runs, logits, name) for name in complete(runs, console)}
    ranked = sorted(found.items(), key=lambda entry: -entry[1]["score"].mean)
    head = ["learner", f"score\n({orders} orders)", "lowest", "highest", "forget", "widest range\nof a task", "task"]
    rows = [
        [name, study.points(of["score"]), study.points(of["lowest"]), study.points(of["highest"]),
         study.points(of["forgetting"]), study.points(of["widest"][0]), of["widest"][1] if of["widest"][0] else "–",
         str(of["fitted"]), "same bits" if of["same"] else "differs"]
        for name, of in ranked
    ]  # fmt: skip
    title = f"{len(runs[0].order)} tasks, {orders} orders, backbone {settings['backbone']}"
    study.show(console, title, [*head, "fits", "in every\norder"], rows, (0, 6, 8))
    document = {"settings": settings | {"orders": orders}, "learners": dict(ranked)}
    study.save(out / "orders.json", document, runs[0], console)

    def plot(axes: Any) -> None:
        groups = {"orders": [(place, of["score"]) for place, (_, of) in enumerate(ranked)]}
        pictures.grouped(axes, groups)
        pictures.task_axis(axes, [name for name, _ in ranked], "mean score after the last arrival, points", 2)

    pictures.draw(out / "orders.png", 7, 1.5 + 0.3 * len(ranked), plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
