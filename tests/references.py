"""Uninterrupted runs of small configurations, made once each, to which others are compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.faults.disk import Disk

from stream import run
from tests.runs import tiny_settings
from tests.worlds import save_task


@dataclass(frozen=True)
class Wanted:
    """What is asked of a run folder."""

    learners: tuple[str, ...]
    order: tuple[str, ...]
    evaluate: str


@dataclass(eq=False)
class References:
    """Three tasks and a backbone; of each configuration asked for, an uninterrupted run and its write points."""

    base: Path
    backbone: Path
    known: dict[Wanted, tuple[Path, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, classes, kind in (("sms_spam", 2, "single"), ("colours", 3, "single"), ("rte", 2, "pair")):
            save_task(self.base / "tasks", name, classes=classes, kind=kind, rows=30)

    def settings(self, wanted: Wanted, out: Path, store: Path) -> dict[str, Any]:
        order = ",".join(wanted.order)
        own = {"learners": ",".join(wanted.learners), "suite": order, "order": order, "evaluate": wanted.evaluate}
        return tiny_settings(self.base / "tasks", self.backbone, out, store=str(store), **own)

    def folder(self, wanted: Wanted) -> Path:
        return self._run(wanted)[0]

    def points(self, wanted: Wanted) -> int:
        return self._run(wanted)[1]

    def _run(self, wanted: Wanted) -> tuple[Path, int]:
        if wanted not in self.known:
            out = self.base / f"reference{len(self.known)}"
            with Disk((out,)) as disk:
                run(**self.settings(wanted, out, out / "store"))
            self.known[wanted] = out, len(disk.points)
        return self.known[wanted]
