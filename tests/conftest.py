"""Settings of the whole test suite: offline, one thread, no deadline for properties, caches in a scratch folder."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before any import of the hub client, which reads it only once
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["WANDB_MODE"] = "disabled"

import pytest
from hypothesis import HealthCheck, settings

from tests import warm
from tests.worlds import save_backbone, save_task

pytest_plugins = ["tests.slowest"]

# No deadline: a first example that imports torch takes seconds, which says nothing about the code under test.
# If CI is set, hypothesis always draws the same examples, so a failure comes from the change. Other runs look for new
# examples. A long search is `pytest --hypothesis-profile thorough`.
settings.register_profile(
    "suite",
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_configure() -> None:
    """Collect garbage less often: with Python's defaults, collections take a tenth of the suite's time."""
    gc.set_threshold(50_000, 20, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a graphics card if there is none."""
    marked = [item for item in items if item.get_closest_marker("device")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="no graphics card: torch.cuda.is_available() is false"))


@pytest.fixture(autouse=True, scope="session")
def scratch_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Write the encoded tasks of tests to a scratch folder, never to the user's cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv("TASKSTREAM_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    warm.stop()
    patch.undo()


@pytest.fixture
def warm_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers of runs in this process start with the libraries loaded."""
    from stream.execution import workers

    monkeypatch.setattr(workers, "_process", warm.worker)


@pytest.fixture(scope="session")
def tiny_backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a BERT with random weights and a pooler: d = 16, L = 2, d_ff = 32."""
    return save_backbone(tmp_path_factory.mktemp("backbone") / "tiny-bert")


@pytest.fixture(scope="session")
def tiny_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of four small tasks: two classes, three classes, pairs, and a regression of pairs.

    All but `colours` have names of real tasks.
    """
    folder = tmp_path_factory.mktemp("tasks")
    save_task(folder, "sms_spam", classes=2)
    save_task(folder, "colours", classes=3)
    save_task(folder, "rte", classes=2, kind="pair")
    save_task(folder, "stsb", classes=4, kind="regression")
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the 26 real tasks: $TASKSTREAM_DATA, or shared/data beside the repository. Skips if there is none."""
    folder = Path(os.environ.get("TASKSTREAM_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not (folder / "cola").is_dir():
        pytest.skip("no data of the 26 real tasks; set TASKSTREAM_DATA to its folder")
    return folder
