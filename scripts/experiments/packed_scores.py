"""Do fits in packs score as fits one by one do? The same learners, tasks and seeds, run both ways.

A fit in a pack takes the steps of the fit by itself, dropout included, but for the last bits of products. These grow
from step to step, so scores may differ as those of two seeds do; a difference beyond that would be a fault. The table
has the difference, packed minus one by one, with its interval over seeds and tasks, and the standard deviation of the
mean over seeds.

    python scripts/experiments/packed_scores.py --pack 4 --out runs/packed-scores
    python scripts/experiments/packed_scores.py --suite all --source folder:DATA --backbone minilm --out runs/packed
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import study
import typer
from options import run_options

LEARNERS = "adapter:16,adapterbias,layernorm,lora:8,prefix:16"


@run_options(
    suite="sst2,cf_airline,news_aggregator,sms_spam", learners=LEARNERS, seed="0-4", train_examples=200, epochs=3,
    without=["workers"],
)  # fmt: skip
def main(
    settings: dict[str, Any],
    pack: Annotated[int, typer.Option(min=2, help="Number of fits in a pack.")] = 4,
    out: study.Out = Path("runs/packed-scores"),
) -> None:
    console = study.open_console()
    single, packed = (
        [*study.run_study(out / name, console, workers=1, pack=slots, **settings).members.values()]
        for name, slots in (("single", 1), ("packed", pack))
    )
    found: dict[str, Any] = {}
    rows = []
    for learner in single[0]:
        ours, others = ([study.last_row(run, learner) for run in runs] for runs in (packed, single))
        means = [sum(scores.values()) / len(scores) for scores in others]
        spread = float(np.std(means, ddof=1)) if len(means) > 1 else None
        gap = study.difference(ours, others)
        found[learner] = {"packed": ours, "single": others, "difference": gap, "spread": spread}
        scores = [study.points(study.average(each)) for each in (others, ours)]
        rows.append([learner, *scores, gap.points(sign=True), study.points(spread)])
    seeds, tasks = len(single), len(single[0].order)
    title = f"Fits one by one and in packs of {pack}: {tasks} tasks, seeds: {seeds}"
    head = ["learner", "one by one", "in packs", "packed minus\none by one", "spread over\nseeds"]
    study.show(console, title, head, rows)
    study.save(out / "packed_scores.json", {"pack": pack, "learners": found}, single[0], console)


if __name__ == "__main__":
    study.command(main, __doc__)
