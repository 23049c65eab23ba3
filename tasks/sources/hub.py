"""Tasks from the Hugging Face hub, read with `datasets`. Only known tasks with an address: see HUB.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tasks.content import content_id
from tasks.errors import InputError, unknown_name
from tasks.examples import UNLIMITED, Limits, TaskData
from tasks.network import check_revision, hub_reachable
from tasks.rows import Rows, read_rows
from tasks.sources.cells import CELLS, cell_text
from tasks.sources.hub_cache import commit_of, splits_of
from tasks.sources.originals import ORIGINALS
from tasks.sources.text import check_text, shown
from tasks.splits import SPELLINGS
from tasks.suite import TASKS
from tasks.task import HubAddress, Task

FORMAT = "hub 3"


@dataclass(frozen=True)
class HubSource:
    """The known tasks that have an address on the hub.

    The notes of each task give its commit. A branch is resolved to a commit only once per source. So all data of a run
    from one repository has the same commit.

    Attributes:
        revision: Branch, tag or commit for all repositories. Default: None, the newest commit.
        pins: Branch, tag or commit for single repositories; it takes precedence over `revision`. Default: none.
        split_seed: Seed of the content hash that derives missing splits. Default: 0.
        offline: Use only the local caches, as if the hub could not be reached. Default: False.
    """

    revision: str | None = None
    pins: Mapping[str, str] = field(default_factory=dict)
    split_seed: int = 0
    offline: bool = False

    @property
    def name(self) -> str:
        parts = [self.revision, *(f"{repository}@{revision}" for repository, revision in self.pins.items())]
        written = ",".join(part for part in parts if part)
        return f"hub:{written}" if written else "hub"

    def names(self) -> tuple[str, ...]:
        """Names of the tasks that have an address."""
        return tuple(task.name for task in TASKS.values() if task.hub is not None)

    def task(self, name: str) -> Task:
        """The known task with this name.

        Raises:
            InputError: The task is unknown, or has no known copy on the hub.
        """
        if name not in TASKS:
            raise unknown_name("task", name, TASKS, where="source hub")
        if TASKS[name].hub is None:
            raise InputError(
                f"no copy of task {name} is known on the hub",
                where="source hub",
                fix=f"download {ORIGINALS[name].url} and use folder:DIR with DIR/{name}.csv (tasks/sources/HUB.md)",
            )
        return TASKS[name]

    def load(self, name: str, limits: Limits = UNLIMITED) -> TaskData:
        """Load all rows of a task, from the cache or from the hub. The limits have no effect.

        Raises:
            InputError: The hub cannot be reached, or its data does not match the address.
        """
        address, commit = self._address(name), self.commit(name)
        where = f"hub {address.repository}" + (f" ({address.configuration})" if address.configuration else "")
        found = splits_of(address.repository, address.configuration, commit, self._reachable)
        data = read_rows(name, _rows(found, address, where), where=where, split_seed=self.split_seed)
        return replace(data, notes=(f"{where} at commit {commit}", *data.notes))

    def commit(self, name: str) -> str:
        """The commit from which a task is loaded.

        Raises:
            InputError: The repository or revision does not exist, or is not cached and the hub cannot be reached.
        """
        repository = self._address(name).repository
        if repository not in self._commits:
            revision = self.pins.get(repository, self.revision)
            self._commits[repository] = commit_of(repository, revision, self._reachable)
        return self._commits[repository]

    def fingerprint(self, name: str, limits: Limits = UNLIMITED) -> str:
        """SHA-256 of everything that `load` depends on. Requests only the commit from the hub."""
        task = self.task(name)
        parts = [name, task.kind, task.metric, str(self.split_seed), self.commit(name), str(task.hub)]
        if task.hub is not None and task.hub.template:
            parts.append(task.hub.template)
        return content_id(FORMAT, *parts)

    def _address(self, name: str) -> HubAddress:
        address = self.task(name).hub
        assert address is not None
        return address

    @cached_property
    def _reachable(self) -> bool:
        return not self.offline and hub_reachable()

    @cached_property
    def _commits(self) -> dict[str, str]:
        return {}


def read_hub(text: str) -> HubSource:
    """Parse the text of `hub:TEXT`: a revision, OWNER/NAME@REVISION, or several of these with commas.

    Raises:
        InputError: A revision is not valid, or no task comes from a repository.
    """
    known = {task.hub.repository for task in TASKS.values() if task.hub is not None}
    everywhere: str | None = None
    pins = {}
    for part in text.split(",") if text else ():
        repository, at, revision = part.rpartition("@")
        check_revision(revision, where="source hub")
        if not at:
            everywhere = revision
        elif repository in known:
            pins[repository] = revision
        else:
            raise unknown_name("repository", repository, known, where="source hub")
    return HubSource(everywhere, pins)


def _rows(found: Mapping[str, Any], address: HubAddress, where: str) -> Rows:
    """The columns of an address, with all splits in one table. Labels are names if the hub has names for them."""
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
        texts = {source: _column(dataset, source, where) for source in dict.fromkeys(address.texts)}
        if address.template:
            cells = zip(*texts.values(), strict=True)
            columns["text"] += [address.template.format_map(dict(zip(texts, row, strict=True))) for row in cells]
        else:
            for column, source in zip(("text", "text_b"), address.texts, strict=False):
                columns[column] += texts[source]
        columns["label"] += _column(dataset, address.label, where, named=True)
        number += range(1, len(dataset) + 1)
        columns["split"] += [ours] * len(dataset)
    return Rows(number=number, **columns)


def _column(dataset: Any, column: str, where: str, *, named: bool = False) -> list[str]:
    """The cells of a column as texts. If `named`, numbers of classes become names, if the hub has names for them."""
    if column not in dataset.column_names:
        raise InputError(f"missing column {column}", where=where, found=f"columns {shown(dataset.column_names)}")
    names = getattr(dataset.features[column], "names", None) if named else None
    return _texts(list(dataset[column]), names, column, where)


def _texts(values: Iterable[object], label_names: list[str] | None, column: str, where: str) -> list[str]:
    texts = []
    for row, value in enumerate(values, start=1):
        if label_names is not None and isinstance(value, int):
            text: str | None = label_names[value] if value >= 0 else "-1"
        else:
            text = cell_text(value)
        if text is None:
            what = f"column {column}, row {row} holds no text"
            raise InputError(what, where=where, expected=CELLS, found=repr(value)[:40])
        texts.append(check_text(text, where, f"column {column}, row {row}"))
    return texts
