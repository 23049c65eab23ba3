"""The names of Avalanche 0.6 that our benchmarks use, imported without the warnings of its dependencies."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import warnings

from tasks.home import writable_home

with warnings.catch_warnings(), writable_home():  # Avalanche writes its settings there
    warnings.simplefilter("ignore")  # about missing solvers of quadratic programs; GEM needs one and reports it itself
    from avalanche.benchmarks import CLScenario, benchmark_from_datasets
    from avalanche.benchmarks.scenarios import with_task_labels
    from avalanche.benchmarks.scenarios.supervised import with_classes_timeline
    from avalanche.benchmarks.utils import ConstantSequence, DataAttribute, TaskLabels
    from avalanche.benchmarks.utils.classification_dataset import TaskAwareSupervisedClassificationDataset
    from avalanche.models import MultiTaskModule

__all__ = [
    "CLScenario",
    "ConstantSequence",
    "DataAttribute",
    "MultiTaskModule",
    "TaskAwareSupervisedClassificationDataset",
    "TaskLabels",
    "benchmark_from_datasets",
    "with_classes_timeline",
    "with_task_labels",
]
