"""AdapterBias with every sharing and L0 setting: score, kept scalars, and bytes including the indices of kept scalars.

What the papers found. Fu et al. (2022): layers may share v, L_alpha or both; sharing L_alpha is best. An L0 penalty on
L_alpha removes most of it and helps BERT-base. (The author said later that the penalty "did not work well": issue 7 of
Allen0307/AdapterBias.) The gates are those of diff pruning (Guo et al. 2021) and those of Louizos et al. (2018). The
best weight of the penalty differs between models, so the study tries 1e-6 to 1e-3.

`kept` counts scalars after pruning, without heads. `bytes` is the size of a Delta's file without its head: values,
names and shapes, and the indices of tensors that are smaller in sparse form. Differences are paired over tasks.
Intervals are 95 %.

    python scripts/experiments/adapterbias_ablation.py --out runs/ablation
    python scripts/experiments/adapterbias_ablation.py --share none,alpha --source folder:DATA --backbone minilm \
        --out runs/ablation-real
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pictures
import study
import typer
from findings import Claim, judge_and_print, summarise_all
from options import run_options

SHARES = "none,v,alpha,both"
PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3)
GATES = ("diff-pruning", "louizos")
TASKS = "sst2,mnli_m,newsgroups20"
MARKS = {"off": "o", "diff-pruning": "s", "louizos": "^"}


def grid(shares: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Specification of each learner -> its sharing, gates and penalty."""
    found: dict[str, dict[str, Any]] = {}
    for share in shares:
        found[f"adapterbias:share={share}"] = {"share": share, "gates": "off", "penalty": 0.0}
        for gates in GATES:
            for penalty in PENALTIES:
                name = f"adapterbias:share={share}:l0={penalty:g}:gates={gates}"
                found[name] = {"share": share, "gates": gates, "penalty": penalty}
    return found


@run_options(suite=TASKS)
def main(
    settings: dict[str, Any],
    share: Annotated[str, typer.Option(help="Comma list of none, v, alpha, both.")] = SHARES,
    seeds: study.Seeds = 1,
    out: study.Out = Path("runs/ablation"),
) -> None:
    console = study.open_console()
    points = grid(share.split(","))
    reference = next(iter(points))
    settings["learners"] = ",".join(points)
    runs = study.run_seeds(out, console, seeds, **settings)
    found = summarise_all(runs, reference, console)

    rows = []
    for name, facts in found.items():
        point = points[name]
        penalty = "–" if point["gates"] == "off" else f"{point['penalty']:.0e}"
        cells = [point["share"], point["gates"], penalty, study.points(facts.score)]
        cells += ["" if name == reference else facts.to_reference.tasks.points(sign=True)]
        rows.append([*cells, f"{facts.trained:,.0f}", f"{facts.kept:,.0f}", f"{facts.bytes:,.0f}"])
    head = ["shared", "gates", "penalty", "score", f"to share={points[reference]['share']}, off\n(over tasks)"]
    title = f"AdapterBias, {len(runs[0].order)} tasks, backbone {settings['backbone']}"
    study.show(console, title, [*head, "trained\n/task", "kept\n/task", "bytes\n/task"], rows, (0, 1))
    fu, author = "Fu et al. (2022):", "The author (issue 7 of the released code):"
    plain = "adapterbias:share={}".format
    claims = [
        *(
            Claim(f"{fu} sharing L_alpha beats sharing {other}.", plain("alpha"), plain(other), 0.0)
            for other in ("v", "both")
        ),
        Claim(f"{fu} sharing L_alpha costs little.", plain("alpha"), plain("none"), -0.01),
        *(
            Claim(text, f"{plain('none')}:l0=0.0001:gates=diff-pruning", plain("none"), low, high)
            for text, low, high in (
                (f"{fu} the L0 penalty helps the base model.", 0.0, None),
                (f"{author} the penalty did not work well.", None, 0.0),
            )
        ),
    ]
    findings = judge_and_print(claims, found, console)
    document = {"settings": settings | {"seeds": seeds, "share": share}, "reference": reference}
    document["learners"] = {name: points[name] | {"told": facts} for name, facts in found.items()}
    study.save(out / "adapterbias_ablation.json", document | {"findings": findings}, runs[0], console)

    def plot(axes: Any) -> None:
        shares = list(dict.fromkeys(point["share"] for point in points.values()))
        for colour, shared in zip(pictures.COLOURS, shares, strict=False):
            for gates, mark in MARKS.items():
                members = [facts for name, facts in found.items()
                           if (points[name]["share"], points[name]["gates"]) == (shared, gates)]  # fmt: skip
                kept, scores = [facts.kept for facts in members], [100 * facts.score.mean for facts in members]
                axes.plot(
                    kept, scores, mark, color=colour, markersize=5 + 3 * (gates == "off"), label=f"{shared}, {gates}"
                )
        axes.set(xscale="log", xlabel="kept scalars per task, without head", ylabel="mean score, points")
        axes.set_title("sharing between layers, and gates (penalties 1e-6 to 1e-3)", loc="left", fontsize=10)
        axes.legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))

    pictures.draw(out / "adapterbias_ablation.png", 8, 4.5, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
