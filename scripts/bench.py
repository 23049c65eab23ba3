"""The speed of taskstream, compared with alternatives and with the limit of the machine.

Each contender runs in its own process. They run in turn (A B C A B C ...) on the same backbone, rows, steps and batch
size. The table shows the median, lowest and highest value; how many times as fast or as small ours is; and the share of
the machine's best matrix products in that dtype. The work counted is what the rows need: all layers, forward and
backward, without padding.

  limit  the best matrix products of this machine in each dtype, and its memory, on one thread; measured for a, for b,
         and to find the faster dtype if --dtype is not given
  a      training: examples per second of each learner, against transformers.Trainer (with peft if it has the
         method), Avalanche, and a plain loop
  b      evaluation of all past tasks: every cell, or with certificates, against Avalanche
  c      a whole stream of tasks, five learners, against Avalanche
  d      a study of orders on one store, against Avalanche
  e      cold start: help, and a first step
  f      stored bytes per task, and the time to read them
  g      test scores after equal training, over seeds: ours in both dtypes, and Trainer's
  h      answers for many tasks: one encoder with all Deltas, against a model per task
  i      many tasks one by one, and in packs: fits and evaluations of a suite

    python scripts/bench.py
    python scripts/bench.py --quick --only limit,a,e
    python scripts/bench.py --backbone minilm --source folder:DATA --only limit,a,b --examples 64 --repetitions 2
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from benchmark import answers, equality, limit, packs, reevaluation, start, storage, streams, training
from benchmark.machine import machine
from benchmark.measurement import HEAD, Measurement, as_entry, as_rows
from benchmark.methods import LEARNERS
from benchmark.process import ContenderFailed, Processes
from benchmark.sizes import FULL, QUICK, Sizes
from benchmark.work import Part, Work, check_backbone
from experiments import study
from rich.console import Console

from stream.execution.cores import cores
from stream.execution.numerics import numerics
from stream.results.document import environment
from stream.storage.files import usable_folder
from tasks import unknown_name

PARTS: Mapping[str, Part] = {
    "limit": limit.measure,
    "a": training.measure,
    "b": reevaluation.measure,
    "c": streams.whole,
    "d": streams.orders,
    "e": start.measure,
    "f": storage.measure,
    "g": equality.measure,
    "h": answers.measure,
    "i": packs.measure,
}
LIMITED = frozenset({"limit", "a", "b"})  # parts whose table needs the limit


def bench(
    only: str = "", *, sizes: Sizes, backbone: str, source: str, dtype: str | None, learners: str, out: Path,
    console: Console,
) -> dict[str, Any]:  # fmt: skip
    """Run parts of the benchmark, print the table, and write OUT/bench.json.

    Args:
        only: Comma list of parts. Default: all.
        dtype: Dtype of taskstream; None takes the one with the faster products in the backbone's shapes.
        learners: Comma list of learners; None takes those of `sizes`.

    Returns:
        The document in OUT/bench.json.

    Raises:
        InputError: A part or learner is unknown, or not all contenders can load the backbone.
        ContenderFailed: A contender failed.
    """
    chosen = [*filter(None, only.split(","))] or [*PARTS]
    for name in chosen:
        if name not in PARTS:
            raise unknown_name("part", name, PARTS, where="--only")
    for name in (named := learners.split(",") if learners else sizes.learners):
        if name not in LEARNERS:
            raise unknown_name("learner of the bench", name, LEARNERS, where="--learners")
    if learners:
        sizes = replace(sizes, scored_learners=tuple(named))
    folder = check_backbone(backbone)
    usable_folder(out, f"--out {out}")
    begun, load = time.perf_counter(), os.getloadavg()
    found: list[Measurement] = []
    with Processes(out) as processes:
        work = Work(backbone, folder, source, dtype or "float32", tuple(named), sizes, out, processes, console)
        seconds: dict[str, float] = {}
        if dtype is None or LIMITED.intersection(chosen):
            work.tell("limit: matrix products")
            found += limit.measure(work)
            work.dtype = dtype or faster(found)
            seconds["limit"] = time.perf_counter() - begun
        for name in (name for name in chosen if name != "limit"):
            since = time.perf_counter()
            found += PARTS[name](work)
            seconds[name] = time.perf_counter() - since
    title = f"{backbone}, {source}, ours in {work.dtype}, batches of {sizes.batch_size}, {machine()}"
    study.show(console, title, HEAD, as_rows(found), left=(0, 1, 2, 7))
    document = {
        "settings": {"backbone": backbone, "source": source, "dtype": work.dtype, "parts": chosen},
        "sizes": asdict(sizes),
        "machine": {
            "processor": machine(),
            "cores": cores(),
            "load_before": load,
            "load_after": os.getloadavg(),
        },
        "environment": environment(numerics(work.dtype)),
        "seconds": seconds,
        "peak_flops": work.peak,
        "measurements": [as_entry(each, found) for each in found],
    }
    study.save(out / "bench.json", document, None, console)
    return document


def faster(found: list[Measurement]) -> str:
    """The dtype in which the products of the backbone's shapes take less time in total."""
    seconds = dict.fromkeys(limit.DTYPES, 0.0)
    for each in found:
        if each.unit == "GFLOP/s" and not each.case.startswith("square"):
            rows, inner, columns = map(int, each.case.rpartition(" ")[2].split("x"))
            seconds[each.contender] += rows * inner * columns / each.median
    return min(seconds, key=lambda dtype: seconds[dtype])


def main(
    only: Annotated[str, typer.Option(help="Comma list of parts out of limit,a,b,c,d,e,f,g,h,i. Default: all.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Smaller sizes: about three minutes.")] = False,
    backbone: Annotated[str, typer.Option(help="embedded, minilm, or the folder of a BERT.")] = "embedded",
    source: study.Source = "simulated",
    dtype: Annotated[str | None, typer.Option(help="Dtype of ours. Default: the faster. Others: float32.")] = None,
    learners: Annotated[str | None, typer.Option(help=f"For parts a, f and g: {','.join(LEARNERS)}.")] = None,
    examples: Annotated[int | None, typer.Option(min=1, help="Training examples of part a. Default: 128.")] = None,
    repetitions: Annotated[int | None, typer.Option(min=1, help="Repetitions of limit, a, b. Default: 3.")] = None,
    out: study.Out = Path("runs/bench"),
) -> None:
    named = {name: value for name, value in (("examples", examples), ("repetitions", repetitions)) if value}
    sizes = replace(QUICK if quick else FULL, **named)
    console = study.open_console()
    given: dict[str, Any] = {"backbone": backbone, "source": source, "dtype": dtype, "learners": learners, "out": out}
    try:
        bench(only, sizes=sizes, console=console, **given)
    except ContenderFailed as failure:
        print(f"error: {failure}", file=sys.stderr)
        raise typer.Exit(1) from failure


if __name__ == "__main__":
    study.command(main, __doc__)
