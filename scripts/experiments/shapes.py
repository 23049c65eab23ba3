"""The best depth and width of the embedded backbone: small BERTs of several shapes, pretrained for equal time.

A deeper or wider encoder learns more in a step, and a step takes longer. So the study compares shapes after the same
time on one core (as Izsak et al. 2021, "How to Train BERT with an Academic Budget", and Geiping and Goldstein 2023,
"Cramming"). The number of steps follows from the CPU seconds of one step, and the fall of the learning rate from the
number of steps. Corpus, tokenizer, tokens per batch and peak rates are equal. Two things measure quality: linear
probes on all tasks, with labels free of noise, and learners trained on the shape. Two measure cost: one training step
of an adapter, and one forward pass.

Differences are to the embedded shape (to the first shape if the embedded one is not among them), paired over tasks,
with 95 % intervals. They do not cover another pretraining of the same shape (`--seed`). A few minutes are far from
convergence: the shape that leads after six minutes may not lead after ninety (`--minutes`).

    python scripts/experiments/shapes.py --out runs/shapes
    python scripts/experiments/shapes.py --minutes 90 --documents 800000 --shapes 4x128,6x128 --out runs/shapes-long
    python scripts/experiments/shapes.py --corpus FOLDER --out runs/shapes           corpus of an earlier pretraining
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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # pretraining and probes are one folder up

from equal_time import medians, pretrain, shared_corpus, step_seconds
from pretraining.settings import Settings
from pretraining.tokens import SPECIAL
from probe_backbone import probe

from learners.backbones.backbone import Backbone, load_backbone
from learners.delta.initial import initial_trainable
from learners.forward.forward import logits
from learners.specification.family import parse_learner, parse_learners
from stream import InputError, Results
from stream.config.resolve import resolve_config
from tasks.files import write_atomic
from tasks.sources.simulated.registry import twins
from tasks.suite import resolve_suite

SHAPES = "4x128,6x128,8x128,6x192"
EMBEDDED = f"{Settings.layers}x{Settings.width}"
MIDDLE = Settings.middle / Settings.layers  # where the middle layer is, as in the embedded backbone
HEAD = 32  # width of an attention head, as in the embedded backbone


def parse_shapes(text: str, common: Settings) -> dict[str, Settings]:
    """Settings of each shape of a comma list of LAYERSxWIDTH, by name.

    Raises:
        InputError: A part is not of that form, or a width is not a multiple of 32.
    """
    found: dict[str, Settings] = {}
    for part in text.split(","):
        match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", part.strip())
        if match is None or int(match[2]) % HEAD:
            expected = f"LAYERSxWIDTH, the width a multiple of {HEAD}"
            raise InputError("not a shape", where="--shapes", expected=expected, found=part.strip() or "nothing")
        layers, width = int(match[1]), int(match[2])
        middle = max(1, round(layers * MIDDLE))
        found[f"{layers}x{width}"] = replace(common, layers=layers, middle=middle, width=width, heads=width // HEAD)
    return found


def probes(file: Path, backbone: Backbone, tasks: tuple[str, ...], train: int, test: int) -> dict[str, float]:
    """Score of a linear probe of each task, a fraction; stored in a file for the next call with the same inputs.

    Args:
        train, test: Number of training and of test texts per task.
    """
    inputs = {"backbone": backbone.id, "tasks": [*tasks], "train": train, "test": test}
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if stored.get("made") != inputs:
        scores = {task: probe(backbone, twins()[task], train, test, 80, 5)[0] for task in tasks}
        stored = {"made": inputs, "scores": scores}
        write_atomic(file, json.dumps(stored, indent=1))
    found: dict[str, float] = stored["scores"]
    return found


def uses(backbone: Backbone, rows: int, tokens: int) -> dict[str, Callable[[int], None]]:
    """Calls to time: `step`, a training step of an adapter, and `forward`, a forward pass; rows without padding.

    Args:
        rows: Rows per batch.
        tokens: Tokens per row.
    """
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
    """Add to each shape the means of its scores and their differences to the reference shape."""
    for shape in found.values():
        for kind, scores in shape["scores"].items():
            others = found[reference]["scores"][kind]
            shape.setdefault("mean", {})[kind] = study.average(scores)
            shape.setdefault("to_reference", {})[kind] = study.difference(scores, others)


def show_costs(console: Console, title: str, found: Mapping[str, dict[str, Any]]) -> None:
    rows = []
    for name, shape in found.items():
        spent, costs = shape["cpu_seconds"], [shape[f"adapter_{what}_seconds"] for what in ("step", "forward")]
        cells = [name, f"{shape['parameters']:,}", f"{1000 * shape['step_seconds']:.0f}", f"{shape['steps']:,}"]
        cells += ["–" if spent is None else f"{spent / 60:.1f}", f"{shape['losses']['words']:.2f}"]
        rows.append([*cells, *(f"{1000 * cost:.1f}" for cost in costs)])
    head = ["shape", "parameters", "pretraining\nstep, ms", "\nsteps", "CPU\nminutes", "loss of\nmasked words"]
    study.show(console, title, [*head, "adapter\nstep, ms", "\nforward, ms"], rows)


def show_scores(console: Console, title: str, found: Mapping[str, dict[str, Any]], reference: str) -> None:
    kinds, rows = [*found[reference]["scores"]], []
    for name, shape in found.items():
        pairs = ((shape["mean"][kind].points(), shape["to_reference"][kind].points(sign=True)) for kind in kinds)
        rows.append([name, *(cell for pair in pairs for cell in pair)])
    study.show(console, title, ["shape", *(cell for kind in kinds for cell in (kind, f"to {reference}"))], rows)


@run_options(learners="adapter,head", without=["source", "backbone"])
def main(
    *,
    shapes: Annotated[str, typer.Option(help="Comma list of LAYERSxWIDTH.")] = SHAPES,
    minutes: Annotated[float, typer.Option(min=0.0, help="CPU minutes of pretraining per shape.")] = 6.0,
    documents: Annotated[int, typer.Option(min=100, help="Documents of a new corpus.")] = 200_000,
    vocabulary: Annotated[int, typer.Option(min=100, help="Word pieces of a new corpus.")] = Settings.vocabulary,
    corpus: Annotated[Path | None, typer.Option(help="Folder of an existing corpus and its tokenizer.")] = None,
    tokens: Annotated[int, typer.Option(min=64, help="Tokens per batch of pretraining.")] = Settings.tokens,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of pretraining.")] = Settings.learning_rate,
    seed: Annotated[int, typer.Option(help="Seed of pretraining and of a new corpus.")] = Settings.seed,
    probe_train: Annotated[int, typer.Option(min=50, help="Training texts of a probe, per task.")] = 1000,
    probe_test: Annotated[int, typer.Option(min=50, help="Test texts of a probe, per task.")] = 500,
    settings: dict[str, Any],
    seeds: study.Seeds = 1,
    out: study.Out = Path("runs/shapes"),
) -> None:
    given = dict(locals())
    given |= given.pop("settings")
    config = resolve_config(settings)[0]  # reports bad input before hours of pretraining
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
    runs: list[Results] = []
    for name, shape in wanted.items():
        folder, steps = out / "shapes" / name, max(1, round(60 * minutes / seconds[name]))
        console.print(f"{name}: {steps:,} steps of {1000 * seconds[name]:.0f} ms", style="dim")
        pretrained = pretrain(folder, source, replace(shape, steps=steps))
        backbone = load_backbone(str(folder / "backbone"))
        scores = {"probe": [probes(folder / "probes.json", backbone, tasks, probe_train, probe_test)]}
        settings["backbone"] = str(folder / "backbone")
        for results in study.run_study(out / "runs" / name, console, seed=[*range(seeds)], **settings).members.values():
            runs.append(results)
            for learner in results:
                scores.setdefault(learner, []).append(study.last_row(results, learner))
        dtype: Any = runs[-1].settings["dtype"]
        calls[name] = uses(load_backbone(str(folder / "backbone"), dtype), rows, length)
        found[name] = {"parameters": backbone.parameters, "step_seconds": seconds[name], "steps": steps, **pretrained,
                       "scores": scores}  # fmt: skip
    for what in ("step", "forward"):
        for name, cost in medians({name: each[what] for name, each in calls.items()}, 30).items():
            found[name][f"adapter_{what}_seconds"] = cost

    reference = EMBEDDED if EMBEDDED in found else next(iter(found))
    compare(found, reference)
    title = f"Cost after {minutes:g} CPU minutes of pretraining"
    show_costs(console, f"{title}; adapter: {rows} rows of {length} tokens, {dtype}", found)
    show_scores(console, f"Scores over {len(tasks)} tasks", found, reference)
    document = {"settings": given, "reference": reference, "shapes": found, "environment": runs[0].environment}
    study.save(out / "shapes.json", document, None, console)

    def plot(axes: Any) -> None:
        costs = [1000 * shape["adapter_step_seconds"] for shape in found.values()]
        for colour, kind in zip(pictures.COLOURS, found[reference]["scores"], strict=False):
            means = [100 * shape["mean"][kind].mean for shape in found.values()]
            axes.plot(costs, means, "o", color=colour, label=kind)
            for name, cost, mean in zip(found, costs, means, strict=True):
                axes.annotate(name, (cost, mean), xytext=(4, 3), textcoords="offset points", fontsize=7, color=colour)
        axes.set(xlabel="training step of an adapter, ms", ylabel="mean score, points")
        axes.legend(fontsize=8, frameon=False)

    pictures.draw(out / "shapes.png", 7, 4, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
