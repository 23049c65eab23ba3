"""MLflow, one run per learner. To look at it: `mlflow ui --backend-store-uri sqlite:///OUT/mlflow/mlflow.db`."""

from __future__ import annotations

import importlib
import logging
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stream.loggers.log import About
from stream.loggers.readings import Reading

EXPERIMENT = "taskstream"
BATCH = 1000  # MLflow takes at most this many numbers in one call


def open_writer(folder: Path, about: About) -> MlflowWriter:
    """Opens the learner's run in the database in `folder`, or continues it."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # no data may leave this machine
    tracking: Any = importlib.import_module("mlflow.tracking")
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)  # it reports each table that it creates
    client = tracking.MlflowClient(database_url(folder))
    experiment = client.get_experiment_by_name(EXPERIMENT)
    place = (folder / "artifacts").resolve().as_uri()
    number = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT, artifact_location=place)
    earlier = (run for run in client.search_runs([number]) if run.info.run_name == about.learner)
    if (run := next(earlier, None)) is not None:
        client.update_run(run.info.run_id, status="RUNNING")
        return MlflowWriter(client, run.info.run_id)
    run = client.create_run(number, run_name=about.learner, tags={"run": about.run})
    for name, value in about.settings.items():
        client.log_param(run.info.run_id, name, value)
    return MlflowWriter(client, run.info.run_id)


def database_url(folder: Path) -> str:
    """Returns the URL of the database in a folder, whose path may have any characters.

    It names the driver, because MLflow takes the rest of a plain sqlite:/// URL as a path and makes its folders.
    """
    url: Any = importlib.import_module("sqlalchemy").URL  # MLflow needs SQLAlchemy
    made: str = url.create("sqlite+pysqlite", database=str(folder.resolve() / "mlflow.db")).render_as_string()
    return made


class MlflowWriter:
    """Writes to a run in an SQLite database. MLflow no longer supports plain files."""

    def __init__(self, client: Any, run: str) -> None:
        self.client, self.run = client, run
        self.metric: Any = importlib.import_module("mlflow.entities").Metric

    def write(self, readings: Sequence[Reading]) -> None:
        now = int(1000 * time.time())  # milliseconds
        metrics = [
            self.metric(re.sub(r"[^/\w.\- ]", "_", name), value, now, reading.at)  # MLflow allows only these characters
            for reading in readings
            for name, value in reading.values.items()
        ]
        for start in range(0, len(metrics), BATCH):
            self.client.log_batch(self.run, metrics=metrics[start : start + BATCH])

    def close(self, summary: Mapping[str, float] | None) -> None:
        self.client.set_terminated(self.run, "KILLED" if summary is None else "FINISHED")
