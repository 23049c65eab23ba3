"""Settings of the whole suite: offline, one thread, no deadline on properties, caches in a scratch folder."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ["HF_HUB_OFFLINE"] = "1"  # before any import of the hub client, which reads it once
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["WANDB_MODE"] = "disabled"

import pytest
from hypothesis import HealthCheck, settings

from tests import warm
from tests.worlds import save_backbone, save_task

pytest_plugins = ["tests.slowest"]

# A first example that imports torch takes seconds: time is no property of the code under test.
# Where CI is set, examples follow from the code alone: a change is judged by what it changed, and new examples are
# looked for in every other run. A long search is `pytest --hypothesis-profile thorough`.
settings.register_profile(
    "suite",
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_configure() -> None:
    """By default a tenth of the suite goes into collections that look through the objects of all libraries."""
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(autouse=True, scope="session")
def scratch_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Encoded tasks of tests go to a scratch folder, never to the user's cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv("TASKSTREAM_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    warm.stop()
    patch.undo()


@pytest.fixture
def warm_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers of runs of this process begin with the libraries loaded."""
    from stream.execution import workers

    monkeypatch.setattr(workers, "_process", warm.worker)


class ByShape(dict[Any, Any]):
    """Counts of FLOPs by what they depend on: each run loads a backbone of its own, of the same shape."""

    def setdefault(self, backbone: Any, default: Any = None) -> Any:
        return super().setdefault((backbone.architecture, backbone.pooling, backbone.dtype), default)


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of a random BERT with pooler: d = 16, L = 2, d_ff = 32. Runs on it count FLOPs once a session."""
    from learners.forward import flops

    with patch.object(flops, "_COUNTED", ByShape()):
        yield save_backbone(tmp_path_factory.mktemp("backbone") / "tiny-bert")


@pytest.fixture(scope="session")
def tiny_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of four small tasks: two and three classes, a pair, a regression; two of them named as in the table."""
    folder = tmp_path_factory.mktemp("tasks")
    save_task(folder, "sms_spam", classes=2)
    save_task(folder, "colours", classes=3)
    save_task(folder, "rte", classes=2, kind="pair")
    save_task(folder, "stsb", classes=4, kind="regression")
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real tasks: $TASKSTREAM_DATA, or shared/data beside the repository."""
    folder = Path(os.environ.get("TASKSTREAM_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not (folder / "cola").is_dir():
        pytest.skip("the real data of the 26 tasks is not here; set TASKSTREAM_DATA to its folder")
    return folder
