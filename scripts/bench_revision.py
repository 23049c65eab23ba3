"""The speed of the working tree, compared with another revision of this repository.

The other revision is checked out into a temporary folder. Each revision runs in processes of its own, with its own
packages, caches and folders, and the same interpreter and installed libraries. They run in turn (old, new, old, new,
...). The table shows medians; how many times as fast the new one is, the median of the pairs, with the lowest and
highest; and the same in CPU seconds, which other load on the machine changes less.

  step        a training step of each learner, and the peak memory of the fits; one thread
  evaluation  rows per second of each learner; one thread
  demo        the run of scripts/demo, with nothing cached
  start       help; a run of one learner and one step with nothing cached; a worker until it is ready
  again       the call of a finished run

    python scripts/bench_revision.py HEAD~1
    python scripts/bench_revision.py v0.1.0 --only step,evaluation --backbone minilm --steps 4 --repetitions 3
    python scripts/bench_revision.py main --only demo --demo full
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from benchmark.machine import instructions, machine
from benchmark.process import ROOT, ContenderFailed, Processes
from benchmark.revisions import parts
from benchmark.revisions.checkout import checkout, commit_of, described
from benchmark.revisions.commands import check_tree
from benchmark.revisions.pairs import HEAD, Pair, as_entry, as_rows
from benchmark.revisions.parts import Part, Side, Work
from benchmark.revisions.sizes import DEFAULT, DEMOS, Sizes
from experiments import study
from rich.console import Console

from learners.specification.family import parse_learners
from learners.training.precision import dtype_of_processor
from stream.execution.cores import cores
from stream.storage.files import usable_folder
from tasks import unknown_name

PARTS: Mapping[str, Part] = {
    "step": parts.step,
    "evaluation": parts.evaluation,
    "demo": parts.demo,
    "start": parts.start,
    "again": parts.again,
}


def bench(
    revision: str, *, only: str, sizes: Sizes, backbone: str, source: str, dtype: str, learners: str, out: Path,
    console: Console,
) -> dict[str, Any]:  # fmt: skip
    """Compare the working tree with a revision, print the table, and write OUT/bench_revision.json.

    Args:
        only: Comma list of parts. "" takes all.
        dtype: `auto`, or a dtype of both revisions.
        learners: Comma list of learners of parts step and evaluation.

    Returns:
        The document in OUT/bench_revision.json.

    Raises:
        InputError: A part, a learner or the revision is unknown, or git is missing.
        ContenderFailed: A revision failed.
    """
    chosen = [*filter(None, only.split(","))] or [*PARTS]
    for name in chosen:
        if name not in PARTS:
            raise unknown_name("part", name, PARTS, where="--only")
    named = tuple(parse_learners(learners))
    dtype = dtype_of_processor() if dtype == "auto" else dtype
    commit = commit_of(revision)
    out = out.absolute()
    usable_folder(out, f"--out {out}")
    found: list[Pair] = []
    seconds: dict[str, float] = {}
    load, failure = os.getloadavg(), None
    with checkout(commit) as tree, Processes(out) as processes:
        old, new = Side("old", tree, out / "old"), Side("new", ROOT, out / "new")
        for side in (old, new):
            side.folder.mkdir(exist_ok=True)
            check_tree(side.tree)
        work = Work(backbone, source, dtype, named, sizes, out, old, new, processes, console)
        try:
            for name in chosen:
                since = time.perf_counter()
                for pair in PARTS[name](work):
                    found.append(pair)
                seconds[name] = time.perf_counter() - since
        except ContenderFailed as error:  # what was measured before is not lost
            failure = error
    what = f"old: {revision} ({commit[:7]}), new: working tree ({described()})"
    where = f"{backbone}, {dtype}, {machine()} ({instructions()}), {cores()} cores"
    study.show(console, f"{what}; {where}", HEAD, as_rows(found), left=(0, 1, 2))
    document = {
        "old": commit,
        "new": described(),
        "settings": {"backbone": backbone, "source": source, "dtype": dtype, "parts": chosen, "learners": named},
        "sizes": asdict(sizes),
        "machine": {
            "processor": machine(),
            "instructions": instructions(),
            "cores": cores(),
            "load_before": load,
            "load_after": os.getloadavg(),
        },
        "seconds": seconds,
        "measurements": [as_entry(pair) for pair in found],
    }
    study.save(out / "bench_revision.json", document, None, console)
    if failure is not None:
        raise failure
    return document


def main(
    revision: Annotated[str, typer.Argument(help="The old revision: a branch, tag or commit.")],
    only: Annotated[str, typer.Option(help=f"Comma list of parts out of {','.join(PARTS)}. Default: all.")] = "",
    backbone: study.Backbone = "embedded",
    source: study.Source = "simulated",
    dtype: study.Dtype = "auto",
    learners: Annotated[str, typer.Option(help="Comma list of learners of step and evaluation.")] = ",".join(DEFAULT),
    task: Annotated[str, typer.Option(help="Task of step, evaluation and start.")] = Sizes.task,
    steps: Annotated[int, typer.Option(min=1, help="Steps per epoch of step.")] = Sizes.steps,
    batch_size: study.BatchSize = Sizes.batch_size,
    max_length: study.MaxLength = Sizes.max_length,
    repetitions: Annotated[int, typer.Option(min=1, help="Repetitions of step, evaluation.")] = Sizes.repetitions,
    starts: Annotated[int, typer.Option(min=1, help="Repetitions of start and again.")] = Sizes.starts,
    demos: Annotated[int, typer.Option(min=1, help="Repetitions of demo.")] = Sizes.demos,
    demo: Annotated[Literal["quick", "full"], typer.Option(help="6 or 26 tasks of scripts/demo.")] = "quick",
    out: study.Out = Path("runs/bench-revision"),
) -> None:
    sizes = replace(
        Sizes(), task=task, steps=steps, batch_size=batch_size, max_length=max_length, repetitions=repetitions,
        starts=starts, demos=demos,
        demo=DEMOS[demo],
    )  # fmt: skip
    given: dict[str, Any] = {"backbone": backbone, "source": source, "dtype": dtype, "learners": learners, "out": out}
    try:
        bench(revision, only=only, sizes=sizes, console=study.open_console(), **given)
    except ContenderFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        raise typer.Exit(1) from failure


if __name__ == "__main__":
    study.command(main, __doc__)
