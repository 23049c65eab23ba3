"""The plan of one run: its jobs, which of them are done, and the estimated time for the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stream.api.arguments import Call
from stream.api.session import check_no_study
from stream.api.tables import with_tables
from stream.errors import errors_pass
from stream.storage.job import KINDS
from tasks.errors import InputError

if TYPE_CHECKING:  # importing these takes seconds
    from stream.engine.context import RunContext
    from stream.engine.outlook import Outlook
    from stream.engine.preview import Preview, Share


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes:
        suite, source, seed, evaluate: As in the settings.
        backbone: Its name, content id and number of parameters.
        order: Names of the tasks in order of arrival.
        out, store: Folders of the run and of its store.
        learners: What each learner has to do, by specification.
        workers: Number of processes that the run would use.
        rate: FLOPs per second, measured on all finished fits in the store on this backbone. None if there are none.
        seconds: Estimated time of the jobs that are left, from finished ones. None if there are none.
        guess: What a new run will do, with a guess of its time before any job is finished. None if the run has begun.
        notes: Texts that a reader should know before the run.
    """

    suite: str
    source: str
    backbone: Mapping[str, str | int]
    order: tuple[str, ...]
    seed: int
    evaluate: str
    out: str
    store: str
    learners: Mapping[str, Share]
    workers: int
    rate: float | None
    seconds: float | None
    guess: Outlook | None
    notes: tuple[str, ...]

    @property
    def jobs(self) -> int:
        """Number of jobs of the whole run: fits, evaluations of one row of R, and audits."""
        return sum(sum(share.jobs.values()) for share in self.learners.values())

    @property
    def jobs_left(self) -> int:
        """Number of jobs that are left. Jobs in the run's ledger and fits in the store are done."""
        return self.jobs - sum(sum(share.done.values()) + share.free for share in self.learners.values())

    def as_dict(self) -> dict[str, Any]:
        """The document of `taskstream plan --display json`."""
        shares = self.learners
        return {
            "suite": self.suite,
            "source": self.source,
            "backbone": dict(self.backbone),
            "order": list(self.order),
            "seed": self.seed,
            "evaluate": self.evaluate,
            "out": self.out,
            "store": self.store,
            "workers": self.workers,
            "jobs": {
                kind: {
                    "all": sum(share.jobs[kind] for share in shares.values()),
                    "done": sum(share.done[kind] for share in shares.values()),
                    "in_store": sum(share.stored for share in shares.values()) if kind == "fit" else 0,
                }
                for kind in KINDS
                if kind != "search" or any(share.jobs[kind] for share in shares.values())
            },
            "jobs_left": self.jobs_left,
            "cells": dict(sum((share.cells for share in shares.values()), Counter())),
            "cells_left": sum(share.left for share in shares.values()),
            "learners": {name: _share(share) for name, share in shares.items()},
            "flops_per_second": self.rate,
            "seconds": self.seconds,
            "guess": self.guess.time if self.guess is not None else "",
            "notes": list(self.notes),
        }


def preview(
    call: Call, progress: Callable[[str], None] = lambda text: None, announce: Callable[[str], None] = lambda text: None
) -> Plan:
    """The plan of a call that is read already.

    Args:
        announce: Function that is called at once with what a new run would do and about how long it would take.
        progress: Function that is called with what is being done, a text, because some steps take seconds.

    Raises:
        InputError: Input that `run` would reject too.
        RunFailed: A file is not readable.
    """
    from stream.engine.context import machine_notes, prepare
    from stream.engine.engine import disk_errors, workers_of
    from stream.engine.header import check_same_inputs, check_settings
    from stream.engine.outlook import outlook
    from stream.engine.preview import preview
    from stream.engine.protocol_cost import protocol_cost
    from stream.engine.resolve import resolve
    from stream.plugins.load import load_plugins
    from stream.storage.events import read_events
    from stream.storage.ledger import read_ledger

    check_no_study(call.config)
    call = with_tables(call)
    config = call.config
    notes: list[str] = []
    try:
        check_settings(config)
    except InputError:
        if call.origins.get("out") != "default":
            raise
        notes.append(f"{config.out} holds another run: this is the plan of a new one, for which `run` needs --out")
        config = config.model_copy(update={"out": free_folder(config.out)})
    with (
        errors_pass(progress) as told,
        errors_pass(announce) as announced,
        disk_errors(),
        load_plugins(config.plugins).in_use(),
    ):
        for line in protocol_cost(config).lines if config.protocol else ():
            announced(line)
        named = resolve(config)
        guess = None
        if not (config.out_folder / "ledger.jsonl").exists():
            guess = outlook(config, named, workers_of(config, named))
            announced(guess.text)
        prepared = prepare(config, told, call.backbone, named)
        told("looking for what is done")
        events = read_events(read_ledger(config.out_folder / "ledger.jsonl"))
        check_same_inputs(events, prepared, notes.append)
        found = preview(prepared, events)
    told_now = [*machine_notes(config), *prepared.known.notes, *prepared.notes, *prepared.data_notes]
    return plan_of(prepared, found, [*told_now, *notes], guess)


def free_folder(out: str) -> str:
    """The first of OUT-2, OUT-3, ... that does not exist. A plan writes nothing there."""
    return next(path for number in count(2) if not Path(path := f"{out}-{number}").exists())


def plan_of(prepared: RunContext, found: Preview, notes: list[str], guess: Outlook | None) -> Plan:
    """The plan of a run that is prepared."""
    config, backbone = prepared.config, prepared.known
    return Plan(
        suite=prepared.suite,
        source=prepared.source.name,
        backbone={"name": config.backbone, "id": backbone.id, "parameters": backbone.parameters},
        order=prepared.stream.order,
        seed=config.seed,
        evaluate=config.evaluate,
        out=str(config.out_folder),
        store=str(config.store_folder),
        learners=found.shares,
        workers=found.workers,
        rate=found.rate,
        seconds=found.seconds,
        guess=guess,
        notes=tuple(notes),
    )


def _share(share: Share) -> dict[str, Any]:
    return {
        "jobs": {kind: {"all": share.jobs[kind], "done": share.done[kind]} for kind in KINDS},
        "fits": {"all": share.fits, "to_choose": share.to_choose, "done": share.finished},
        "fits_in_store": share.stored,
        "fits_left": share.fits_left,
        "cells": dict(share.cells),
        "cells_left": share.left,
        "flops_left": share.flops,
        "fit_seconds": share.fit_seconds,
        "evaluate_seconds": share.evaluate_seconds,
        "basis": share.basis,
    }
