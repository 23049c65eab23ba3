"""The plan of a study: the sum over its members, in which a fit that several members share counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stream.api.arguments import Call
from stream.api.preview import Plan, plan_of
from stream.api.study import check_members, check_study
from stream.api.tables import with_tables
from stream.errors import errors_pass
from stream.storage.job import KINDS
from stream.study.members import Grid, member_config

if TYPE_CHECKING:  # importing it takes seconds
    from stream.engine.context import RunContext
    from stream.engine.outlook import Outlook


@dataclass(frozen=True)
class StudyPlan:
    """What a study would do.

    Attributes:
        out, store: Folders of the study and of its store.
        members: The plan of each member, by the name of its folder. A fit that an earlier member will have done is
            `shared` in it.
        flops: FLOPs of all fits and evaluations of the study, done or not, if no fit stops early.
        flops_alone: The same if each member ran alone and measured every cell of R.
        guess: What the first member will do, with a guess of its time. None if the study has begun.
        notes: Texts that a reader should know before the study runs.
    """

    out: str
    store: str
    members: Mapping[str, Plan]
    flops: float
    flops_alone: float
    guess: Outlook | None
    notes: tuple[str, ...]

    @property
    def jobs(self) -> int:
        """Number of jobs of all members."""
        return sum(plan.jobs for plan in self.members.values())

    @property
    def jobs_left(self) -> int:
        """Number of jobs that are left. Fits in the store, and fits that another member does, are not."""
        return sum(plan.jobs_left for plan in self.members.values())

    @property
    def seconds(self) -> float | None:
        """Estimated time of the jobs that are left, member after member; None if one member has no estimate."""
        each = [plan.seconds for plan in self.members.values()]
        return None if None in each else sum(filter(None, each))

    @property
    def guessed(self) -> str:
        """The guessed time of the whole study: that of its first member, times the FLOPs of the fits of all members; ""
        if it cannot be told."""
        if self.guess is None or self.guess.seconds is None:
            return ""
        each = [sum(share.flops for share in plan.learners.values()) for plan in self.members.values()]
        times = sum(each) / each[0] if each[0] else len(each)
        return replace(self.guess, seconds=times * self.guess.seconds).time

    def as_dict(self) -> dict[str, Any]:
        """The document of `taskstream plan --display json`."""
        plans = [*self.members.values()]
        documents = [plan.as_dict() for plan in plans]
        first = documents[0]
        learners = {name: _sum_of(name, plans, documents) for name in first["learners"]}
        shared = sum(learner["fits_shared"] for learner in learners.values())
        return {
            "suite": first["suite"],
            "source": first["source"],
            "backbone": first["backbone"],
            "tasks": len(first["order"]),
            "evaluate": first["evaluate"],
            "out": self.out,
            "store": self.store,
            "workers": max(plan.workers for plan in plans),
            "members": [
                {
                    "folder": folder,
                    "seed": plan.seed,
                    "order": list(plan.order),
                    "jobs": plan.jobs,
                    "jobs_left": plan.jobs_left,
                    "seconds": plan.seconds,
                }
                for folder, plan in self.members.items()
            ],
            "jobs": {
                kind: {
                    **{of: sum(each["jobs"][kind][of] for each in documents) for of in ("all", "done", "in_store")},
                    "shared": shared if kind == "fit" else 0,
                }
                for kind in KINDS
                if all(kind in each["jobs"] for each in documents)
            },
            "jobs_left": self.jobs_left,
            "cells": dict(sum((Counter(each["cells"]) for each in documents), Counter())),
            "cells_left": sum(each["cells_left"] for each in documents),
            "learners": learners,
            "flops": self.flops,
            "flops_alone": self.flops_alone,
            "flops_per_second": first["flops_per_second"],
            "seconds": self.seconds,
            "guess": self.guessed,
            "notes": list(self.notes),
        }


def _sum_of(name: str, plans: list[Plan], documents: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry of a learner, summed over members."""
    entries = [document["learners"][name] for document in documents]

    def total(key: str) -> float | None:
        values = [entry[key] for entry in entries]
        return None if None in values else sum(values)

    return {
        "jobs": {kind: {of: sum(e["jobs"][kind][of] for e in entries) for of in ("all", "done")} for kind in KINDS},
        "fits": {of: sum(e["fits"][of] for e in entries) for of in ("all", "to_choose", "done")},
        "fits_in_store": sum(entry["fits_in_store"] for entry in entries),
        "fits_shared": sum(plan.learners[name].shared for plan in plans),
        "fits_left": sum(entry["fits_left"] for entry in entries),
        "cells": dict(sum((Counter(entry["cells"]) for entry in entries), Counter())),
        "cells_left": sum(entry["cells_left"] for entry in entries),
        "flops_left": sum(entry["flops_left"] for entry in entries),
        "fit_seconds": total("fit_seconds"),
        "evaluate_seconds": total("evaluate_seconds"),
        "basis": next((entry["basis"] for entry in entries if entry["basis"]), None),
    }


def preview_study(
    call: Call,
    grid: Grid,
    progress: Callable[[str], None] = lambda text: None,
    announce: Callable[[str], None] = lambda text: None,
) -> StudyPlan:
    """The plan of a study that is read already. The data are read once for all members.

    Args:
        announce: Function that is called with a text about the first member, if the study has not begun.
        progress: Function that is called with what is being done, a text.

    Raises:
        InputError: Input that `run` would reject too.
        RunFailed: A file is not readable.
    """
    from stream.engine.context import machine_notes, prepare
    from stream.engine.engine import disk_errors, workers_of
    from stream.engine.header import check_same_inputs
    from stream.engine.outlook import outlook
    from stream.engine.preview import preview
    from stream.engine.protocol_cost import protocol_cost
    from stream.engine.resolve import resolve
    from stream.engine.study_flops import study_flops
    from stream.plugins.load import load_plugins
    from stream.storage.events import read_events
    from stream.storage.ledger import read_ledger

    check_study(call, grid)
    call = with_tables(call)
    check_members(call, grid)
    members = grid.members
    plans: dict[str, Plan] = {}
    promised: set[str] = set()
    notes: list[str] = []
    contexts: list[RunContext] = []
    with (
        errors_pass(progress) as told,
        errors_pass(announce) as announced,
        disk_errors(),
        load_plugins(call.config.plugins).in_use(),
    ):
        configs = {member: member_config(call.config, member) for member in members}
        first = configs[members[0]]
        for line in protocol_cost(first, len(grid.seeds)).lines if first.protocol else ():
            announced(line)
        named = resolve(first)
        guess = None
        if not (first.out_folder / "ledger.jsonl").exists():
            guess = replace(outlook(first, named, workers_of(first, named)), out=str(call.config.out_folder))
            announced(f"each of {len(members)} members: {guess.text}")
        prepared = prepare(first, told, call.backbone, named)
        for number, (member, config) in enumerate(configs.items(), start=1):
            told(f"looking for what is done: member {number} of {len(members)}")
            context = replace(prepared, config=config, stream=resolve(config).stream)
            contexts.append(context)
            events = read_events(read_ledger(config.out_folder / "ledger.jsonl"))
            check_same_inputs(events, context, notes.append)
            plans[member.folder] = plan_of(context, preview(context, events, promised), [], None)
        told("counting")
        flops = study_flops(contexts)
    general = [*machine_notes(first), *prepared.known.notes, *prepared.notes, *prepared.data_notes]
    folder, store = str(call.config.out_folder), str(first.store_folder)
    told_now = tuple(dict.fromkeys([*general, *notes]))
    return StudyPlan(folder, store, plans, flops.study, flops.alone, guess, told_now)
