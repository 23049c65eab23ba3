"""The Deltas of many tasks on one backbone: rows of different tasks are answered together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from learners.backbones.backbone import Backbone, placed
from learners.device import device_named, prepare
from learners.specification.packable import why_unpacked
from learners.training.predict_mixed import predict_mixed
from stream.hub.delta_record import RECORD, read_record
from stream.hub.model import SharedModel, backbone_of, learner_of, shared_model
from stream.plugins.load import load_plugins
from stream.results.results import one_of_study
from tasks.errors import InputError, unknown_name

Row = tuple[str, str | tuple[str, str]]  # task, and its text or its two texts
LEDGER = "ledger.jsonl"
ENOUGH = 8  # rows of one task in a call that are faster, or as fast, in batches of their own


@dataclass(frozen=True, eq=False)
class SharedModels:
    """Models of several tasks, with one backbone in memory. A further task takes the memory of its Delta.

    Attributes:
        models: The model of each task, by name.
    """

    backbone: Backbone
    models: Mapping[str, SharedModel]

    def __repr__(self) -> str:
        learners = ", ".join(dict.fromkeys(model.learner.name for model in self.models.values()))
        return f"SharedModels({self.backbone.name}, {learners}, {len(self.models)} tasks: {', '.join(self.models)})"

    def __getitem__(self, task: str) -> SharedModel:
        """Returns the model of a task.

        Raises:
            InputError: There is none.
        """
        if task not in self.models:
            raise unknown_name("task", task, self.models)
        return self.models[task]

    def logits(self, rows: Sequence[Row]) -> list[np.ndarray]:
        """Returns the logits of each row, float32 [C] with the C of its task, in the order of the rows.

        A task has batches of its own, as in a run, if it is the only one or has `ENOUGH` rows or more: the same rows as
        in the run then give the same bytes. Rows of other tasks share batches, each row with its Delta.
        Their logits equal those of `SharedModel.logits` within 1e-4 in float32. Deltas that cannot share a pass
        (`learners.specification.packable`) run one after another.

        Args:
            rows: Pairs of a task and its text, or its two texts: ("cola", "text"), ("rte", ("first", "second")).

        Raises:
            InputError: A row is not such a pair, its task is unknown, or the task takes another number of texts.
        """
        places = self._places(rows)
        found: dict[int, np.ndarray] = {}
        mixed: dict[str, list[str]] = {}  # canonical learner -> tasks
        for task, at in places.items():
            model = self.models[task]
            if len(places) == 1 or len(at) >= ENOUGH or why_unpacked(model.learner, self.backbone.architecture):
                found |= zip(at, model.logits(*_columns(rows, at)), strict=True)
            else:
                mixed.setdefault(model.learner.name, []).append(task)
        for tasks in mixed.values():
            models = [self.models[task] for task in tasks]
            splits = [each.encode(*_columns(rows, places[each.record.task.name])) for each in models]
            answers = predict_mixed(self.backbone, models[0].learner, [each.delta for each in models], splits)
            for task, logits in zip(tasks, answers, strict=True):
                found |= zip(places[task], logits, strict=True)
        return [found[place] for place in range(len(rows))]

    def answers(self, rows: Sequence[Row]) -> list[str | float]:
        """Returns the label of each row, or its score for a regression. Arguments and errors as for `logits`."""
        logits = self.logits(rows)
        return [self.models[task].answer(row) for (task, _), row in zip(rows, logits, strict=True)]

    def check(self, rows: Sequence[Row]) -> None:
        """Refuses rows that are none of these tasks, without computing anything. Errors as for `logits`."""
        self._places(rows)

    def _places(self, rows: Sequence[Row]) -> dict[str, list[int]]:
        """Returns task -> numbers of its rows. Errors as for `logits`."""
        expected = 'a list of rows such as ("cola", "text") or ("rte", ("first text", "second text"))'
        if isinstance(rows, str) or not isinstance(rows, Sequence):
            raise InputError("not a list of rows", expected=expected, found=repr(rows)[:60])
        places: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            if not _is_row(row):
                raise InputError("not a row", where=f"row {place}", expected=expected, found=repr(row)[:60])
            self[row[0]].check_texts(not isinstance(row[1], str), f"row {place}, task {row[0]}")
            places.setdefault(row[0], []).append(place)
        return places


def load_models(
    folder: str | Path,
    learner: str | None = None,
    backbone: str | None = None,
    plugins: Sequence[str | Path] = (),
    store: str | Path | None = None,
    device: str = "cpu",
) -> SharedModels:
    """Loads the Deltas of all tasks that a learner has learned, and one backbone for them.

    Args:
        folder: Folder of a run, or a folder that `taskstream export --to-dir` wrote, or one within it.
        learner: The learner. None (default) if the folder has one learner.
        backbone: The backbone, as in `--backbone`. None (default): the one in the record.
        plugins: Plug-in files of the learner, if it is not built in. Their code is run. Default: none.
        store: For a run: the store with its Deltas. None (default): in the run's folder, or where its settings say.
        device: What computes, as in `--device`. Default: "cpu".

    Raises:
        InputError: There are no Deltas, or those of several learners; one is missing or damaged; or the backbone is
            another one than they were learned on; or this machine does not have the device.
        MissingPlugin: The plug-in of the learner is not among `plugins`.
    """
    folder, place = Path(folder), device_named(device)
    prepare(place)
    if (folder / LEDGER).is_file():
        models = dict(_of_run(folder, learner, backbone, plugins, store))
    else:
        models = dict(_of_folders(folder, learner, backbone, plugins))
    if len(found := {(model.backbone.id, model.backbone.dtype): model.backbone.name for model in models.values()}) > 1:
        raise InputError("Deltas of several backbones", where=str(folder), found=", ".join(found.values()))
    there = placed(next(iter(models.values())).backbone, place)
    return SharedModels(there, {task: replace(model, backbone=there) for task, model in models.items()})


def _of_folders(
    folder: Path, learner: str | None, backbone: str | None, plugins: Sequence[str | Path]
) -> Iterator[tuple[str, SharedModel]]:
    """Yields task and model of each shared Delta in a folder."""
    records = {path.parent: read_record(path.parent) for path in sorted(folder.rglob(RECORD))}
    names = list(dict.fromkeys(record.learner for record in records.values()))
    if not records:
        expected = f"folders with {RECORD}, or {LEDGER}"
        raise InputError("no shared Deltas and no run", where=str(folder), expected=expected, fix=one_of_study(folder))
    kept = {place: record for place, record in records.items() if learner in (None, record.learner, record.canonical)}
    if not kept:
        raise unknown_name("learner", str(learner), names, where=str(folder))
    tasks = [record.task.name for record in kept.values()]
    if len(set(tasks)) < len(tasks):
        raise _several(folder, names)
    base = None
    for place, record in kept.items():
        specification = learner_of(place, record, plugins)
        base = backbone_of(record, backbone, base)
        yield record.task.name, shared_model(place, record, specification, base)


def _of_run(
    folder: Path, learner: str | None, backbone: str | None, plugins: Sequence[str | Path], store: str | Path | None
) -> Iterator[tuple[str, SharedModel]]:
    """Yields task and model of each task that a learner of a run has learned."""
    from stream.hub.run_deltas import run_deltas

    with load_plugins(plugins).in_use():
        run = run_deltas(folder, learner, None, None if store is None else Path(store), backbone=backbone)
        if len(run.learners) > 1:
            raise _several(folder, run.learners)
        base = run.backbone
        for each in run.deltas:
            base = backbone_of(each.record, backbone, base)
            yield (
                each.record.task.name,
                SharedModel(base, each.learner, each.delta, each.record.task.labels, each.record),
            )


def _several(folder: Path, names: Sequence[str]) -> InputError:
    fix = f"name one, such as learner={names[0]!r}"
    return InputError("Deltas of several learners", where=str(folder), found=", ".join(names), fix=fix)


def _is_row(row: object) -> bool:
    if not isinstance(row, tuple | list) or len(row) != 2 or not isinstance(row[0], str):
        return False
    texts = row[1]
    return isinstance(texts, str) or (
        isinstance(texts, tuple | list) and len(texts) == 2 and all(isinstance(text, str) for text in texts)
    )


def _columns(rows: Sequence[Row], places: Sequence[int]) -> tuple[list[str], list[str] | None]:
    """Returns the texts of some rows of one task, and their second texts if they have such."""
    texts = [rows[place][1] for place in places]
    if isinstance(texts[0], str):
        return [str(text) for text in texts], None
    return [text[0] for text in texts], [text[1] for text in texts]
