"""What all parts share: settings, the data as encoded for all, the contenders' processes, the machine's limits."""

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
    """A bench under way.

    Attributes:
        folder: Of the backbone's files, for other libraries.
        dtype: That ours runs in; others run in float32.
        learners: Of part a.
        peak: FLOP/s of matrix products by dtype, from part `limit`.
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
        """Settings of a run with the bench's backbone and source."""
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
        """Folders of the encoded tasks, made now if they are not in the cache: no contender is timed doing it."""
        prepared = prepare(self.config(suite, train, test, learners="head"))
        return {name: str(prepared.data[name].path) for name in prepared.stream.order}

    def tell(self, text: str) -> None:
        self.console.print(text, style="dim", markup=False)


class Part(Protocol):
    """One part of the bench, known by a letter."""

    def __call__(self, work: Work) -> Iterator[Measurement]: ...


def check_backbone(name: str) -> Path:
    """The folder of a backbone that all contenders can load.

    Raises:
        InputError: There is none, or it is no BERT: other libraries' learners are set up for BERT's modules.
    """
    backbone = load_backbone(name)
    if backbone.architecture.model_type != "bert":
        from tasks.errors import InputError

        found = backbone.architecture.model_type
        raise InputError("not a backbone for this bench", where=f"--backbone {name}", expected="a BERT", found=found)
    return backbone.folder
