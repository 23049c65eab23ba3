"""The value of the pretrained backbone: the same learners on it and on the same architecture with random weights.

A frozen encoder helps with a task only as much as its pretraining does. Houlsby et al. (2019) and Fu et al. (2022) tune
few parameters on top of BERT and lose little. On random weights these parameters must learn everything. So the scores
of adapters, and even more of a head alone, show the value of the weights. Training, data and architecture are equal.
The library's own initialiser draws new random weights for each seed.

Intervals are 95 %, of differences that are paired over seeds and tasks.

    python scripts/experiments/backbone_worth.py --out runs/worth
    python scripts/experiments/backbone_worth.py --source folder:DATA --backbone minilm --out runs/worth-real
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pictures
import study
from encoders import save_random
from options import run_options

from stream import Results

MARGIN = 0.05  # a wide margin: neighbouring learners in the papers differ by a tenth of it


@run_options(learners="adapter,head")
def main(settings: dict[str, Any], seeds: study.Seeds = 1, out: study.Out = Path("runs/worth")) -> None:
    backbone = settings.pop("backbone")
    console = study.open_console()
    scores: dict[str, dict[str, list[dict[str, float]]]] = {"pretrained": {}, "random": {}}
    runs: list[Results] = []
    for kind in scores:
        for seed in range(seeds):  # one run each: every seed has its own random weights
            name = (
                backbone if kind == "pretrained" else str(save_random(backbone, out / "random" / f"seed{seed}", seed))
            )
            folder = out / "runs" / kind / f"seed{seed}"
            (results,) = study.run_study(folder, console, seed=seed, backbone=name, **settings).members.values()
            runs.append(results)
            for learner in results:
                scores[kind].setdefault(learner, []).append(study.last_row(results, learner))

    names, tasks = list(scores["random"]), runs[0].order
    means = {
        kind: {name: {task: sum(row[task] for row in each) / len(each) for task in tasks} for name, each in of.items()}
        for kind, of in scores.items()
    }
    rows = []
    for task in tasks:
        cells = [task, runs[0].tasks[task].metric]
        for name in names:
            ours, others = (means[kind][name][task] for kind in scores)
            cells += [study.points(ours), study.points(others), study.points(ours - others, sign=True)]
        rows.append(cells)
    head = ["task", "metric"]
    for name in names:
        head += [f"{name}\npretrained", "\nrandom", "\ngain"]
    study.show(console, f"Backbone {backbone} and the same architecture with random weights", head, rows, (0, 1))

    document: dict[str, Any] = {"settings": settings | {"backbone": backbone, "seeds": seeds}, "learners": {}}
    rows = []
    for name in names:
        both = [study.average(scores[kind][name]) for kind in scores]
        gain = study.difference(scores["pretrained"][name], scores["random"][name])
        better = sum(means["pretrained"][name][task] > means["random"][name][task] for task in tasks)
        verdict = gain.verdict(MARGIN, None)
        document["learners"][name] = {
            "pretrained": both[0], "random": both[1], "gain": gain, "tasks_better": better, "verdict": verdict,
            "scores": {kind: scores[kind][name] for kind in scores},
        }  # fmt: skip
        rows.append([name, *map(study.points, both), gain.points(sign=True), f"{better}/{len(tasks)}", verdict])
    head = ["learner", "pretrained", "random", "gain", "tasks better", "gain > 5 points"]
    study.show(console, f"Averages over {len(tasks)} tasks, {seeds} seed{'' if seeds == 1 else 's'}", head, rows)
    study.save(out / "backbone_worth.json", document, runs[0], console)

    def plot(axes: Any) -> None:
        places = range(len(tasks))
        for colour, name in zip(pictures.COLOURS, names, strict=False):
            for kind, mark in (("random", "o"), ("pretrained", ">")):
                values = [100 * means[kind][name][task] for task in tasks]
                face = colour if kind == "pretrained" else "white"
                axes.plot(values, places, mark, color=colour, markerfacecolor=face, label=f"{name}, {kind}")
        pictures.task_axis(axes, tasks, "score, points", 4)

    pictures.draw(out / "backbone_worth.png", 7, 1.5 + 0.22 * len(tasks), plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
