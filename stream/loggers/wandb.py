"""Weights & Biases, offline, one run per learner. To upload them: `wandb sync OUT/wandb/offline-run-*`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.loggers.log import About
from stream.loggers.readings import AXES, Reading
from tasks.content import content_id

# Print nothing, do not observe the machine, do not copy the code.
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
    """Opens an offline run of the learner."""
    return WandbWriter(folder, about)


class WandbWriter:
    """Writes an offline run. The runs of several calls have the same id, and the upload joins them by it."""

    def __init__(self, folder: Path, about: About) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # no data may leave this machine
        wandb: Any = importlib.import_module("wandb")
        self.run = wandb.init(
            mode="offline",
            dir=str(folder.parent),  # wandb creates the folder `wandb` in it
            project="taskstream",
            group=about.run,
            name=about.learner,
            id=content_id("wandb", about.log, about.learner)[:16],
            config=dict(about.settings),
            reinit="create_new",  # other learners, and the caller, can have open runs too
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
