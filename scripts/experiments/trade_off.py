"""Parameters against performance: the score relative to full fine-tuning, against the trained parameters per task.

What the papers found. Houlsby et al. (2019), Figures 1, 3 and 4: adapters stay within a point of full fine-tuning over
two orders of magnitude of parameters (section 3.6: on eight GLUE tasks 86.2, 85.8 and 85.7 at sizes 8, 64 and 256; 0.4
below full in Table 1). If only the top layers are tuned, the score falls as fewer are tuned (MNLI-m: 77.8 for one
layer, 83.7 for adapters of size 64, 84.4 for all layers). LayerNorms alone are not enough (section 3.4: -3.5 on CoLA,
-4 on MNLI).

Scores are normalised as in those figures: the score of a task minus that of full fine-tuning. The table shows the 20th,
50th and 80th percentile over tasks. The figure has one line per family. Each learner trains at its default rate.

    python scripts/experiments/trade_off.py --out runs/trade-off
    python scripts/experiments/trade_off.py --suite houlsby26 --source folder:DATA --backbone minilm --out runs/trade
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pictures
import study
import typer
from findings import Claim, Scores, judge_and_print, summarise_all
from options import run_options

from learners.backbones.backbone import load_backbone

REFERENCE = "full:isolated"
TASKS = "sst2,qqp,mnli_m,newsgroups20,cf_emotion"
PERCENTILES = (20, 50, 80)
HOULSBY = "Houlsby et al. (2019)"
CLAIMS = (
    Claim(
        f"{HOULSBY}, Table 1: adapters are within half a point of full fine-tuning.",
        "adapter:64", REFERENCE, -0.01, 0.01,
    ),
    Claim(
        f"{HOULSBY}, section 3.6: sizes from 8 to 256 are within half a point of each other.",
        "adapter:8", "adapter:256", -0.01, 0.01,
    ),
    Claim(f"{HOULSBY}, Figure 4: one top layer is 6 points below adapters.", "topk:1", "adapter:64", None, 0.0),
    Claim(f"{HOULSBY}, section 3.4: LayerNorms alone lose 3.5 to 4.", "layernorm", "adapter:64", None, 0.0),
    Claim("Hu et al. (2022), section 7.2: rank 1 does nearly what 64 does.", "lora:1", "lora:64", -0.01, 0.01),
)  # fmt: skip


def grid(layers: int) -> list[str]:
    """Specifications: full fine-tuning, then every size of each family, the smallest first."""
    return [
        REFERENCE,
        *(f"adapter:{2**power}" for power in range(1, 9)),
        *(f"topk:{k}" for k in range(1, layers + 1)),
        *(f"lora:{rank}" for rank in (1, 4, 16, 64)),
        "bitfit",
        "layernorm",
        "adapterbias",
    ]


def normalised(scores: Scores, reference: Scores) -> dict[str, float]:
    """Score of each task minus the reference's, mean over seeds."""
    seeds = len(scores)
    return {task: sum(a[task] - b[task] for a, b in zip(scores, reference, strict=True)) / seeds for task in scores[0]}


def lines(learners: Mapping[str, Any]) -> dict[str, list[str]]:
    """Learners of each family by rising number of trained parameters.

    The reference is left out, and so are learners that train no parameters: the axis is logarithmic.
    """
    families: dict[str, list[str]] = {}
    for name, found in learners.items():
        if name != REFERENCE and found["told"].trained:
            families.setdefault(name.split(":")[0], []).append(name)
    return {name: sorted(found, key=lambda each: learners[each]["told"].trained) for name, found in families.items()}


@run_options(suite=TASKS)
def main(
    settings: dict[str, Any],
    learners: Annotated[str, typer.Option(help="Comma list; full:isolated is added. Default: the whole grid.")] = "",
    seeds: study.Seeds = 1,
    out: study.Out = Path("runs/trade-off"),
) -> None:
    backbone = settings["backbone"]
    console = study.open_console()
    names: Sequence[str] = learners.split(",") if learners else grid(load_backbone(backbone).architecture.layers)
    settings["learners"] = ",".join(dict.fromkeys([REFERENCE, *names]))
    runs = study.run_seeds(out, console, seeds, **settings)
    parameters = study.backbone_parameters(runs[0])
    found: dict[str, Any] = {}
    for name, facts in summarise_all(runs, REFERENCE, console).items():
        differences = normalised(facts.scores, [study.last_row(results, REFERENCE) for results in runs])
        marks = dict(zip(PERCENTILES, np.percentile([*differences.values()], PERCENTILES).tolist(), strict=True))
        found[name] = {"told": facts, "share": facts.trained / parameters, "tasks": differences, "percentiles": marks}

    rows = []
    for name, each in sorted(found.items(), key=lambda entry: -entry[1]["told"].trained):
        facts = each["told"]
        cells = [name, f"{facts.trained:,.0f}", f"{100 * each['share']:.3g}%", study.points(facts.score)]
        cells += [study.points(value, sign=True) for value in each["percentiles"].values()]
        rows.append([*cells, facts.to_reference.tasks.points(sign=True)])
    head = ["learner", "trained\n/task", "of\nmodel", "score", f"to {REFERENCE}:\n20th", "\n50th", "\n80th"]
    title = f"Normalised scores, {len(runs[0].order)} tasks, backbone {backbone}"
    study.show(console, title, [*head, "mean\n(over tasks)"], rows)
    findings = judge_and_print(CLAIMS, {name: each["told"] for name, each in found.items()}, console)
    document = {"settings": settings | {"seeds": seeds}, "reference": REFERENCE, "learners": found}
    study.save(out / "trade_off.json", document | {"findings": findings}, runs[0], console)

    def plot(axes: Any) -> None:
        axes.axhline(0, color="black", linewidth=0.8)
        for colour, (family, members) in zip(pictures.COLOURS, lines(found).items(), strict=False):
            places = [found[name]["told"].trained for name in members]
            low, middle, high = ([100 * found[name]["percentiles"][mark] for name in members] for mark in PERCENTILES)
            axes.plot(places, middle, "o-", color=colour, linewidth=1, markersize=4, label=family)
            if len(members) > 1:
                axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
            else:
                axes.vlines(places, low, high, color=colour, linewidth=1)
        axes.set(xscale="log", xlabel="trained parameters per task, without head")
        axes.set(ylabel=f"score minus that of {REFERENCE}, points")
        axes.set_title("median over tasks; shaded: 20th to 80th percentile", loc="left", fontsize=10)
        axes.legend(fontsize=8, frameon=False)

    pictures.draw(out / "trade_off.png", 7, 4.5, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
