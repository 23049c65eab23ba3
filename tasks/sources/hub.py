"""Tasks from the Hugging Face hub, through `datasets`, for tasks whose table row has an address."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from tasks.content import content_id
from tasks.errors import InputError, unknown_name
from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.network import hub_offline, hub_reachable
from tasks.rows import Rows, read_rows
from tasks.sources.table import cell_text, shown
from tasks.sources.text import check_text
from tasks.splits import SPELLINGS
from tasks.suite import TASKS
from tasks.task import HubAddress, Task

FORMAT = "hub 1"
Loader = Callable[..., Mapping[str, Any]]  # as datasets.load_dataset(path, name, revision=...): split name -> Dataset
COMMIT = re.compile(r"[0-9a-f]{40}")
# As git names branches and tags, without what could leave the folder of the cache that a revision names a file in.
REVISION = re.compile(r"(?!.*(\.\.|//))[A-Za-z0-9][A-Za-z0-9_./-]{0,199}", re.ASCII)


def check_revision(text: str) -> str:
    """Return a text that can name a revision.

    Raises:
        InputError: It cannot.
    """
    if REVISION.fullmatch(text) is None:
        expected = "a branch, tag or commit: letters, digits, '_', '.', '-' and '/', without '..'"
        raise InputError("not a revision", where="source hub", expected=expected, found=repr(text[:60]))
    return text


@dataclass(frozen=True)
class HubSource:
    """Tasks of the table that have an address on the hub.

    Attributes:
        revision: Branch, tag or commit of the repositories; None takes the newest. A commit of 40 digits makes
            `fingerprint` instant; without it, every use asks the hub (or its local cache) for the rows.
        split_seed: Seed of the content hash that carves missing splits.
        offline: Use the local cache of `datasets` only, as is done where the hub cannot be reached.
        loader: Replaces `datasets.load_dataset`.
    """

    revision: str | None = None
    split_seed: int = 0
    offline: bool = False
    loader: Loader | None = None

    @property
    def name(self) -> str:
        return "hub" if self.revision is None else f"hub:{self.revision}"

    def names(self) -> tuple[str, ...]:
        """The tasks that have an address."""
        return tuple(task.name for task in TASKS.values() if task.hub is not None)

    def task(self, name: str) -> Task:
        """The table's row.

        Raises:
            InputError: An unknown task, or one of which no copy on the hub is known.
        """
        if name not in TASKS:
            raise unknown_name("task", name, TASKS, where="source hub")
        if TASKS[name].hub is None:
            raise InputError(
                f"no copy of task {name} is known on the hub",
                where="source hub",
                fix=f"put its data into a folder and use folder:DIR with DIR/{name}.csv",
            )
        return TASKS[name]

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        """Fetch a task, or take it from the cache, whole.

        Raises:
            InputError: The hub cannot be reached, or its data is not as the address says.
        """
        address = self.task(name).hub
        assert address is not None
        where = f"hub {address.repository}" + (f" ({address.configuration})" if address.configuration else "")
        return read_rows(
            name, _rows(self._fetch(address, where), address, where), where=where, split_seed=self.split_seed
        )

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        """SHA-256 of all that `load` depends on: from the address if `revision` is a commit, else from the data."""
        task = self.task(name)
        pinned = self.revision is not None and COMMIT.fullmatch(self.revision) is not None
        content = f"{self.revision} {task.hub}" if pinned else self.load(name).id
        return content_id(FORMAT, name, task.kind, task.metric, str(self.split_seed), content)

    def _fetch(self, address: HubAddress, where: str) -> Mapping[str, Any]:
        loader = self.loader
        if loader is None:
            import datasets

            loader = datasets.load_dataset
        try:
            with hub_offline() if self.offline or not hub_reachable() else nullcontext():
                return loader(address.repository, address.configuration, revision=self.revision)
        except (
            OSError,
            ValueError,
            RuntimeError,
        ) as error:  # what datasets and huggingface_hub raise derives from these
            offline = isinstance(error, ConnectionError) or "offline" in str(error).lower()
            raise InputError(
                "the hub cannot be reached and the data is not in its cache"
                if offline
                else "the hub does not give this data",
                where=where,
                found=f"{type(error).__name__}: {' '.join(str(error).split())[:160]}",
                fix="check the network, or use folder:DIR" if offline else "check the revision, or use folder:DIR",
            ) from error


def _rows(found: Mapping[str, Any], address: HubAddress, where: str) -> Rows:
    """The columns of the address, the splits one after another; labels as names where the hub knows them."""
    names = dict(address.splits) or {split: split for split in found if split.lower() in SPELLINGS}
    missing = [theirs for theirs in names.values() if theirs not in found]
    if missing or not names:
        raise InputError(
            f"missing split {missing[0] if missing else 'train'}", where=where, found=f"splits {shown(found)}"
        )
    columns: dict[str, list[str]] = {"text": [], "label": [], "split": []}
    if address.text_b is not None:
        columns["text_b"] = []
    number: list[int] = []
    for ours, theirs in names.items():
        dataset = found[theirs]
        for column, source in (("text", address.text), ("text_b", address.text_b), ("label", address.label)):
            if source is None:
                continue
            if source not in dataset.column_names:
                raise InputError(
                    f"missing column {source}", where=where, found=f"columns {shown(dataset.column_names)}"
                )
            values = list(dataset[source])
            label_names = getattr(dataset.features[source], "names", None) if column == "label" else None
            columns[column] += _texts(values, label_names, source, where)
        number += range(1, len(dataset) + 1)
        columns["split"] += [ours] * len(dataset)
    return Rows(number=number, **columns)


def _texts(values: Iterable[object], label_names: list[str] | None, column: str, where: str) -> list[str]:
    texts = []
    for row, value in enumerate(values, start=1):
        if label_names is not None and isinstance(value, int):
            text: str | None = label_names[value] if value >= 0 else "-1"
        else:
            text = cell_text(value)
        if text is None:
            raise InputError(f"column {column}, row {row} holds no text", where=where, found=repr(value)[:40])
        texts.append(check_text(text, where, f"column {column}, row {row}"))
    return texts
