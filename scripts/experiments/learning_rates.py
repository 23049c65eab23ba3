"""The best peak learning rate of each learner, at a given budget and backbone: the measurements behind the defaults.

Every learner is trained at its default rate and at half decades (factors of about 3.2) below and above it. The table
shows the mean of the tasks' scores after the last arrival, and its difference to the default rate, paired over tasks
(95 % interval). Verdict on the default: `fails` if another rate is better beyond chance, `open` if only its mean is
better, `holds` if none is better.

    python scripts/experiments/learning_rates.py --out runs/rates
    python scripts/experiments/learning_rates.py --train-examples 120 --epochs 3 --out runs/rates-few
    python scripts/experiments/learning_rates.py --source folder:DATA --backbone minilm --out runs/rates-minilm
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pictures
import study
import typer
from options import run_options

from learners.backbones.backbone import load_backbone
from learners.specification.family import parse_learner, parse_learners
from learners.specification.learner import peak_rate

LEARNERS = "full:isolated,topk:1,layernorm,adapter,adapterbias:share=alpha:l0,head"
TASKS = "sst2,qqp,qnli,mnli_m,newsgroups20,cf_emotion"  # one and two texts; 2, 3, 13 and 20 classes


def rates_around(specification: str, width: int, below: int, above: int) -> dict[str, float]:
    """A learner at its default rate and at neighbouring rates: specification -> peak rate, in rising order.

    Args:
        width: Width of the backbone, which the default rate depends on.
        below, above: Number of half decades below and above the default.
    """
    default = peak_rate(parse_learner(specification).training, width)
    found = {}
    for step in range(-below, above + 1):
        rate = default if step == 0 else float(f"{default * 10 ** (step / 2):.1e}")
        found[specification if step == 0 else f"{specification}:learning_rate={rate:g}"] = rate
    return found


def verdict(differences: list[study.Interval]) -> str:
    """Verdict on a default rate, from the differences of the other rates to it."""
    if any(each.verdict(None, 0.0) == "fails" for each in differences):
        return "fails"
    return "open" if any(each.mean > 0 for each in differences) else "holds"


@run_options(suite=TASKS, learners=LEARNERS, train_examples=1000, test_examples=300)
def main(
    settings: dict[str, Any],
    below: Annotated[int, typer.Option(min=0, help="Half decades below a default.")] = 2,
    above: Annotated[int, typer.Option(min=0, help="Half decades above a default.")] = 1,
    seeds: study.Seeds = 1,
    out: study.Out = Path("runs/rates"),
) -> None:
    given = settings | {"below": below, "above": above, "seeds": seeds, "out": out}
    console = study.open_console()
    backbone = settings["backbone"]
    width = load_backbone(backbone).architecture.hidden
    grid = {name: rates_around(name, width, below, above) for name in parse_learners(settings["learners"])}
    settings["learners"] = ",".join(name for rates in grid.values() for name in rates)
    runs = study.run_seeds(out, console, seeds, **settings)

    document: dict[str, Any] = {"settings": given, "width": width, "learners": {}}
    rows = []
    for default, rates in grid.items():
        scores = {name: [study.last_row(results, name) for results in runs] for name in rates}
        differences = {name: study.paired(scores[name], scores[default]).tasks for name in rates if name != default}
        entries = []
        for name, rate in rates.items():
            mean = study.average(scores[name])
            entries.append({"rate": rate, "default": name == default, "score": mean, "scores": scores[name]})
            cells = [default, f"{rate:.1e}", study.points(mean)]
            cells += ["default", verdict(list(differences.values()))] if name == default else [
                differences[name].points(sign=True), ""
            ]  # fmt: skip
            rows.append(cells)
        document["learners"][default] = entries
    title = f"Peak learning rates on {backbone} (width {width}), {len(runs[0].order)} tasks"
    study.show(console, title, ["learner", "rate", "mean score", "to default (over tasks)", "default"], rows)
    study.save(out / "learning_rates.json", document, runs[0], console)

    def plot(axes: Any) -> None:
        for colour, (name, entries) in zip(pictures.COLOURS, document["learners"].items(), strict=False):
            rates, means = [each["rate"] for each in entries], [100 * each["score"].mean for each in entries]
            axes.plot(rates, means, "-", color=colour, linewidth=1, label=name)
            for rate, mean, each in zip(rates, means, entries, strict=True):
                axes.plot(rate, mean, "o", color=colour, markerfacecolor=colour if each["default"] else "white")
        axes.set_xscale("log")
        axes.set(xlabel="peak learning rate (filled mark: default)", ylabel="mean score, points")
        axes.legend(fontsize=8, frameon=False)

    pictures.draw(out / "learning_rates.png", 7, 4, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
