"""(a) Training throughput of each learner, in examples per second, on one thread. Loading the model is not timed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmark.contenders import avalanche, ours, plain, trainer
from benchmark.measurement import Measurement
from benchmark.process import Contender
from benchmark.work import Work


def contenders(dtype: str) -> list[Contender]:
    """Ours in the given dtype and in float32, and three others in float32, each in its own process."""
    return [
        *(ours(each, "train", each) for each in dict.fromkeys((dtype, "float32"))),
        trainer("trainer:train"),
        avalanche("avalanche_strategy:train"),
        plain("plain_loop:train"),
    ]


def measure(work: Work) -> Iterator[Measurement]:
    """Measure part a. Rows, steps and batch size are equal. Sorting rows by length and storing the outputs of frozen
    layers are allowed, and make a contender faster."""
    sizes = work.sizes
    data = work.encoded(sizes.task, sizes.examples, sizes.test_examples)[sizes.task]
    common = {"backbone": work.backbone, "folder": str(work.folder), "data": data, "batch_size": sizes.batch_size}
    for learner in work.learners:
        work.tell(f"a: {learner}")
        settings = {**common, "learner": learner, "examples": sizes.examples, "epochs": sizes.epochs}
        warm = {"examples": 2 * sizes.batch_size}
        who = contenders(work.dtype)
        answers = work.processes.alternate(who, settings, sizes.repetitions, warm)
        needed = answers[who[0].name][0]["needed"]
        for contender in who:
            found = answers[contender.name]
            rates = tuple(answer["examples"] / answer["seconds"] for answer in found)
            one = Measurement("a", learner, contender.name, "examples/s", rates, more=True)
            peak = work.peak[contender.settings.get("dtype", "float32")]
            yield replace(one, share=one.median * needed / found[0]["examples"] / peak)
