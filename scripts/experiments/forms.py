"""Insertion form, modified representation, composition and their combinations at equal parameter budgets.

What the paper found. He et al. (2022), on summarisation and translation with BART: parallel insertion beats sequential
insertion (Table 3); the FFN is the better place for many parameters, the attention heads for few (Table 4); scaling
helps the parallel adapter, and beats LoRA (Table 5); a short prefix with a large scaled parallel adapter (MAM) comes
nearest to full fine-tuning (Table 6). On MNLI and SST-2 with RoBERTa at 0.5 % (Table 2): full 87.6 and 94.6, BitFit
84.7 and 93.7, prefix 86.3 and 94.0, LoRA 87.2 and 94.2, adapters 87.2 and 94.2, MAM 87.4 and 94.2.

Here the same comparisons on classification. Sizes are the paper's on BART (200, 30, 512, 1024 at d = 1024), scaled to
the backbone's width; all layers L count once. Of prefix length l or bottleneck r a sub-layer takes 2ld or 2rd, LoRA at
both FFN matrices 2r(d + d_ff), so that its rank for the same budget is r d / (d + d_ff): the paper's 102 for 512.
`counted` leaves biases out, as the paper does; `trained` has them.

    python scripts/experiments/forms.py --out runs/forms
    python scripts/experiments/forms.py --suite sst2,mnli_m --source folder:DATA --backbone minilm --out runs/forms-real
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import pictures
import study
from findings import Claim, told_all, weighed
from options import run_options

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import load_backbone
from learners.delta.layout import delta_shapes
from learners.specification.family import parse_learner

TASKS = "sst2,mnli_m,qqp,newsgroups20"
REFERENCE = "full:isolated"
WIDTH, SMALL, MIDDLE, LARGE, WHOLE = 1024, 30, 200, 512, 1024  # of the paper: BART-large, and its sizes there
HE = "He et al. (2022),"


class Row(NamedTuple):
    """A row of one of the paper's tables: its words there, and the learner that they mean here."""

    table: str
    words: str
    learner: str


def comparisons(architecture: Architecture) -> list[Row]:
    """The rows of Tables 3 to 6 for a backbone of this width; a learner may be in several."""

    def size(paper: float) -> int:
        return max(1, round(paper * architecture.hidden / WIDTH))

    def rank(paper: float) -> int:
        """Of LoRA at both FFN matrices, for the parameters of a bottleneck of that size at one sub-layer."""
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
    # by the words of the rows; all differences of the paper are of ROUGE-2 or BLEU but the last, of accuracy
    Claim(f"{HE} Table 3: parallel beats sequential at the FFN.", "parallel, ffn", "sequential, ffn", 0.0),
    Claim(f"{HE} Table 3: and at attention.", "parallel, attention", "sequential, attention", 0.0),
    Claim(f"{HE} Table 4: of many parameters, the FFN makes more.", "parallel, ffn", "parallel, attention", 0.0),
    Claim(f"{HE} Table 4: of few, heads make more.", "multi-head parallel, small", "parallel, ffn, small", 0.0),
    Claim(f"{HE} Table 5: scaling helps.", "scaled parallel, ffn, s = 4", "parallel, ffn, s = 1", 0.0),
    Claim(f"{HE} Table 5: and beats LoRA.", "scaled parallel, ffn, s = 4", "LoRA, ffn, s = 4", 0.0),
    Claim(f"{HE} Table 6: MAM beats parallel adapters at both.", "MAM", "parallel, attention + ffn", 0.0),
    Claim(f"{HE} Table 6: MAM beats prefix and LoRA.", "MAM", "prefix + LoRA, ffn", 0.0),
    Claim(f"{HE} Table 2: MAM is within a point of full fine-tuning.", "MAM", "full fine-tuning", -0.01, 0.01),
)


def counted(learner: str, architecture: Architecture) -> int:
    """Parameters as the paper counts them, of the config alone: no head, no biases, but what BitFit tunes."""
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
    learners = told_all(runs, REFERENCE, console)
    table = [row for row in table if row.learner in learners]
    found = {row.words: learners[row.learner] for row in table}

    parameters, rows = runs[0]["backbone"]["parameters"], []
    for row in table:
        facts, paper = found[row.words], counted(row.learner, architecture)
        cells = [f"{row.table}  {row.words}", f"{paper:,}", f"{100 * paper / parameters:.2f}%", f"{facts.trained:,.0f}"]
        difference = "" if row.learner == REFERENCE else facts.to_reference.tasks.points(sign=True)
        rows.append([*cells, study.points(facts.score), difference, row.learner])
    head = ["table", "counted", "of\nmodel", "trained", "score", f"to {REFERENCE}\n(over tasks)", "learner"]
    title = f"{len(runs[0]['order'])} tasks, backbone {settings['backbone']}"
    title += f": d = {architecture.hidden}, L = {architecture.layers}"
    study.show(console, title, head, rows, (0, len(head) - 1))
    findings = weighed(CLAIMS, found, console)
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
        pictures.task_axis(axes, labels, f"score less that of {REFERENCE}, points; 95 % over tasks", 4)

    pictures.draw(out / "forms.png", 8, 1.5 + 0.24 * len(table), plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
