"""Writes the folder of `taskstream export --to-dir`: one folder per Delta, and one for the results.

Each of them can become a repository on the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stream.storage.files import readable_json, usable_folder
from stream.storage.learner_folder import folder_name
from tasks.files import folder_atomic, write_atomic

RESULTS = "results"


def share(
    folder: Path,
    target: Path,
    learner: str | None,
    task: str | None,
    store: Path | None,
    progress: Callable[[str], None],
) -> dict[str, str | list[str]]:
    """Writes Deltas with model cards, and the results with a data-set card.

    Args:
        folder: Folder of the run, finished or not.
        target: A new or empty folder.
        learner, task: A learner and a task of the run; None for all. Tasks without a good fit are left out.
        store: The store with the Deltas; None for the store of the run.
        progress: Takes a line of text about each step.

    Returns:
        The names of the written folders.

    Raises:
        InputError: The run, learner or task does not exist, nothing was learned yet, a Delta is missing or changed, or
            the backbone or the data differ from those of the run.
    """
    from learners.delta.delta import save_delta
    from learners.export.peft_base import reference
    from stream.hub.card import model_card
    from stream.hub.dataset import write_results
    from stream.hub.delta_record import DELTA, RECORD
    from stream.hub.run_deltas import run_deltas

    run = run_deltas(folder, learner, task, store, progress)
    usable_folder(target.parent, "--to-dir")
    models = []
    with folder_atomic(target) as part:
        (part / RESULTS).mkdir()
        write_results(part / RESULTS, run.results, reference(run.backbone))
        for each in run.deltas:
            progress(f"writing {each.name}, {each.record.task.name}")
            place = part / (name := f"models/{folder_name(each.name)}/{each.record.task.name}")
            models.append((run.learners.index(each.name), each.record.arrival, name))
            save_delta(each.delta, place / DELTA)
            write_atomic(place / RECORD, readable_json(each.record.as_dict()) + "\n")
            write_atomic(place / "README.md", model_card(each.record))
    return {"folder": str(target), "models": [name for *_, name in sorted(models)], "results": RESULTS}
