"""What a graphics card gives: determinism, packs, and speed, in one table and one JSON file.

  tests        the tests marked `device`
  repeat       the same fit twice, and a fit in a pack beside others and alone: equal bit for bit
  peak         the best bfloat16 products of the device
  training     examples a second of each learner, one by one and in packs, against transformers.Trainer on the device
  full         full fine-tuning of an encoder in the shape of BERT-base: share of the peak
  answers      rows a second of mixed tasks
  stream       a stream of 26 tasks with seven learners, from the command

It needs nothing but this repository: the embedded encoder, simulated tasks, and encoders with random weights. It writes
after each part, and begins none after `--minutes`.

    python scripts/bench_device.py --minutes 8 --out runs/device
    python scripts/bench_device.py --device cpu --quick --only repeat,training     # tries it without a card
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from benchmark.devices import answers, full, peak, repeat, stream, tests, training
from benchmark.devices.case import Case, Part
from experiments import study
from rich.console import Console

from learners.device import device_named, prepare
from stream.execution.numerics import numerics
from stream.results.document import environment
from stream.storage.files import usable_folder
from tasks import InputError, unknown_name

PARTS: Mapping[str, Part] = {
    "tests": tests.measure,
    "repeat": repeat.measure,
    "peak": peak.measure,
    "training": training.measure,
    "full": full.measure,
    "answers": answers.measure,
    "stream": stream.measure,
}


def main(
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    minutes: Annotated[float, typer.Option(min=0.1, help="No part begins after this time.")] = 8.0,
    only: Annotated[str, typer.Option(help=f"Comma list of parts out of {','.join(PARTS)}. Default: all.")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, to try the script.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("runs/device"),
) -> None:
    """Measure what a graphics card gives."""
    console, begun = Console(), time.perf_counter()
    chosen = [*filter(None, only.split(","))] or [*PARTS]
    try:
        for name in chosen:
            if name not in PARTS:
                raise unknown_name("part", name, PARTS, where="--only")
        place = device_named(device)
        usable_folder(out, f"--out {out}")
    except InputError as error:
        console.print(f"error: {error}", style="bold red", markup=False)
        raise SystemExit(2) from None
    prepare(place)
    case = Case(place, quick, out)
    document = {"device": place, "environment": environment(numerics(case.dtype, place)), "parts": {}, "seconds": {}}
    rows: list[tuple[str, ...]] = []
    for name in chosen:
        since = time.perf_counter()
        if since - begun > 60 * minutes:
            console.print(f"{name}: not begun, {minutes:g} minutes are over", style="yellow")
            continue
        console.print(f"{name} ...", style="dim")
        try:
            found = [*PARTS[name](case)]
        except Exception as error:  # a part that fails must not take the others with it: time on a card is short
            console.print_exception()
            document["parts"][name] = {"error": f"{type(error).__name__}: {error}"}
        else:
            document["parts"][name] = [each._asdict() for each in found]
            rows += [(name, each.case, each.text, each.note) for each in found]
        document["seconds"][name] = time.perf_counter() - since
        (out / "device.json").write_text(json.dumps(document, indent=1))
    study.show(console, f"{place}, {case.dtype}", ("part", "case", "found", ""), rows, left=(0, 1, 3))
    console.print(f"numbers: {out / 'device.json'}")


if __name__ == "__main__":
    typer.run(main)
