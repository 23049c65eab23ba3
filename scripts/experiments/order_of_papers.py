"""The order of the learners in the papers: score, number of parameters, and forgetting of each.

What the papers found. Houlsby et al. (2019): adapters lose 0.4 points to full fine-tuning on GLUE (Table 1: 80.0
against 80.4) and on 17 further tasks (Table 2: 73.3 against 73.7), with 3.6 % and 1.1 % of its parameters per task. On
MNLI-m the top layer alone reaches 77.8, full fine-tuning 84.4 and adapters 83.7 (section 3.4, Figures 3 and 4).
LayerNorm alone loses about 3.5 points on CoLA and 4 on MNLI (section 3.4, Figure 4). Fu et al. (2022): AdapterBias
trains far fewer parameters than adapters at a small loss (abstract). The motivation of both is that one shared model
forgets.

Intervals are 95 %: over seeds for a score; paired, over tasks and over seeds, for a difference.

    python scripts/experiments/order_of_papers.py --out runs/papers
    python scripts/experiments/order_of_papers.py --source folder:DATA --backbone minilm --out runs/papers-real
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pictures
import study
from findings import Claim, SeedSummary, summarise
from options import run_options

REFERENCE = "full:isolated"
LEARNERS = f"{REFERENCE},full:sequential,topk:1,layernorm,adapter,adapterbias:share=alpha:l0,head"
PAPERS = {  # family -> difference to full fine-tuning in the papers, in points
    "full": "0",
    "topk:1": "-6.6 MNLI-m",
    "layernorm": "-3.5 CoLA, -4 MNLI",
    "adapter": "-0.4 GLUE, -0.4 of 17",
    "adapterbias": "a small loss",
}
ABOVE_HEAD = ("full", "topk", "layernorm", "adapter", "adapterbias")
CLAIMS = (  # learners are families
    Claim("adapters within a point of full", "adapter", "full", -0.01, 0.01),
    Claim("LayerNorm below adapters", "layernorm", "adapter", None, 0.0),
    Claim("LayerNorm near adapters (5 points)", "layernorm", "adapter", -0.05, None),
    Claim("AdapterBias below adapters", "adapterbias", "adapter", None, 0.0),
    Claim("AdapterBias near adapters (5 points)", "adapterbias", "adapter", -0.05, None),
    Claim("top layers below adapters", "topk", "adapter", None, 0.0),
    *(Claim(f"head below {name}", "head", name, None, 0.0) for name in ABOVE_HEAD),
)


def judge(learners: Mapping[str, SeedSummary]) -> Iterator[dict[str, str]]:
    """Judge each claim whose learners ran, by differences paired over tasks; then judge whether each learner forgets.

    Yields:
        `claim`, `found` (our numbers) and `verdict`.
    """
    isolated = {name.split(":")[0]: facts.scores for name, facts in learners.items() if facts.sharing == "isolated"}
    for claim in CLAIMS:
        if claim.first in isolated and claim.second in isolated:
            found = study.paired(isolated[claim.first], isolated[claim.second]).tasks
            verdict = found.verdict(claim.low, claim.high)
            yield {"claim": claim.paper, "found": found.points(sign=True), "verdict": verdict}
    for name, facts in learners.items():
        lost = facts.forgetting
        if facts.sharing == "isolated":
            exact = facts.verified and (lost is None or (lost.mean == 0 and not lost.half))
            verdict, words = "holds" if exact else "fails", f"{name} forgets exactly 0"
        elif lost is not None:
            verdict, words = lost.verdict(0.1, None), f"{name} forgets massively (10 points)"
        else:
            continue
        yield {"claim": words, "found": study.points(lost), "verdict": verdict}


def row(name: str, facts: SeedSummary, backbone: int) -> list[str]:
    """Cells of one learner's row. `backbone` is its number of parameters."""
    tasks, seeds = facts.to_reference
    return [
        name,
        study.points(facts.score),
        study.points(tasks, sign=True),
        "–" if seeds.half is None else f"±{100 * seeds.half:.1f}",
        f"{facts.trained:,.0f}",
        f"{100 * facts.trained / backbone:.3g}%",
        f"{facts.growth:.3g}x",
        study.points(facts.forgetting),
        PAPERS.get(name, PAPERS.get(name.split(":")[0], "–")) if facts.sharing == "isolated" else "–",
    ]


@run_options(learners=LEARNERS)
def main(settings: dict[str, Any], seeds: study.Seeds = 3, out: study.Out = Path("runs/papers")) -> None:
    console = study.open_console()
    runs = study.run_seeds(out, console, seeds, **settings)
    names = list(runs[0])
    reference = REFERENCE if REFERENCE in names else names[0]
    found = {name: summarise(runs, name, reference) for name in names}
    ranked = sorted(found.items(), key=lambda entry: -entry[1].score.mean)

    head = ["learner", f"score\n({seeds} seeds)", f"to {reference}\n(over tasks)", "(over\nseeds)", "trained\n/task"]
    head += ["of\nmodel", "growth", "forget", "papers, to full"]
    rows = [row(name, facts, study.backbone_parameters(runs[0])) for name, facts in ranked]
    title = f"{len(runs[0].order)} tasks, backbone {settings['backbone']}"
    study.show(console, title, head, rows, (0, len(head) - 1))
    claims = list(judge(found))
    study.show(console, "Claims of the papers", ["claim", "found", "verdict"], [[*c.values()] for c in claims], (0, 2))
    document = {"settings": settings | {"seeds": seeds}, "reference": reference, "learners": found, "claims": claims}
    study.save(out / "order_of_papers.json", document, runs[0], console)

    def plot(axes: Any) -> None:
        for colour, (name, facts) in zip(pictures.COLOURS, found.items(), strict=False):
            mean, half = 100 * facts.score.mean, 100 * (facts.score.half or 0)
            axes.errorbar(max(facts.trained, 1), mean, half, fmt="o", color=colour, capsize=3, label=name)
        axes.set(
            xscale="log", xlabel="trained parameters per task, without head (none: at 1)", ylabel="mean score, points"
        )
        axes.set_title("score after the last arrival, 95 % interval over seeds", loc="left", fontsize=10)
        axes.legend(fontsize=8, frameon=False)

    pictures.draw(out / "order_of_papers.png", 7, 4.5, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
