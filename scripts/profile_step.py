"""Where the time of one training step goes, or of one evaluation batch: products, other operators, Python.

It profiles `fit` itself, on random rows: the difference between a long and a short epoch, divided by their difference
in steps. A step is as in a worker: one thread, dropout, gradients, clipping, AdamW. Layers that a learner leaves frozen
are stored before the first step, so they are not part of one.

The first two rows are without the profiler. If the wall clock is well above the CPU time, the machine had other load;
all other times and shares are of CPU time. An operator's time is without that of the operators that it calls. The
profiler adds to it, most where calls are many and short, so Python takes rather more than the table says.

    python scripts/profile_step.py
    python scripts/profile_step.py --learners adapter:16,lora:8 --operators 20
    python scripts/profile_step.py --backbone minilm --learners adapter:64 --length 12 --dtype float32
    python scripts/profile_step.py --evaluate --learners full,adapter:16
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from benchmark.machine import instructions, machine
from benchmark.process import Contender, ContenderFailed, Processes
from experiments import study
from profiling import shares

from learners.backbones.locate import check_name
from learners.specification.family import parse_learner, parse_learners
from learners.specification.learner import LOOP
from learners.training.precision import dtype_of_processor
from stream.execution.workers import MEMORY
from stream.storage.files import usable_folder
from tasks.errors import InputError

LEARNERS = "head,full,topk:1,layernorm,adapter:16,adapterbias,lora:8,prefix:8,parallel:16"
SQUARE = 2048  # n of the product of square matrices whose speed is the limit


def contender(function: str) -> Contender:
    """A function in a process with the environment of a worker."""
    return Contender(function, "profile", function, environment=MEMORY)


def measure(
    processes: Processes, console: Any, names: list[str], evaluate: bool, **settings: Any
) -> tuple[list[shares.Profile], float | None]:
    """Profiles of these learners, and the best FLOP/s of matrix products in the dtype; None for evaluations."""
    function = "profiling.recording:evaluation" if evaluate else "profiling.recording:step"
    found: list[shares.Profile] = []
    for number, name in enumerate(names):
        console.print(f"{name}, {number + 1} of {len(names)}", style="dim", markup=False)
        found.append(processes.ask(contender(function), {**settings, "learner": name}))
    if evaluate:
        return found, None
    limit = processes.ask(contender("profiling.recording:limit"), {"dtype": settings["dtype"], "square": SQUARE})
    return found, limit["rate"]


def main(
    backbone: study.Backbone = "embedded",
    learners: study.Learners = LEARNERS,
    evaluate: Annotated[bool, typer.Option("--evaluate", help="One evaluation batch instead of a step.")] = False,
    batch_size: study.BatchSize = 16,
    length: Annotated[int, typer.Option(min=4, help="Tokens of the longest rows; others have down to 3/4.")] = 20,
    dtype: study.Dtype = "auto",
    steps: Annotated[int, typer.Option(min=1, help="Steps, or batches, that the result is the mean of.")] = 8,
    repetitions: Annotated[int, typer.Option(min=1, help="Epochs that are timed without the profiler.")] = 5,
    operators: Annotated[int, typer.Option(min=0, help="Also show the N operators that take the most time.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder of the numbers and of the log.")] = Path("runs/profile"),
) -> None:
    names = list(parse_learners(learners))
    for name in names:
        if parse_learner(name).trainer != LOOP:
            raise InputError("another library trains this learner", where="--learners", found=name)
    check_name(backbone)
    usable_folder(out, f"--out {out}")
    console = study.open_console()
    dtype = dtype_of_processor() if dtype == "auto" else dtype
    settings = {"backbone": backbone, "dtype": dtype, "steps": steps, "repetitions": repetitions,
                "batch_size": batch_size, "length": length}  # fmt: skip
    try:
        with Processes(out) as processes:
            found, peak = measure(processes, console, names, evaluate, **settings)
    except ContenderFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        raise typer.Exit(1) from failure
    what = "an evaluation batch" if evaluate else f"a training step of {batch_size} rows"
    title = f"{what}, up to {length} tokens; {backbone}, {dtype}, {machine()} ({instructions()})"
    for some, profiles in shares.pages(names, found, console.width):
        study.show(console, title, (f"{len(some)} learners", *some), shares.as_rows(profiles, peak))
    for name, profile in zip(names, found, strict=True):
        if operators:
            head = ("operator", "group", "calls", "ms", "share")
            study.show(console, name, head, shares.heaviest(profile, operators), left=(0, 1))
    document = {
        "settings": {**settings, "evaluate": evaluate},
        "machine": {"processor": machine(), "instructions": instructions()},
        "peak_flops": peak,
        "learners": {
            name: {**profile, "groups": shares.seconds_of(profile), "calls": shares.calls_of(profile)[0]}
            for name, profile in zip(names, found, strict=True)
        },
    }
    study.save(out / "profile_step.json", document, None, console)


if __name__ == "__main__":
    study.command(main, __doc__)
