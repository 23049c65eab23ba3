"""Examples a second of each learner: one by one, in packs, and by transformers.Trainer on the same device."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from benchmark.devices.case import MINILM, Case, Found, timed
from benchmark.methods import model_of
from benchmark.packs import fit_all
from benchmark.rows import classes
from benchmark.trainer import trainer_of
from learners.backbones.backbone import Backbone
from learners.specification.family import parse_learner
from learners.specification.packable import why_unpacked
from tasks.encoded import EncodedTask

LEARNERS = ("full", "adapter:64", "adapterbias", "layernorm", "lora:8", "prefix:16")
SLOTS = (1, 4, 8, 16, 26)
BATCH = 16


def measure(case: Case) -> Iterator[Found]:
    """26 tasks of 64 rows, an epoch each, on the embedded encoder and on one in the shape of MiniLM.

    The first call of each kind is not timed: it loads kernels.
    """
    tasks = case.tasks(4 if case.quick else 26, 32 if case.quick else 64)
    encoders = {"embedded": case.embedded}
    if not case.quick:
        encoders["MiniLM-shaped"] = case.shaped(MINILM)
    examples = sum(len(each.train) for each in tasks)
    for name, base in encoders.items():
        for learner in LEARNERS[1:3] if case.quick else LEARNERS:
            parsed = parse_learner(learner, {"epochs": 1, "batch_size": BATCH})
            alone = None
            for slots in (1, 4) if case.quick else SLOTS:
                if slots > 1 and why_unpacked(parsed, base.architecture):
                    break
                fit_all(base, parsed, tasks[:slots], slots)
                rate = examples / timed(case.device, fit_all, base, parsed, tasks, slots)[0]
                alone = alone or rate
                case_name = f"{name}, {learner}, " + ("one by one" if slots == 1 else f"packs of {slots}")
                yield Found(case_name, rate, "examples/s", f"{rate / alone:.2f}x")
            if learner in ("full", "lora:8") and alone:
                rate = _trainer(case, base, learner, tasks[0])
                yield Found(f"{name}, {learner}, Trainer", rate, "examples/s", f"ours, one by one: {alone / rate:.2f}x")


def _trainer(case: Case, base: Backbone, learner: str, task: EncodedTask) -> float:
    """Examples a second of Trainer, with peft for LoRA; some epochs, because it takes time to begin."""
    epochs = 1 if case.quick else 8
    with tempfile.TemporaryDirectory() as out:
        model = model_of(str(base.folder), learner, classes(task.task), library=True)
        trainer = trainer_of(
            model, str(base.folder), task, out, epochs, BATCH, 1e-4, cpu=case.device == "cpu",
            bf16=case.dtype == "bfloat16",
        )  # fmt: skip
        return epochs * len(task.train) / timed(case.device, trainer.train)[0]
