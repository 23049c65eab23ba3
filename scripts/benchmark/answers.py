"""(h) Answers for many tasks: one encoder with all Deltas, against a model for each task."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.measurement import Measurement
from benchmark.process import Contender
from benchmark.work import Work
from stream import run
from stream.execution.memory import resident_memory
from stream.execution.workers import MEMORY
from stream.hub import SharedModel, load_model, load_models
from stream.hub.folder import share
from stream.hub.models import Row

LEARNER = "adapter:16"
ASKED = 256  # rows of each measurement, of tasks drawn at random
TOGETHER = (1, 32)  # rows that arrive together
WORDS = ("the", "book", "that", "she", "read", "in", "old", "town", "was", "new", "and", "they", "said", "company")
ONE, EACH = (
    Contender(f"taskstream {name}", f"answers {name}", f"benchmark.answers:{function}", {}, MEMORY)
    for name, function in (("one encoder", "one_encoder"), ("a model per task", "model_per_task"))
)


def measure(work: Work) -> Iterator[Measurement]:
    """Measure part h. The Deltas come from a stream with 0 epochs: trained or not, answers cost the same."""
    sizes, folder = work.sizes, work.out / "answers"
    tasks = sizes.served
    work.tell(f"h: {tasks} untrained tasks")
    shutil.rmtree(folder, ignore_errors=True)
    config = work.config(f"simulated:{tasks}", 1, 1, learners=LEARNER, epochs=0, evaluate="audited", workers=1)
    settings = {**config.model_dump(exclude={"out", "store"}), "source": "simulated"}
    run(**settings, out=folder / "run")
    share(folder / "run", folder / "shared", None, None, None, lambda text: None)
    given = {"folder": str(folder / "shared" / "models"), "backbone": work.backbone}
    fewer = max(1, tasks // 10)  # with all, the models of each task would need gigabytes
    answers = [
        (who, [work.processes.ask(who, {**given, "tasks": count}) for _ in range(sizes.repetitions)])
        for who, count in ((ONE, tasks), (EACH, fewer))
    ]
    for key, unit in (("load", "s"), ("memory", "MB")):
        for who, found in answers:
            times, note = (1.0, "") if who is ONE else (tasks / fewer, f"extrapolated from {fewer} tasks")
            values = tuple(times * each[key] for each in found[: 1 if key == "memory" else None])
            yield Measurement("h", f"{tasks} tasks, {LEARNER}, {key}", who.name, unit, values, note=note)
    for count in TOGETHER:
        for who, found in answers:
            case = f"{tasks} tasks, {count} row{'s' * (count > 1)} together"
            yield Measurement("h", case, who.name, "rows/s", tuple(each[str(count)] for each in found), more=True)
    shutil.rmtree(folder)


def one_encoder(folder: str, backbone: str, tasks: int, **_: Any) -> dict[str, float]:
    """All Deltas on one encoder."""
    before, started = resident_memory(), time.perf_counter()
    models = load_models(folder, backbone=backbone)
    loaded = {"load": time.perf_counter() - started, "memory": (resident_memory() - before) / 1e6}
    return loaded | _asked(models.models, models.answers)


def model_per_task(folder: str, backbone: str, tasks: int, **_: Any) -> dict[str, float]:
    """A model with an encoder of its own for each of the first tasks."""
    before, started = resident_memory(), time.perf_counter()
    places = sorted(path.parent for path in Path(folder).rglob("delta.safetensors"))[:tasks]
    models = {(model := load_model(place, backbone)).record.task.name: model for place in places}
    loaded = {"load": time.perf_counter() - started, "memory": (resident_memory() - before) / 1e6}

    def answers(rows: Sequence[Row]) -> list[Any]:
        return [models[task].answers(*_columns(text)) for task, text in rows]

    return loaded | _asked(models, answers)


def _asked(models: Mapping[str, SharedModel], answers: Callable[[Sequence[Row]], object]) -> dict[str, float]:
    """Rows a second, by the number of rows that arrive together."""
    rows = mixed_rows(models, ASKED)
    found = {}
    answers(rows[: max(TOGETHER)])  # compiled code and caches
    for count in TOGETHER:
        started = time.process_time()
        for begin in range(0, ASKED, count):
            answers(rows[begin : begin + count])
        found[str(count)] = ASKED / (time.process_time() - started)
    return found


def mixed_rows(models: Mapping[str, SharedModel], count: int) -> list[Row]:
    """Rows of tasks drawn at random, with 5 to 25 words a text."""
    chance = random.Random(0)

    def text() -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(5, 25)))

    return [
        (task, (text(), text()) if models[task].record.task.kind == "pair" else text())
        for task in chance.choices(sorted(models), k=count)
    ]


def _columns(text: str | tuple[str, str]) -> tuple[list[str], list[str] | None]:
    return ([text], None) if isinstance(text, str) else ([text[0]], [text[1]])
