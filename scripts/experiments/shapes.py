"""Which depth and width the embedded backbone should have: small BERTs of several shapes, pretrained for equal time.

A deeper or wider encoder learns more of a step and takes longer for it, so what counts is what a shape knows after the
same time on one core (as in Izsak et al. 2021, "How to Train BERT with an Academic Budget", and Geiping and Goldstein
2023, "Cramming"). Steps follow from the CPU seconds of one, the schedule of the rate from the steps; corpus, tokenizer,
tokens of a batch and peak rate are equal. What a shape knows is told by linear probes of all tasks, labels free of
noise, and by learners trained on it; what it costs its users by one training step of an adapter and one forward pass.

Differences are to the shape that is embedded (else the first), paired over tasks, 95 % intervals: they say nothing of
another pretraining of the same shape (`--seed`). A budget of minutes is far from the end of learning: what leads after
six may not lead after ninety (`--minutes`).

    python scripts/experiments/shapes.py --out runs/shapes
    python scripts/experiments/shapes.py --minutes 90 --documents 800000 --shapes 4x128,6x128 --out runs/shapes-long
    python scripts/experiments/shapes.py --corpus FOLDER --out runs/shapes           what pretraining left in FOLDER
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pictures
import study
import torch
import typer
from options import run_options
from rich.console import Console
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # what pretrains and probes lies one folder up

from equal_time import medians, pretrain, shared_corpus, step_seconds
from pretraining.settings import Settings
from pretraining.tokens import SPECIAL
from probe_backbone import probe

from learners.backbones.backbone import Backbone, load_backbone
from learners.delta.initial import initial_trainable
from learners.forward.forward import logits
from learners.specification.family import parse_learner, parse_learners
from stream.config.resolve import resolve_config
from tasks.errors import InputError
from tasks.files import write_atomic
from tasks.sources.simulated.registry import twins
from tasks.suite import resolve_suite

SHAPES = "2x128,4x128,6x128,4x96,4x192"
EMBEDDED = f"{Settings.layers}x{Settings.width}"
HEAD = 32  # dimensions of an attention head: that of the embedded backbone, for every width


def parse_shapes(text: str, common: Settings) -> dict[str, Settings]:
    """Settings of each shape LAYERSxWIDTH of a comma list, by name.

    Raises:
        InputError: Not of that form, or a width that heads of 32 do not fill.
    """
    found: dict[str, Settings] = {}
    for part in text.split(","):
        match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", part.strip())
        if match is None or int(match[2]) % HEAD:
            expected = f"LAYERSxWIDTH, the width a multiple of {HEAD}"
            raise InputError("not a shape", where="--shapes", expected=expected, found=part.strip() or "nothing")
        layers, width = int(match[1]), int(match[2])
        found[f"{layers}x{width}"] = replace(common, layers=layers, width=width, heads=width // HEAD)
    return found


def probes(file: Path, backbone: Backbone, tasks: tuple[str, ...], train: int, test: int) -> dict[str, float]:
    """Score of a linear probe of each task, kept in a file."""
    made = {"backbone": backbone.id, "tasks": [*tasks], "train": train, "test": test}
    kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if kept.get("made") != made:
        scores = {task: probe(backbone, twins()[task], train, test, 80, 5)[0] for task in tasks}
        kept = {"made": made, "scores": scores}
        write_atomic(file, json.dumps(kept, indent=1))
    found: dict[str, float] = kept["scores"]
    return found


def uses(backbone: Backbone, rows: int, tokens: int) -> dict[str, Callable[[int], None]]:
    """What the demo pays for: a training step of an adapter, and a forward pass, of rows without padding."""
    learner, task = parse_learner("adapter"), twins()["sst2"].task
    trainable = {
        name: leaf.clone().requires_grad_() for name, leaf in initial_trainable(backbone, learner, task, 0).items()
    }
    optimiser = torch.optim.AdamW(trainable.values())
    ids = torch.randint(len(SPECIAL), backbone.architecture.vocabulary, (rows, tokens))
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "token_type_ids": torch.zeros_like(ids)}

    def step(turn: int) -> None:
        loss = nn.functional.cross_entropy(logits(backbone, learner, trainable, batch), ids[:, 0] % task.outputs)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()

    def forward(turn: int) -> None:
        with torch.inference_mode():
            logits(backbone, learner, trainable, batch)

    return {"step": step, "forward": forward}


def compare(found: Mapping[str, dict[str, Any]], reference: str) -> None:
    """Add to each shape the means of its scores and their differences to a reference."""
    for told in found.values():
        for kind, scores in told["scores"].items():
            others = found[reference]["scores"][kind]
            told.setdefault("mean", {})[kind] = study.average(scores)
            told.setdefault("to_reference", {})[kind] = study.paired(scores, others).tasks


def show_costs(console: Console, title: str, found: Mapping[str, dict[str, Any]]) -> None:
    rows = []
    for name, told in found.items():
        spent, costs = told["cpu_seconds"], [told[f"adapter_{what}_seconds"] for what in ("step", "forward")]
        cells = [name, f"{told['parameters']:,}", f"{1000 * told['step_seconds']:.0f}", f"{told['steps']:,}"]
        cells += ["–" if spent is None else f"{spent / 60:.1f}", f"{told['losses']['words']:.2f}"]
        rows.append([*cells, *(f"{1000 * cost:.1f}" for cost in costs)])
    head = ["shape", "parameters", "pretraining\nstep, ms", "\nsteps", "CPU\nminutes", "masked\nwords"]
    study.show(console, title, [*head, "adapter\nstep, ms", "\nforward, ms"], rows)


def show_scores(console: Console, title: str, found: Mapping[str, dict[str, Any]], reference: str) -> None:
    kinds, rows = [*found[reference]["scores"]], []
    for name, told in found.items():
        pairs = ((told["mean"][kind].points(), told["to_reference"][kind].points(sign=True)) for kind in kinds)
        rows.append([name, *(cell for pair in pairs for cell in pair)])
    study.show(console, title, ["shape", *(cell for kind in kinds for cell in (kind, f"to {reference}"))], rows)


@run_options(learners="adapter,head", without=["source", "backbone"])
def main(
    *,
    shapes: Annotated[str, typer.Option(help="Comma list of LAYERSxWIDTH.")] = SHAPES,
    minutes: Annotated[float, typer.Option(min=0.0, help="CPU minutes that pretraining of a shape may take.")] = 6.0,
    documents: Annotated[int, typer.Option(min=100, help="Documents of the corpus, if it is made.")] = 200_000,
    vocabulary: Annotated[int, typer.Option(min=100, help="Word pieces, if the corpus is made.")] = Settings.vocabulary,
    corpus: Annotated[Path | None, typer.Option(help="Folder of a corpus with its tokenizer, made before.")] = None,
    tokens: Annotated[int, typer.Option(min=64, help="Of a batch of pretraining.")] = Settings.tokens,
    learning_rate: Annotated[float, typer.Option(help="Peak rate of pretraining.")] = Settings.learning_rate,
    seed: Annotated[int, typer.Option(help="Of pretraining, and of a corpus that is made.")] = Settings.seed,
    probe_train: Annotated[int, typer.Option(min=50, help="Training texts of a probe.")] = 1000,
    probe_test: Annotated[int, typer.Option(min=50, help="Test texts of a probe.")] = 500,
    settings: dict[str, Any],
    seeds: study.Seeds = 1,
    out: study.Out = Path("runs/shapes"),
) -> None:
    given = dict(locals())
    given |= given.pop("settings")
    config = resolve_config(settings)[0]  # bad input is to be told before the hours of pretraining
    tasks = resolve_suite(config.suite, tuple(twins()))[1]
    parse_learners(config.learners)
    common = Settings(vocabulary=vocabulary, documents=documents, tokens=tokens, learning_rate=learning_rate, seed=seed)
    parse_shapes(shapes, common)
    rows, length = settings["batch_size"], settings["max_length"]
    console = study.open_console()
    torch.set_num_threads(1)

    source, common = shared_corpus(corpus, out / "corpus", common)
    wanted = parse_shapes(shapes, common)
    seconds = step_seconds(wanted, source, out / "step_seconds.json", tokens)
    found: dict[str, dict[str, Any]] = {}
    calls: dict[str, dict[str, Callable[[int], None]]] = {}
    runs: list[dict[str, Any]] = []
    for name, shape in wanted.items():
        folder, steps = out / "shapes" / name, max(1, round(60 * minutes / seconds[name]))
        console.print(f"{name}: {steps:,} steps of {1000 * seconds[name]:.0f} ms", style="dim")
        told = pretrain(folder, source, replace(shape, steps=steps))
        backbone = load_backbone(str(folder / "backbone"))
        scores = {"probe": [probes(folder / "probes.json", backbone, tasks, probe_train, probe_test)]}
        settings |= {"source": "simulated:seed={seed}", "backbone": str(folder / "backbone")}
        for run_seed in range(seeds):
            runs.append(study.run_seed(out / "runs" / name, console, seed=run_seed, **settings))
            for learner in runs[-1]["learners"]:
                scores.setdefault(learner, []).append(study.last_row(runs[-1], learner))
        dtype = runs[-1]["settings"]["dtype"]
        calls[name] = uses(load_backbone(str(folder / "backbone"), dtype), rows, length)
        found[name] = {"parameters": backbone.parameters, "step_seconds": seconds[name], "steps": steps, **told,
                       "scores": scores}  # fmt: skip
    for what in ("step", "forward"):
        for name, cost in medians({name: each[what] for name, each in calls.items()}, 30).items():
            found[name][f"adapter_{what}_seconds"] = cost

    reference = EMBEDDED if EMBEDDED in found else next(iter(found))
    compare(found, reference)
    title = f"What {minutes:g} CPU minutes of pretraining pay for"
    show_costs(console, f"{title}; {rows} rows of {length} tokens, {dtype}", found)
    show_scores(console, f"Scores over {len(tasks)} tasks", found, reference)
    document = {"settings": given, "reference": reference, "shapes": found, "environment": runs[0]["environment"]}
    study.save(out / "shapes.json", document, None, console)

    def plot(axes: Any) -> None:
        costs = [1000 * told["adapter_step_seconds"] for told in found.values()]
        for colour, kind in zip(pictures.COLOURS, found[reference]["scores"], strict=False):
            means = [100 * told["mean"][kind].mean for told in found.values()]
            axes.plot(costs, means, "o", color=colour, label=kind)
            for name, cost, mean in zip(found, costs, means, strict=True):
                axes.annotate(name, (cost, mean), xytext=(4, 3), textcoords="offset points", fontsize=7, color=colour)
        axes.set(xlabel="training step of an adapter, ms", ylabel="mean score, points")
        axes.legend(fontsize=8, frameon=False)

    pictures.draw(out / "shapes.png", 7, 4, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
