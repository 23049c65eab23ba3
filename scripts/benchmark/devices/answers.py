"""Answers for mixed tasks: rows a second of 200 tasks on one encoder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from benchmark.answers import LEARNER, mixed_rows
from benchmark.devices.case import Case, Found, timed
from stream import run
from stream.hub import load_models
from stream.hub.folder import share


def measure(case: Case) -> Iterator[Found]:
    """The Deltas are untrained: answers cost the same."""
    tasks, asked, folder = (10, 64, case.out / "answers") if case.quick else (200, 4096, case.out / "answers")
    shutil.rmtree(folder, ignore_errors=True)
    run(suite=f"simulated:{tasks}", learners=LEARNER, train_examples=1, test_examples=1, epochs=0, evaluate="audited",
        workers=1, device=case.device, dtype=case.dtype, out=folder / "run", display="none")  # fmt: skip
    share(folder / "run", folder / "shared", None, None, None, lambda text: None)
    models = load_models(folder / "shared", device=case.device)
    rows = mixed_rows(models.models, asked)
    models.logits(rows[:256])
    for together in (1, 32, 256):
        some = rows[: min(asked, 64 * together)]
        parts = [some[begin : begin + together] for begin in range(0, len(some), together)]
        seconds, _ = timed(case.device, lambda some: [models.logits(each) for each in some], parts)
        yield Found(f"{tasks} tasks, {together} together", len(some) / seconds, "rows/s")
    shutil.rmtree(folder)
