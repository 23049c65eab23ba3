"""(e) Cold start: help, a first step, and the imports of the alternatives. Each is a new process; they run in turn."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmark.contenders import OURS, avalanche, plain, trainer
from benchmark.measurement import Measurement
from benchmark.process import ALONE, ContenderFailed, environment
from benchmark.work import Work

COMMAND = [sys.executable, "-P", "-m", "stream.cli.main"]


def measure(work: Work) -> Iterator[Measurement]:
    """Measure part e. Our first step is a whole run of one task and one step, with evaluations and written results."""
    sizes, out = work.sizes, work.out / "start"
    data = work.encoded(sizes.task, sizes.batch_size, sizes.batch_size)[sizes.task]
    given = {"suite": sizes.task, "source": work.source, "backbone": work.backbone, "learners": "head", "epochs": 1,
             "batch-size": sizes.batch_size, "train-examples": sizes.batch_size, "test-examples": sizes.batch_size,
             "max-length": sizes.max_length, "workers": 1, "display": "none", "out": out}  # fmt: skip
    step = [*COMMAND, "run", *(part for name, value in given.items() for part in (f"--{name}", str(value)))]
    commands = {
        ("help", f"{OURS} --help"): [*COMMAND, "--help"],
        ("help", "import torch"): [sys.executable, "-c", "import torch"],
        ("help", "import transformers, avalanche"): [sys.executable, "-c", "import transformers, avalanche"],
        ("first step", f"{OURS} run, to its end"): step,
    }
    settings = {"folder": str(work.folder), "data": data, "learner": "head", "examples": sizes.batch_size, "epochs": 1,
                "batch_size": sizes.batch_size}  # fmt: skip
    others = [trainer("trainer:train"), avalanche("avalanche_strategy:train"), plain("plain_loop:train")]
    found: dict[tuple[str, str], list[float]] = {}
    for number in range(sizes.starts):
        work.tell(f"e: cold starts, {number + 1} of {sizes.starts}")
        for key, command in commands.items():
            shutil.rmtree(out, ignore_errors=True)
            found.setdefault(key, []).append(seconds(command, work.out / "start.log"))
        for contender in others:
            spent = work.processes.fresh(contender, [settings], 1)[0]
            found.setdefault(("first step", contender.name), []).append(spent)
    shutil.rmtree(out, ignore_errors=True)
    for (case, name), values in found.items():
        yield Measurement("e", case, name, "s", tuple(values))


def seconds(command: list[str], log: Path) -> float:
    """Seconds from the start of a command to its end.

    Raises:
        ContenderFailed: The command failed.
    """
    with log.open("a", encoding="utf-8") as errors:
        begun = time.perf_counter()
        code = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=errors, env=environment(ALONE)).returncode
    if code:
        raise ContenderFailed(f"{' '.join(command)}: exit code {code}; see {log}")
    return time.perf_counter() - begun
