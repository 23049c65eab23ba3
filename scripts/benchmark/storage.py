"""(f) Stored bytes per task, and the time to read them again."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import TemporaryDirectory

from benchmark.contenders import avalanche, ours, plain, trainer
from benchmark.measurement import Measurement
from benchmark.work import Work

LOADS = 5  # reads per repetition; their median counts
PEFT = ("layernorm", "lora")  # learners that peft has


def measure(work: Work) -> Iterator[Measurement]:
    """Measure part f. Ours checks the content of the file that it reads; the others do not."""
    sizes = work.sizes
    data = work.encoded(sizes.task, sizes.examples, sizes.test_examples)[sizes.task]
    for learner in work.learners:
        work.tell(f"f: {learner}")
        who = [
            ours("Delta", "store", "float32"),
            plain("storage_peers:state_dict", "state_dict"),
            avalanche("storage_peers:checkpoint", "Avalanche checkpoint"),
        ]
        if learner.partition(":")[0] in PEFT:
            who.insert(1, trainer("storage_peers:peft_files", "peft adapter"))
        with TemporaryDirectory() as folder:
            settings = {"backbone": work.backbone, "folder_of": str(work.folder), "data": data, "learner": learner,
                        "folder": folder, "loads": LOADS}  # fmt: skip
            answers = work.processes.alternate(who, settings, sizes.repetitions, {})
        for unit, scale in (("kB", 1e-3), ("ms", 1e3)):
            key = {"kB": "bytes", "ms": "seconds"}[unit]
            for contender in who:
                values = tuple(scale * answer[key] for answer in answers[contender.name])
                yield Measurement("f", learner, contender.name, unit, values)
