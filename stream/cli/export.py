"""`taskstream export FOLDER`: one model as files for transformers or peft, or everything that a run learned."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from stream.hub.folder import share
from stream.report import make_console
from stream.report.console import page_of
from stream.storage.files import usable_folder
from tasks.errors import InputError, unknown_name
from tasks.files import folder_atomic
from tasks.paths import user_path

if TYPE_CHECKING:  # seconds to load
    from learners.backbones.architecture import Architecture
    from learners.backbones.backbone import Backbone
    from learners.delta.delta import Delta
    from learners.export.snippet import Loading
    from learners.specification.learner import Learner
    from tasks.encoded import EncodedTask

SHARED = "give --to-dir instead of --to; load_model of stream.hub, which needs this package, loads what it writes"
WHAT = {
    "merged": "cannot be merged into the weights",
    "modules": "cannot be written as modules",
    "peft": "peft has no format for this",
}


def export(
    folder: Path,
    learner: str | None,
    task: str | None,
    to: Path | None,
    to_dir: Path | None,
    form: str | None,
    store: Path | None,
    display: str,
) -> None:
    """Write one model for other programs (to the folder `to`), or everything that was learned (to `to_dir`).

    Raises:
        InputError: Not exactly one of the two folders is given, an option is missing or does not fit, or the errors of
            `exported` and `share`.
    """
    target = _target(to, to_dir)
    if to is not None and (learner is None or task is None):
        raise InputError("no model is named", where="--to", expected="--learner and --task", fix="--to-dir writes all")
    if to is None and form is not None:
        raise InputError("--format does not apply to Deltas", where="--to-dir", fix="omit --format, or give --to")
    console = make_console(display)
    with console.status("loading libraries") as status:

        def progress(text: str) -> None:
            status.update(Text(text))

        if to is None or learner is None or task is None:
            document: Mapping[str, object] = share(folder, target, learner, task, store, progress)
        else:
            document = exported(folder, learner, task, target, form, store, progress)
    if display == "json":
        print(json.dumps(document))
    elif display != "none":
        page = page_of(console)
        for name, value in document.items():
            console.print(page.text(f"{name}: {', '.join(value) if isinstance(value, list) else value}"), markup=False)


def _target(to: Path | None, to_dir: Path | None) -> Path:
    """The folder to write to. Exactly one must be given, and it must be new or empty."""
    given = {option: path for option, path in {"--to": to, "--to-dir": to_dir}.items() if path is not None}
    if len(given) != 1:
        what = "no folder to write to" if not given else "two folders to write to"
        raise InputError(what, expected="--to for one model, or --to-dir for all Deltas and results")
    ((option, path),) = given.items()
    target = user_path(str(path), where=option)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        fix = "name a new folder"
        raise InputError("not a new or empty folder", where=f"{option} {target}", fix=fix)
    return target


def exported(
    folder: Path,
    learner: str,
    task: str,
    target: Path,
    form: str | None,
    store: Path | None,
    progress: Callable[[str], None],
) -> dict[str, object]:
    """Write the model of one learner and task.

    Args:
        folder: Folder of the run.
        learner: Specification of the learner, as in the run.
        task: Name of the task.
        target: Folder to write to.
        form: "merged", "modules" or "peft". None: merged if the Delta can be, else modules, else peft.
        store: The run's store. None looks in the folder, then in the run's settings.
        progress: Function that is called with what is being done, a text.

    Returns:
        What was written: folder, format, learner, task, backbone, delta, metric, score, classifier, remote_code, files.

    Raises:
        InputError: The run, learner or task does not exist, the task is not learned yet, the Delta is missing or
            changed, the backbone is not the run's, or the learner has no such format. The error says what to do.
    """
    from stream.hub.manifest import certificate_of
    from stream.verification.checks import store_of, whole_record
    from stream.verification.learned import final_delta, final_learner, named_learner, run_backbone
    from stream.verification.sources import encoded_of
    from tasks.encoded import open_encoded

    evidence, run = whole_record(folder)
    name = named_learner(run, learner)
    if task not in run.place:
        raise unknown_name("task", task, run.place, where=str(folder))
    progress(f"loading backbone {run.facts.backbone['name']}")
    backbone = run_backbone(run)
    _, kept = final_learner(run, name, task)
    form = checked_form(kept, backbone.architecture, form)
    progress(f"reading the Delta of {task}")
    delta = final_delta(run, store_of(evidence, store), name, task)
    assert evidence.config is not None
    data = open_encoded(encoded_of(run, task, evidence.config, backbone, progress))
    progress(f"writing {target}")
    usable_folder(target.parent, "--to")
    with folder_atomic(target) as part:
        certificate = certificate_of(run, evidence, name, task, delta.id)
        score = certificate.score if certificate else None
        loading = write_model(part, backbone, kept, data, delta, form, name, score)
        files = sorted(path.relative_to(part).as_posix() for path in part.rglob("*") if path.is_file())
    return {
        "folder": str(target),
        "format": form,
        "learner": name,
        "task": task,
        "backbone": run.facts.backbone["name"],
        "delta": delta.id,
        "metric": data.task.metric,
        "score": score,
        "classifier": loading.classifies,
        "remote_code": loading.remote_code,
        "files": files,
    }


def checked_form(learner: Learner, architecture: Architecture, form: str | None) -> str:
    """Returns the format to write a learner in, before anything large is read.

    Args:
        form: The wanted format. None: the first in `WHAT` that can hold the learner.

    Raises:
        InputError: It cannot be written. The error gives the reason, and the format that works if there is one.
    """
    from learners.delta.merge import unmergeable
    from learners.export.modules import unbuildable
    from learners.export.peft import unsayable

    reasons = {
        "merged": unmergeable(learner, architecture),
        "modules": unbuildable(learner),
        "peft": unsayable(learner, architecture),
    }
    possible = [name for name in WHAT if not reasons[name]]
    chosen = form or next(iter(possible), "modules")
    if chosen not in possible:
        what = WHAT[chosen] if form else "no format of another library holds this"
        fix = f"give --format {possible[0]}" if possible else SHARED
        raise InputError(what, where=f"learner {learner.name}", found=reasons[chosen], fix=fix)
    return chosen


def write_model(
    folder: Path,
    backbone: Backbone,
    learner: Learner,
    data: EncodedTask,
    delta: Delta,
    form: str,
    name: str,
    score: float | None,
) -> Loading:
    """Write a model and its README into an empty folder.

    Args:
        form: A format that `checked_form` gave for this learner.
        name: Name of the learner in the run.
        score: The last score on the test rows; None if there is none.
    """
    from learners.export.readme import readme

    loading = _write(folder, backbone, learner, data, delta, form)
    (folder / "README.md").write_text(readme(name, delta.id, score, data, backbone, loading), encoding="utf-8")
    return loading


def _write(folder: Path, backbone: Backbone, learner: Learner, data: EncodedTask, delta: Delta, form: str) -> Loading:
    from learners.delta.merge import merged, tuned_weights
    from learners.export.modules import modules_of
    from learners.export.peft import write_adapter
    from learners.export.transformers import head_of, write_checkpoint

    task, head, length = data.task, head_of(delta), data.max_length
    if form == "peft":
        return write_adapter(folder, backbone, learner, task, length, delta)
    if form == "merged":
        return write_checkpoint(folder, backbone, task, length, merged(backbone, learner, delta), head)
    modules = modules_of(learner, delta, backbone.architecture)
    return write_checkpoint(folder, backbone, task, length, tuned_weights(backbone, delta), head, modules)
