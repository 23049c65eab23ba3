"""A league table of all learners: score, parameters, bytes, seconds and forgetting of every family at its defaults.

What the papers found. At 0.5 % of RoBERTa-base (He et al. 2022, Table 2; MNLI and SST-2): full fine-tuning 87.6 and
94.6, MAM 87.4 and 94.2, LoRA and adapters 87.2 and 94.2, prefix tuning 86.3 and 94.0, BitFit 84.7 and 93.7. So most are
within a point of full fine-tuning, and BitFit and prefixes are behind. Prompt tuning is weak on models of this size
(Table 6; Lester et al. 2021, Figure 1). Diff pruning is near full fine-tuning at 0.5 % (Guo et al. 2021, Table 1).

All learners are trained in the same way, each with its own default learning rate. The study leaves out learners that do
not fit the backbone and prints the reason. `bytes` is the size of a task's Delta file without its head. Intervals are
95 %: over seeds for a score; over tasks, paired, for a difference.

    python scripts/experiments/league.py --out runs/league
    python scripts/experiments/league.py --suite houlsby26 --seeds 3 --out runs/league26
    python scripts/experiments/league.py --source folder:DATA --backbone minilm --out runs/league-real
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pictures
import study
import typer
from findings import Claim, SeedSummary, judge_and_print, summarise_all
from options import run_options
from rich.console import Console

from learners.backbones.architecture import Architecture
from learners.backbones.backbone import load_backbone
from learners.delta.layout import delta_shapes
from learners.specification.family import families, parse_learner
from stream import InputError

REFERENCE = "full:isolated"
SHARED = "full:sequential"  # one model for all tasks: it shows how much is forgotten without a remedy
LEARNERS = [REFERENCE, SHARED, *(name for name in families() if name != "full")]
TASKS = "sst2,mnli_m,newsgroups20"
HE = "He et al. (2022), Table 2:"
CLAIMS = (
    *(
        Claim(f"{HE} {words} within a point of full fine-tuning.", name, REFERENCE, -0.01, 0.01)
        for name, words in (("mam", "MAM is"), ("lora", "LoRA is"), ("adapter", "adapters are"))
    ),
    Claim(f"{HE} prefix tuning is behind LoRA.", "prefix", "lora", None, 0.0),
    Claim(f"{HE} BitFit is behind LoRA.", "bitfit", "lora", None, 0.0),
    Claim("He et al. (2022), Table 6: prompt tuning is far behind prefix tuning.", "prompt", "prefix", None, 0.0),
    Claim("Guo et al. (2021), Table 1: diff pruning is near full fine-tuning.", "diffpruning", REFERENCE, -0.01, 0.01),
)


def fitting(names: list[str], architecture: Architecture, console: Console) -> list[str]:
    """Names of the learners that fit this backbone. A note gives the reason for each of the others."""
    found = []
    for name in names:
        try:
            delta_shapes(parse_learner(name), architecture, 2)
            found.append(name)
        except InputError as error:
            console.print(f"{name} is left out: {error}", style="yellow", markup=False)
    return found


def row(name: str, facts: SeedSummary, backbone: int) -> list[str]:
    """Cells of one learner's row. `backbone` is its number of parameters."""
    forgets = facts.forgetting is not None and facts.forgetting.mean != 0
    return [
        name,
        study.points(facts.score),
        "" if name == REFERENCE else facts.to_reference.tasks.points(sign=True),
        f"{facts.trained:,.0f}",
        f"{facts.kept:,.0f}",
        f"{100 * facts.kept / backbone:.3g}%",
        f"{facts.bytes:,.0f}",
        f"{facts.seconds:.1f}",
        f"{facts.growth:.4g}x",
        study.points(facts.forgetting),
        "exact" if facts.verified and not forgets else "–",
    ]


@run_options(suite=TASKS, train_examples=300)
def main(
    settings: dict[str, Any],
    learners: Annotated[str, typer.Option(help="Comma list; full:isolated is added. Default: all families.")] = "",
    seeds: study.Seeds = 3,
    out: study.Out = Path("runs/league"),
) -> None:
    console = study.open_console()
    architecture = load_backbone(settings["backbone"]).architecture
    names = [REFERENCE, *learners.split(",")] if learners else fitting(LEARNERS, architecture, console)
    settings["learners"] = ",".join(dict.fromkeys(names))
    runs = study.run_seeds(out, console, seeds, **settings)
    parameters, order = study.backbone_parameters(runs[0]), runs[0].order
    found = summarise_all(runs, REFERENCE, console)
    ranked = sorted(found.items(), key=lambda entry: -entry[1].score.mean)

    head = ["learner", f"score\n({seeds} seeds)", f"to {REFERENCE}\n(over tasks)", "trained\n/task", "kept\n/task"]
    head += ["of\nmodel", "bytes\n/task", "seconds\n/task", "growth", "forget", "kept as\nlearned"]
    rows = [row(name, facts, parameters) for name, facts in ranked]
    title = f"{len(order)} tasks, {len(found)} learners, backbone {settings['backbone']}"
    study.show(console, title, head, rows, (0, len(head) - 1))
    findings = judge_and_print(CLAIMS, found, console)
    document = {"settings": settings | {"seeds": seeds}, "reference": REFERENCE, "learners": dict(ranked)}
    study.save(out / "league.json", document | {"findings": findings}, runs[0], console)

    def plot(axes: Any) -> None:
        kinds = {"isolated": "a Delta per task", "sequential": "one model for all tasks"}
        groups: dict[str, list[tuple[int, study.Interval]]] = {}
        for place, (_, facts) in enumerate(ranked):
            groups.setdefault(kinds.get(facts.sharing, facts.sharing), []).append((place, facts.score))
        pictures.grouped(axes, groups)
        labels = [f"{name} ({facts.bytes / 1e3:,.1f} kB)" for name, facts in ranked]
        pictures.task_axis(axes, labels, "mean score after the last arrival, points; 95 % over seeds", 2)

    pictures.draw(out / "league.png", 7, 1.5 + 0.24 * len(ranked), plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
