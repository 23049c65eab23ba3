"""(b) Evaluation of all past tasks after an arrival: every cell, or with certificates; against Avalanche's loop."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

from benchmark.contenders import avalanche, ours
from benchmark.measurement import Measurement
from benchmark.work import Work
from stream import run

LEARNER = "adapter"


def measure(work: Work) -> Iterator[Measurement]:
    """Measure part b. The Deltas come from a stream with 0 epochs: trained or not, evaluation costs the same."""
    sizes, folder = work.sizes, work.out / "reevaluation"
    suite = f"simulated:{max(sizes.counts)}" if work.source.startswith("simulated") else "all"
    work.tell(f"b: a stream of untrained tasks, {suite}")
    data = [*work.encoded(suite, 1, sizes.test_examples).values()]
    shutil.rmtree(folder, ignore_errors=True)
    config = work.config(
        suite, 1, sizes.test_examples, learners=LEARNER, epochs=0, dtype=work.dtype, evaluate="audited", workers=1
    )
    run(**config.model_dump(exclude={"out", "store"}), out=folder)
    settings = {"run_folder": str(folder), "folder": str(work.folder), "data": data, "learner": LEARNER,
                "test_examples": sizes.test_examples}  # fmt: skip
    who = [
        *(ours(mode, "evaluate", work.dtype, mode=mode) for mode in ("full", "audited")),
        avalanche("avalanche_strategy:evaluate"),
    ]
    for count in (count for count in sizes.counts if count <= len(data)):
        work.tell(f"b: {count} past tasks")
        answers = work.processes.alternate(who, {**settings, "count": count}, sizes.repetitions, {})
        needed = answers[who[0].name][0]["needed"]
        for contender in who:
            seconds = tuple(answer["seconds"] for answer in answers[contender.name])
            one = Measurement("b", f"{LEARNER}, {count} tasks", contender.name, "s", seconds)
            if contender.settings.get("mode") == "audited":
                yield replace(one, note=f"{answers[contender.name][0]['cells']} cells run")
            else:
                dtype = "float32" if contender.process == "Avalanche" else work.dtype
                yield replace(one, share=needed / one.median / work.peak[dtype])
    shutil.rmtree(folder)
