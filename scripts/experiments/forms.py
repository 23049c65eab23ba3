"""Insertion form, modified representation and composition, alone and combined, at equal parameter budgets.

What the paper found. He et al. (2022), on summarisation and translation with BART: parallel insertion beats sequential
insertion (Table 3). The FFN is the better place for many parameters, the attention heads for few (Table 4). Scaling
helps the parallel adapter, which then beats LoRA (Table 5). A short prefix with a large scaled parallel adapter (MAM)
comes nearest to full fine-tuning (Table 6). On MNLI and SST-2 with RoBERTa at 0.5 % (Table 2): full 87.6 and 94.6,
BitFit 84.7 and 93.7, prefix 86.3 and 94.0, LoRA 87.2 and 94.2, adapters 87.2 and 94.2, MAM 87.4 and 94.2.

This study makes the same comparisons on classification. Sizes are the paper's for BART (200, 30, 512, 1024 at
d = 1024), scaled to the width of the backbone. Per sub-layer, a prefix of length l has 2ld parameters and a bottleneck
of size r has 2rd; LoRA of rank r at both FFN matrices has 2r(d + d_ff). So the rank of LoRA for the budget of a
bottleneck r is r d / (d + d_ff), which is 102 for the paper's 512. `counted` leaves out biases, as the paper does;
`trained` includes them.

    python scripts/experiments/forms.py --out runs/forms
    python scripts/experiments/forms.py --suite sst2,mnli_m --source folder:DATA --backbone minilm --out runs/forms-real
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import pictures
import study
from findings import Claim, judge_and_print, summarise_all
from options import run_options

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import load_backbone
from learners.delta.layout import delta_shapes
from learners.specification.family import parse_learner

TASKS = "sst2,mnli_m,qqp,newsgroups20"
REFERENCE = "full:isolated"
WIDTH, SMALL, MIDDLE, LARGE, WHOLE = 1024, 30, 200, 512, 1024  # of the paper: width of BART-large, and sizes
HE = "He et al. (2022),"


class Row(NamedTuple):
    """A row of one of the paper's tables: the table's number, the row's name, and our learner for it."""

    table: str
    words: str
    learner: str


def comparisons(architecture: Architecture) -> list[Row]:
    """The rows of Tables 3 to 6 for a backbone of this width. A learner may be in several rows."""

    def size(paper: float) -> int:
        return max(1, round(paper * architecture.hidden / WIDTH))

    def rank(paper: float) -> int:
        """Rank of LoRA at both FFN matrices with as many parameters as a bottleneck of this size at one sub-layer."""
        share = architecture.hidden / (architecture.hidden + architecture.ffn)
        return max(1, round(paper * share * architecture.hidden / WIDTH))

    def sequential(where: str) -> str:
        return f"adapter:{max(2, size(MIDDLE))}:where={where}:norms=no:activation=relu"

    def lora(paper: float, scale: float) -> str:
        return f"lora-ffn:{rank(paper)}:alpha={scale * rank(paper):g}"

    def parallel(paper: float, where: str = "ffn", scale: float = 1) -> str:
        return f"parallel:{size(paper)}:where={where}" + (f":scale={scale:g}" if scale != 1 else "")

    small, middle = size(SMALL), size(MIDDLE)
    return [
        Row("3", "prefix", f"prefix:{middle}"),
        Row("3", "sequential, attention", sequential("attention")),
        Row("3", "sequential, ffn", sequential("ffn")),
        Row("3", "parallel, attention", parallel(MIDDLE, "attention")),
        Row("3", "parallel, ffn", parallel(MIDDLE)),
        Row("4", "multi-head parallel", f"mhpa:{middle}"),
        Row("4", "prefix, small", f"prefix:{small}"),
        Row("4", "multi-head parallel, small", f"mhpa:{small}"),
        Row("4", "parallel, attention, small", parallel(SMALL, "attention")),
        Row("4", "parallel, ffn, small", parallel(SMALL)),
        Row("5", "LoRA, ffn, s = 4", lora(LARGE, 4)),
        Row("5", "LoRA, ffn, s = 1", lora(LARGE, 1)),
        Row("5", "parallel, ffn, s = 1", parallel(LARGE)),
        Row("5", "scaled parallel, ffn, s = 4", parallel(LARGE, scale=4)),
        Row("6", "full fine-tuning", REFERENCE),
        Row("6", "BitFit", "bitfit"),
        Row("6", "prompt tuning", "prompt"),
        Row("6", "Pfeiffer adapter", f"pfeiffer:{size(600)}"),
        Row("6", "parallel, ffn, large", parallel(WHOLE)),
        Row("6", "parallel, attention + ffn", f"{parallel(SMALL, 'attention')}+{parallel(LARGE)}"),
        Row("6", "prefix + LoRA, ffn", f"prefix:{small}+{lora(LARGE, 4)}"),
        Row("6", "MAM", f"mam:prefix={small}:parallel={size(LARGE)}:scale=4"),
    ]


CLAIMS = (
    # Learners are the names of rows. The paper's differences are in ROUGE-2 or BLEU, except the last one, in accuracy.
    Claim(f"{HE} Table 3: at the FFN, parallel beats sequential.", "parallel, ffn", "sequential, ffn", 0.0),
    Claim(f"{HE} Table 3: at attention too.", "parallel, attention", "sequential, attention", 0.0),
    Claim(f"{HE} Table 4: with many parameters, the FFN is better.", "parallel, ffn", "parallel, attention", 0.0),
    Claim(f"{HE} Table 4: with few, heads are better.", "multi-head parallel, small", "parallel, ffn, small", 0.0),
    Claim(f"{HE} Table 5: scaling helps.", "scaled parallel, ffn, s = 4", "parallel, ffn, s = 1", 0.0),
    Claim(f"{HE} Table 5: scaled parallel beats LoRA.", "scaled parallel, ffn, s = 4", "LoRA, ffn, s = 4", 0.0),
    Claim(f"{HE} Table 6: MAM beats parallel adapters at both places.", "MAM", "parallel, attention + ffn", 0.0),
    Claim(f"{HE} Table 6: MAM beats prefix and LoRA together.", "MAM", "prefix + LoRA, ffn", 0.0),
    Claim(f"{HE} Table 2: MAM is within a point of full fine-tuning.", "MAM", "full fine-tuning", -0.01, 0.01),
)


def counted(learner: str, architecture: Architecture) -> int:
    """Parameters as the paper counts them, from the config alone: no head, and no biases except those BitFit tunes."""
    shapes = delta_shapes(parse_learner(learner), architecture, 1)
    return sum(
        math.prod(shape)
        for name, shape in shapes.items()
        if not name.startswith("head.") and not (name.startswith("added.") and name.endswith("bias"))
    )


@run_options(suite=TASKS)
def main(settings: dict[str, Any], seeds: study.Seeds = 1, out: study.Out = Path("runs/forms")) -> None:
    console = study.open_console()
    architecture = load_backbone(settings["backbone"]).architecture
    table = comparisons(architecture)
    settings["learners"] = ",".join(dict.fromkeys(row.learner for row in table))
    runs = study.run_seeds(out, console, seeds, **settings)
    learners = summarise_all(runs, REFERENCE, console)
    table = [row for row in table if row.learner in learners]
    found = {row.words: learners[row.learner] for row in table}

    parameters, rows = study.backbone_parameters(runs[0]), []
    for row in table:
        facts, paper = found[row.words], counted(row.learner, architecture)
        cells = [f"{row.table}  {row.words}", f"{paper:,}", f"{100 * paper / parameters:.2f}%", f"{facts.trained:,.0f}"]
        difference = "" if row.learner == REFERENCE else facts.to_reference.tasks.points(sign=True)
        rows.append([*cells, study.points(facts.score), difference, row.learner])
    head = ["table", "counted", "of\nmodel", "trained", "score", f"to {REFERENCE}\n(over tasks)", "learner"]
    title = f"{len(runs[0].order)} tasks, backbone {settings['backbone']}"
    title += f": d = {architecture.hidden}, L = {architecture.layers}"
    study.show(console, title, head, rows, (0, len(head) - 1))
    findings = judge_and_print(CLAIMS, found, console)
    document: dict[str, Any] = {"settings": settings | {"seeds": seeds}, "reference": REFERENCE, "findings": findings}
    document["rows"] = [
        {**row._asdict(), "counted": counted(row.learner, architecture), "told": found[row.words]} for row in table
    ]
    study.save(out / "forms.json", document, runs[0], console)

    def plot(axes: Any) -> None:
        axes.axvline(0, color="black", linewidth=0.8)
        groups: dict[str, list[tuple[int, study.Interval]]] = {}
        for place, row in enumerate(table):
            groups.setdefault(f"Table {row.table}", []).append((place, found[row.words].to_reference.tasks))
        pictures.grouped(axes, groups)
        labels = [f"{row.words} ({counted(row.learner, architecture):,})" for row in table]
        pictures.task_axis(axes, labels, f"score minus that of {REFERENCE}, points; 95 % over tasks", 4)

    pictures.draw(out / "forms.png", 8, 1.5 + 0.24 * len(table), plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
