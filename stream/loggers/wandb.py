"""Weights & Biases, offline: `wandb sync OUT/wandb/offline-run-*` uploads, if you like; a run for each learner."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.loggers.figures import AXES, Reading
from stream.loggers.log import About
from tasks.content import content_id

# Nothing printed, no watching of the machine, no copy of the code.
QUIET = {
    "console": "off",
    "silent": True,
    "disable_git": True,
    "disable_code": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}


def open_writer(folder: Path, about: About) -> WandbWriter:
    return WandbWriter(folder, about)


class WandbWriter:
    """An offline run; those of several calls have one id, by which the upload joins them."""

    def __init__(self, folder: Path, about: About) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nothing leaves this machine
        wandb: Any = importlib.import_module("wandb")
        self.run = wandb.init(
            mode="offline",
            dir=str(folder.parent),  # it makes the folder `wandb` itself
            project="taskstream",
            group=about.run,
            name=about.learner,
            id=content_id("wandb", about.log, about.learner)[:16],
            config=dict(about.settings),
            reinit="create_new",  # beside the other learners', and any that the caller has
            settings=wandb.Settings(**QUIET),
        )
        self.run.define_metric("*", step_metric="arrival")
        for name, axis in AXES.items():
            self.run.define_metric(f"{name}/*", step_metric=axis)

    def write(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            self.run.log({reading.axis: reading.at, **reading.values})

    def close(self, summary: Mapping[str, float] | None) -> None:
        self.run.summary.update(dict(summary or {}))
        self.run.finish(exit_code=int(summary is None))
