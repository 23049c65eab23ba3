"""Writes the folder of `taskstream export --to-dir`: one folder per Delta, and one for the results.

Each of them can become a repository on the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stream.storage.files import readable_json, usable_folder
from stream.storage.learner_folder import folder_name
from tasks.errors import InputError, unknown_name
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
    from stream.hub.manifest import record_of
    from stream.results.document import results
    from stream.results.results import Results
    from stream.verification.checks import store_of, whole_record
    from stream.verification.learned import final_delta, learned_tasks, named_learner, run_backbone
    from stream.verification.sources import encoded_of
    from tasks.encoded import open_encoded

    evidence, run = whole_record(folder)
    chosen = [name for name in run.facts.learners if learner is None or name == named_learner(run, learner)]
    if task is not None and task not in run.place:
        raise unknown_name("task", task, run.place, where=str(folder))
    pairs = [(name, each) for name in chosen for each in learned_tasks(run, name) if task in (None, each)]
    if not pairs:
        raise InputError("nothing was learned yet", where=str(folder), fix="continue the run")
    progress(f"loading backbone {run.facts.backbone['name']}")
    backbone = run_backbone(run)
    assert evidence.config is not None  # `whole_record` makes sure of it
    tasks = dict.fromkeys(each for _, each in pairs)
    encoded = {each: encoded_of(run, each, evidence.config, backbone, progress) for each in tasks}
    usable_folder(target.parent, "--to-dir")
    with folder_atomic(target) as part:
        (part / RESULTS).mkdir()
        write_results(part / RESULTS, Results.from_dict(results(run.facts, run.events)), reference(backbone))
        for each, path in encoded.items():
            data = open_encoded(path)  # opens many files, so only one task at a time
            for name in (name for name, its in pairs if its == each):
                progress(f"writing {name}, {each}")
                delta = final_delta(run, store_of(evidence, store), name, each)
                record = record_of(run, evidence, backbone, name, data, delta)
                place = part / "models" / folder_name(name) / each
                save_delta(delta, place / DELTA)
                write_atomic(place / RECORD, readable_json(record.as_dict()) + "\n")
                write_atomic(place / "README.md", model_card(record))
    models = [f"models/{folder_name(name)}/{each}" for name, each in pairs]
    return {"folder": str(target), "models": models, "results": RESULTS}
