"""A stream of 26 tasks with seven learners, from the command."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmark.devices.case import Case, Found, timed
from benchmark.process import ROOT, environment

LEARNERS = "full:isolated,full:sequential,topk:1,layernorm,adapter:64,adapterbias,head"


def measure(case: Case) -> Iterator[Found]:
    """Cold, with the libraries to load; one by one and in packs."""
    suite, rows = ("cola,rte", 32) if case.quick else ("houlsby26", 320)
    for pack in (1, 26):
        folder = case.out / "stream"
        shutil.rmtree(folder, ignore_errors=True)
        settings = {"suite": suite, "learners": LEARNERS, "train-examples": rows, "test-examples": 40,
                    "epochs": 1 if case.quick else 4, "max-length": 64, "evaluate": "audited", "device": case.device,
                    "dtype": case.dtype, "pack": pack, "workers": 1, "out": folder, "display": "none"}  # fmt: skip
        options = [part for name, value in settings.items() for part in (f"--{name}", str(value))]
        seconds, _ = timed("cpu", partial(subprocess.run, check=True, cwd=ROOT, env=environment({})),
                           [sys.executable, "-m", "stream", "run", *options])  # fmt: skip
        yield Found(f"{suite}, seven learners, --pack {pack}", seconds, "s")
    shutil.rmtree(folder)
