"""MLflow: `mlflow ui --backend-store-uri sqlite:///OUT/mlflow/mlflow.db`, a run for each learner."""

from __future__ import annotations

import importlib
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.loggers.figures import Reading
from stream.loggers.log import About

EXPERIMENT = "taskstream"
BATCH = 1000  # numbers that MLflow takes at a time


def open_writer(folder: Path, about: About) -> MlflowWriter:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing leaves this machine
    tracking: Any = importlib.import_module("mlflow.tracking")
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # it tells of every table it makes
    client = tracking.MlflowClient(f"sqlite:///{folder.resolve()}/mlflow.db")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    place = (folder / "artifacts").resolve().as_uri()
    number = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT, artifact_location=place)
    known = (run for run in client.search_runs([number]) if run.info.run_name == about.learner)
    if (run := next(known, None)) is not None:
        client.update_run(run.info.run_id, status="RUNNING")
        return MlflowWriter(client, run.info.run_id)
    run = client.create_run(number, run_name=about.learner, tags={"run": about.run})
    for name, value in about.settings.items():
        client.log_param(run.info.run_id, name, value)
    return MlflowWriter(client, run.info.run_id)


class MlflowWriter:
    """A run in an SQLite database (MLflow no longer takes plain files); one that was written before goes on."""

    def __init__(self, client: Any, run: str) -> None:
        self.client, self.run = client, run
        self.metric: Any = importlib.import_module("mlflow.entities").Metric

    def write(self, readings: Sequence[Reading]) -> None:
        now = int(1000 * time.time())  # milliseconds
        metrics = [
            self.metric(re.sub(r"[^/\w.\- ]", "_", name), value, now, reading.at)  # what it allows in a name
            for reading in readings
            for name, value in reading.values.items()
        ]
        for start in range(0, len(metrics), BATCH):
            self.client.log_batch(self.run, metrics=metrics[start : start + BATCH])

    def close(self, summary: Mapping[str, float] | None) -> None:
        self.client.set_terminated(self.run, "KILLED" if summary is None else "FINISHED")
