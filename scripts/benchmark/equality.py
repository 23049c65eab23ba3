"""(g) Test scores after equal training, over seeds: ours in both dtypes, and Trainer's.

All have the same rows, epochs, batch size, optimiser, peak rate and schedule, a head on the backbone's own pooling, and
use the weights of the last epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmark.contenders import ours, trainer
from benchmark.measurement import Measurement
from benchmark.work import Work
from learners.backbones.backbone import load_backbone
from learners.specification.family import parse_learner
from learners.specification.learner import peak_rate
from stream.results.intervals import interval


def measure(work: Work) -> Iterator[Measurement]:
    """Measure part g. A value is the mean over tasks for one seed. The note is the difference to ours, over both."""
    sizes, base = work.sizes, load_backbone(work.backbone)
    who = [
        *(ours(each, "scored", each) for each in dict.fromkeys((work.dtype, "float32"))),
        trainer("trainer:scored"),
    ]
    data = {
        task: work.encoded(task, sizes.scored_examples, sizes.scored_test_examples)[task] for task in sizes.scored_tasks
    }
    for learner in sizes.scored_learners:
        work.tell(f"g: {learner}")
        rate = peak_rate(parse_learner(learner).training, base.architecture.hidden)
        found: dict[str, list[list[float]]] = {contender.name: [] for contender in who}
        for seed in range(sizes.seeds):
            for contender in who:
                settings = {
                    "backbone": work.backbone, "folder": str(work.folder), "pooling": base.pooling, "learner": learner,
                    "examples": sizes.scored_examples, "test_examples": sizes.scored_test_examples,
                    "epochs": sizes.scored_epochs, "batch_size": sizes.batch_size, "seed": seed, "rate": rate,
                }  # fmt: skip
                answers = [work.processes.ask(contender, {**settings, "data": path}) for path in data.values()]
                found[contender.name].append([answer["score"] for answer in answers])
        first = found[who[0].name]
        for name, scores in found.items():
            values = tuple(100 * sum(of_seed) / len(of_seed) for of_seed in scores)
            one = Measurement("g", f"{learner}, {len(data)} tasks", name, "points", values, more=True)
            apart = [x - y for xs, ys in zip(scores, first, strict=True) for x, y in zip(xs, ys, strict=True)]
            yield one if scores is first else replace(one, note=f"{interval(apart).points(sign=True)} to the first")
