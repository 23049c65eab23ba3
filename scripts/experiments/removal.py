"""Removal: the value of trained adapters in each layer. Remove those of a span of layers, without training again.

What the paper found. Houlsby et al. (2019), section 3.6 and Figure 6 (left, centre): the adapters of a single layer
matter little (at most 2 % of the score). All together matter much: without any, the model predicts the majority class
(MNLI 37 %, CoLA 69 %). Lower layers matter less than higher ones: on MNLI, removing layers 0 to 4 costs almost nothing.

The study sets the adapters of every contiguous span of layers to zero, leaves norms and head as they were trained, and
evaluates the validation rows again, as the paper did. The drop is the lost part of the task's score. It is not given
for a task that scores below 10 points.

    python scripts/experiments/removal.py --out runs/removal
    python scripts/experiments/removal.py --run runs/papers/seed0 --learner adapter --out runs/removal-of-papers
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pictures
import study
import torch
import typer
from claims import Finding, print_findings
from finished import Finished, Run, make_runs, open_finished
from options import run_options

from learners.delta.delta import Delta
from learners.forms import Bottleneck
from stream import InputError
from stream.results.intervals import Interval, interval

TASKS = "sst2,qqp,mnli_m,newsgroups20"
LEAST = 0.1  # a smaller score is mostly chance, so a part of it has no meaning


def without(finished: Finished, delta: Delta, span: range) -> Delta:
    """The Delta with the adapters of these layers set to zero, so that h + Δh = h."""
    names = {
        modification.key(layer, tensor)
        for modification in finished.learner.modifications
        for tensor in modification.shapes(finished.backbone.architecture)
        for layer in span
    }
    return Delta({name: torch.zeros_like(t) if name in names else t for name, t in delta.tensors.items()})


def spans(finished: Finished, task: str) -> dict[str, Any]:
    """Validation scores of a task without the adapters of each span of layers.

    Returns:
        `whole`: the score with all adapters. `scores` [L, L]: entry (i, j) is the score without layers i to j; NaN for
        j < i. `uniform`: the share of rows with the most frequent prediction if all adapters are removed; None for
        a regression.
    """
    layers, delta = finished.backbone.architecture.layers, finished.delta(task)
    whole, _ = finished.score(task, delta, "validation")
    scores = np.full((layers, layers), np.nan)
    uniform = None
    for first in range(layers):
        for last in range(first, layers):
            span = range(first, last + 1)
            scores[first, last], logits = finished.score(task, without(finished, delta, span), "validation")
            if len(span) == layers and logits.shape[1] > 1:
                uniform = np.bincount(logits.argmax(axis=1)).max() / len(logits)
    return {"whole": whole, "scores": scores, "uniform": uniform}


def opened(folder: Path, learner: str) -> Finished:
    """Open a run for a learner of adapters. Each layer must have adapters of its own.

    Raises:
        InputError: It is another learner; or as `open_finished`.
    """
    finished = open_finished(folder, learner)
    modifications = finished.learner.modifications
    if not modifications or any(not isinstance(each.form, Bottleneck) or each.shared for each in modifications):
        raise InputError("setting it to zero does not remove it", where=learner, expected="a learner of adapters")
    return finished


def drops(found: Sequence[Mapping[str, Any]]) -> np.ndarray | None:
    """Lost part of the mean score over seeds, [L, L]; None if that score is below `LEAST`."""
    whole = sum(each["whole"] for each in found) / len(found)
    part: np.ndarray = 1 - np.mean([each["scores"] for each in found], axis=0) / (whole or 1.0)
    return part if whole >= LEAST else None


def findings(lost: Mapping[str, np.ndarray], uniform: Sequence[float]) -> list[Finding]:
    """Judge the paper's findings; intervals are over tasks.

    Args:
        lost: Task -> lost part of its score, [L, L].
        uniform: Share of rows with the same prediction if all adapters are removed, one per task.
    """
    found: list[tuple[str, str, str, Interval, str, float | None, float | None, str]] = []
    if lost:
        layers = len(next(iter(lost.values())))
        half = layers // 2
        worst = interval([float(part.diagonal().max()) for part in lost.values()])
        gap = interval([float(part[0, half - 1] - part[half, layers - 1]) for part in lost.values()])
        found = [
            ("H-removal-one", "removing one layer costs 2 % at most", "at most 2 %", worst,
             "removing the worst single layer costs {} %", None, 0.02, ""),
            ("H-removal-low", "lower layers matter less", "layers 0-4 of 12 nearly free on MNLI", gap,
             "removing the lower half costs {} % more than removing the upper", None, 0.0, "+"),
        ]  # fmt: skip
    if uniform:
        found.append(
            ("H-removal-all", "without any, the model predicts one class", "the majority class", interval(uniform),
             "{} % of the rows get the same prediction", 0.9, None, "")
        )  # fmt: skip
    return [
        Finding("Houlsby et al. (2019), Figure 6", claim, words.format(value.points(sign=bool(sign))),
                value.verdict(low, high) if value.half else "open", theirs=theirs, id=name, value=value)
        for name, claim, theirs, value, words, low, high, sign in found
    ]  # fmt: skip


@run_options(suite=TASKS)
def main(
    *,
    run: Run = None,
    learner: Annotated[str, typer.Option(help="Learner of adapters, by its name in the run.")] = "adapter:64",
    settings: dict[str, Any],
    seeds: study.Seeds = 3,
    out: study.Out = Path("runs/removal"),
) -> None:
    console = study.open_console()
    folders = [run] if run else make_runs(out, console, seeds, learners=learner, **settings)
    found: dict[str, list[dict[str, Any]]] = {}
    for folder in folders:
        finished = opened(folder, learner)
        for task in finished.tasks:
            found.setdefault(task, []).append(spans(finished, task))
    layers = finished.backbone.architecture.layers
    lost = {task: part for task, each in found.items() if (part := drops(each)) is not None}

    rows = []
    for task, each in found.items():
        cells = [task, study.points(sum(one["whole"] for one in each) / len(each))]
        for first, last in [*((layer, layer) for layer in range(layers)), (0, layers - 1)]:
            cells.append(study.points(float(lost[task][first, last])) if task in lost else "–")
        rows.append([*cells, study.points(uniform_of(each))])
    head = [
        "task",
        "score",
        *(f"without\nlayer {layer}" for layer in range(layers)),
        "without\nall",
        "same\nprediction",
    ]
    study.show(console, f"Drop in % of the score, {learner} on {finished.results.backbone.name}", head, rows)
    uniform = [value for each in found.values() if (value := uniform_of(each)) is not None]
    judged = findings(lost, uniform)
    print_findings(console, judged)
    used = settings if run is None else finished.results.settings
    document: dict[str, Any] = {"settings": {**used, "seeds": len(folders), "run": run, "learner": learner}}
    document["findings"] = judged
    document["tasks"] = {task: [plain(one) for one in each] for task, each in found.items()}
    study.save(out / "removal.json", document, finished.results, console)
    maps = {"mean": np.mean([*lost.values()], axis=0), **lost} if lost else {}

    def plot(*panels: Any) -> None:
        most = max(10.0, *(100 * float(np.nanmax(part)) for part in maps.values()))
        for axes, (name, part) in zip(panels, maps.items(), strict=True):
            axes.grid(False)
            axes.imshow(100 * part, cmap="Reds", vmin=0, vmax=most)
            for first, last in zip(*np.nonzero(~np.isnan(part)), strict=True):
                dark = 100 * part[first, last] > 0.6 * most
                value = f"{100 * part[first, last]:.0f}"
                axes.text(last, first, value, ha="center", va="center", size=7, color="white" if dark else "black")
            axes.set(title=name, xlabel="last layer removed", xticks=range(layers), yticks=range(layers))
        panels[0].set_ylabel("first layer removed")

    if maps:
        size = 1.2 + 0.35 * layers
        pictures.draw(out / "removal.png", size * len(maps), size + 0.5, plot, console, panels=len(maps))


def uniform_of(found: Sequence[Mapping[str, Any]]) -> float | None:
    """Mean of `uniform` over seeds; None for a regression."""
    values = [float(each["uniform"]) for each in found if each["uniform"] is not None]
    return sum(values) / len(values) if values else None


def plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same without arrays and NaN, which strict JSON does not have."""
    scores = [[None if np.isnan(score) else float(score) for score in row] for row in found["scores"]]
    return {**found, "uniform": uniform_of([found]), "scores": scores}


if __name__ == "__main__":
    study.command(main, __doc__)
