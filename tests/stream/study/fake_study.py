"""A made-up study: finished runs of `fake_results` with noise of their own, in folders as `run` writes them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from stream.storage.files import readable_json
from stream.study.document import study_document
from stream.study.members import FILE, Grid
from stream.study.study import finished_members
from tests.report.fake_results import make_results


def save_study(
    out: Path, order: Sequence[str], learners: Sequence[str], seeds: Sequence[int] = (0, 1, 2), orders: int = 1
) -> Path:
    """Save a study whose scores differ from seed to seed by some points. An isolated learner has the same scores in
    every order."""
    grid = Grid(tuple(seeds), ("paper", *(f"seed:{n}" for n in range(1, orders))))
    for member in grid.members:
        tasks = list(order)
        if member.order != "paper":
            random.Random(member.order).shuffle(tasks)
        save_run(out / member.folder, tasks, learners, member.seed)
    finished = finished_members(out, grid.members)
    document = study_document(grid.members, {member: finished[member.folder] for member in grid.members})
    (out / FILE).write_text(readable_json(document) + "\n", encoding="utf-8")
    return out


def save_run(folder: Path, tasks: list[str], learners: Sequence[str], seed: int) -> None:
    """Save results.json of one run."""
    document = make_results(tasks, list(learners))
    document["seed"] = seed
    for name, learner in document["learners"].items():
        for row in learner["R"][1:]:
            for place, score in enumerate(row):
                if score is not None:
                    noise = random.Random(f"{name} {seed} {tasks[place]}").gauss(0, 0.03)
                    row[place] = min(max(score + noise, 0.0), 1.0)
        learner["metrics"]["average_accuracy"] = sum(learner["R"][-1]) / len(tasks)
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(document), encoding="utf-8")
