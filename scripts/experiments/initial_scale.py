"""Robustness to the scale of initialisation: adapters initialised at standard deviations from 1e-7 to 1.

What the paper found. Houlsby et al. (2019), section 3.6 and Figure 6 (right): on MNLI and CoLA the scale does not
matter below a standard deviation of 1e-2. Larger ones degrade performance, more on CoLA. The near-identity
initialisation makes training stable: at a deviation of 1 the model at step 0 is far from the pretrained model.

Differences to the paper's default, 1e-2, are paired over tasks. Intervals are 95 %.

    python scripts/experiments/initial_scale.py --out runs/scale
    python scripts/experiments/initial_scale.py --suite cola,mnli_m --source folder:DATA --backbone minilm --out runs/sc
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pictures
import study
import typer
from findings import Claim, judge_and_print, summarise_all
from options import run_options

EXPONENTS = range(-7, 1)
TASKS = "cola,sst2,mnli_m,newsgroups20"


@run_options(suite=TASKS)
def main(
    settings: dict[str, Any],
    size: Annotated[int, typer.Option(min=2, help="Bottleneck of the adapters.")] = 64,
    seeds: study.Seeds = 2,
    out: study.Out = Path("runs/scale"),
) -> None:
    console = study.open_console()
    deviations = {f"adapter:{size}:std=1e{exponent}": 10.0**exponent for exponent in EXPONENTS}
    default = f"adapter:{size}:std=1e-2"
    settings["learners"] = ",".join(deviations)
    runs = study.run_seeds(out, console, seeds, **settings)
    found = summarise_all(runs, default, console)
    tasks = runs[0].order
    means = {name: study.task_means(facts.scores) for name, facts in found.items()}

    rows = []
    for name, facts in found.items():
        difference = "default" if name == default else facts.to_reference.tasks.points(sign=True)
        cells = [f"{deviations[name]:.0e}", study.points(facts.score), difference]
        rows.append([*cells, *(study.points(means[name][task]) for task in tasks)])
    title = f"Adapters of size {size} by standard deviation of the initial weights, backbone {settings['backbone']}"
    study.show(console, title, ["deviation", "mean score", "to 1e-2\n(over tasks)", *tasks], rows)
    paper = "Houlsby et al. (2019), Figure 6:"
    claims = [
        *(
            Claim(f"{paper} below 1e-2 the scale does not matter.", f"adapter:{size}:std=1e{e}", default, -0.01, 0.01)
            for e in (-7, -4)
        ),
        Claim(f"{paper} above it, performance degrades.", f"adapter:{size}:std=1e0", default, None, 0.0),
    ]
    findings = judge_and_print(claims, found, console)
    document = {"settings": settings | {"seeds": seeds, "size": size}, "deviations": deviations, "learners": found}
    study.save(out / "initial_scale.json", document | {"findings": findings}, runs[0], console)

    def plot(axes: Any) -> None:
        places = [deviations[name] for name in found]
        for colour, task in zip(pictures.COLOURS, tasks, strict=False):
            values = [100 * means[name][task] for name in found]
            axes.plot(places, values, "o-", color=colour, linewidth=1, markersize=4, label=task)
        axes.plot(places, [100 * facts.score.mean for facts in found.values()], "k-", linewidth=2, label="mean")
        axes.axvline(1e-2, color="#999999", linestyle=":", linewidth=1)
        axes.set(xscale="log", xlabel="deviation of the initial weights (dotted: default)", ylabel="score, points")
        axes.legend(fontsize=8, frameon=False)

    pictures.draw(out / "initial_scale.png", 7, 4, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
