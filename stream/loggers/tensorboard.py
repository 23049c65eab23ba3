"""TensorBoard, one run per learner, hyperparameters in the HPARAMS tab.

To look at it: `tensorboard --logdir OUT/tensorboard`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.loggers.log import About
from stream.loggers.readings import Reading
from stream.storage.learner_folder import renamed_folder

COMPARED = ("average_accuracy", "forgetting_chaudhry", "growth")  # columns beside the hyperparameters


def open_writer(folder: Path, about: About) -> TensorBoardWriter:
    """Opens the learner's run in `folder`."""
    return TensorBoardWriter(renamed_folder(folder, about.learner), about.settings)


class TensorBoardWriter:
    """Writes an event file with `SummaryWriter` of PyTorch. Each call has its own file; TensorBoard joins them."""

    def __init__(self, folder: Path, settings: Mapping[str, bool | int | float | str]) -> None:
        tensorboard: Any = importlib.import_module("torch.utils.tensorboard")
        hparams: Any = importlib.import_module("torch.utils.tensorboard.summary").hparams
        self.writer = tensorboard.SummaryWriter(str(folder))
        experiment, start, self.end = hparams(dict(settings), dict.fromkeys(COMPARED, 0.0))
        for summary in (experiment, start):
            self.writer.file_writer.add_summary(summary)

    def write(self, readings: Sequence[Reading]) -> None:
        for reading in readings:
            for name, value in reading.values.items():
                self.writer.add_scalar(name, value, reading.at)
        self.writer.flush()

    def close(self, summary: Mapping[str, float] | None) -> None:
        if summary is not None:
            self.writer.file_writer.add_summary(self.end)
        self.writer.close()
