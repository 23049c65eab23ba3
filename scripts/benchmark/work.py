"""State that all parts share: settings, encoded data, the contenders' processes, the machine's limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from benchmark.measurement import Measurement
from benchmark.process import Processes
from benchmark.sizes import Sizes
from learners.backbones.backbone import load_backbone
from stream.config.settings import RunConfig
from stream.engine.context import prepare


@dataclass(eq=False)
class Work:
    """A running benchmark.

    Attributes:
        folder: Model folder of the backbone, for the other libraries.
        dtype: Dtype of ours; the others run in float32.
        learners: Learners of parts a and f.
        out: Folder of logs, runs and results.
        peak: Best FLOP/s of matrix products by dtype, from part `limit`.
    """

    backbone: str
    folder: Path
    source: str
    dtype: str
    learners: tuple[str, ...]
    sizes: Sizes
    out: Path
    processes: Processes
    console: Console
    peak: dict[str, float] = field(default_factory=dict)

    def config(self, suite: str, train: int, test: int, **more: Any) -> RunConfig:
        """Settings of a run with the benchmark's backbone and source.

        Args:
            train, test: Training examples, and test examples, per task.
        """
        return RunConfig(
            suite=suite,
            source=self.source,
            backbone=self.backbone,
            train_examples=train,
            test_examples=test,
            batch_size=self.sizes.batch_size,
            max_length=self.sizes.max_length,
            **more,
        )

    def encoded(self, suite: str, train: int, test: int) -> Mapping[str, str]:
        """Folders of the encoded tasks, by task. Encodes them now if needed, so that no timed part does it."""
        prepared = prepare(self.config(suite, train, test, learners="head"))
        return {name: str(prepared.data[name].path) for name in prepared.stream.order}

    def tell(self, text: str) -> None:
        self.console.print(text, style="dim", markup=False)


class Part(Protocol):
    """A part of the benchmark; `PARTS` in `bench.py` has their letters."""

    def __call__(self, work: Work) -> Iterator[Measurement]: ...


def check_backbone(name: str) -> Path:
    """Model folder of a backbone that all contenders can load.

    Raises:
        InputError: There is no such backbone, or it is not a BERT: the other contenders use BERT's module names.
    """
    backbone = load_backbone(name)
    if backbone.architecture.model_type != "bert":
        from tasks.errors import InputError

        found = backbone.architecture.model_type
        raise InputError("no backbone for this benchmark", where=f"--backbone {name}", expected="a BERT", found=found)
    return backbone.folder
