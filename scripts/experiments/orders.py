"""Does the order of arrival matter? The same tasks in several orders, on one store.

What an isolated learner makes of a task does not depend on the others, so its Deltas are fitted under the first order
and found under the rest, which cost evaluations alone; a sequential one is trained anew each time. Under each order its
scores are measured, and the table says whether those of all tasks were the same, to the last bit of every logit.

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

from stream import kept_workers, run
from stream.storage.ledger import read_ledger

LEARNERS = "full:isolated,full:sequential,topk:1,layernorm,adapter,head"


def told(runs: Sequence[Mapping[str, Any]], logits: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """What the runs of all orders tell of a learner, as fractions; intervals are over orders.

    Args:
        logits: Of each order, content ids of the last logits by learner and task.
    """
    last = [study.last_row(results, name) for results in runs]
    lost = [results["learners"][name]["metrics"]["forgetting_chaudhry"] for results in runs]
    means = [sum(row.values()) / len(row) for row in last]
    return {
        "score": study.average(last),
        "lowest": min(means),
        "highest": max(means),
        "forgetting": None if None in lost else study.interval(lost),
        "widest": max((max(r[t] for r in last) - min(r[t] for r in last), t) for t in last[0]),
        "same": all(of[name] == logits[0][name] for of in logits),
        "fitted": sum(fit["cached"] is False for of in logits for fit in of["fits", name]),
    }


def last_logits(folder: Path) -> dict[Any, Any]:
    """By learner: content id of each task's last logits; by ("fits", learner): its fits."""
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
    orders: Annotated[int, typer.Option(min=2, help="The paper's, and seeded ones.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of examples, heads, dropout and batches.")] = 0,
    out: study.Out = Path("runs/orders"),
) -> None:
    console = study.open_console()
    settings |= {"learners": learners, "source": settings["source"].replace("{seed}", str(seed)), "seed": seed}
    runs, logits = [], []
    with kept_workers(settings.pop("workers")) as workers:
        for number in range(orders):
            folder, order = out / f"order{number}", f"seed:{number}" if number else "paper"
            given = {"order": order, "out": folder, "store": out / "store", "workers": workers}
            runs.append(run(handle=study.teller(console, str(folder), every=1000), **settings, **given).as_dict())
            logits.append(last_logits(folder))
    found = {name: told(runs, logits, name) for name in complete(runs, console)}
    ranked = sorted(found.items(), key=lambda entry: -entry[1]["score"].mean)
    head = ["learner", f"score\n({orders} orders)", "lowest", "highest", "forget", "widest\nof a task", "which", "fits"]
    rows = [
        [name, study.points(of["score"]), study.points(of["lowest"]), study.points(of["highest"]),
         study.points(of["forgetting"]), study.points(of["widest"][0]), of["widest"][1] if of["widest"][0] else "–",
         str(of["fitted"]), "same bits" if of["same"] else "differs"]
        for name, of in ranked
    ]  # fmt: skip
    title = f"{len(runs[0]['order'])} tasks, {orders} orders, backbone {settings['backbone']}"
    study.show(console, title, [*head, "under every\norder"], rows, (0, 6, 8))
    document = {"settings": settings | {"orders": orders}, "learners": dict(ranked)}
    study.save(out / "orders.json", document, runs[0], console)

    def plot(axes: Any) -> None:
        groups = {"orders": [(place, of["score"]) for place, (_, of) in enumerate(ranked)]}
        pictures.grouped(axes, groups)
        pictures.task_axis(axes, [name for name, _ in ranked], "mean score after the last arrival, points", 2)

    pictures.draw(out / "orders.png", 7, 1.5 + 0.3 * len(ranked), plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
