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

NO_FORMAT = "no other format holds this model; in Python, learners.training.predict uses the Delta in the run's store"
NOT_A_CLASSIFIER = """
The classifier class of transformers cannot represent this model: it has other layers before its head, or it pools
differently (with peft it reads the first position of the prompt instead of the text), or peft cannot tell its pooler
from its head. So these files contain the encoder only. The head is in a separate file.
"""


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
            document = exported(folder, learner, task, target, form or "merged", store, progress)
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
    form: str,
    store: Path | None,
    progress: Callable[[str], None],
) -> dict[str, object]:
    """Write the model of one learner and task.

    Args:
        folder: Folder of the run.
        learner: Specification of the learner, as in the run.
        task: Name of the task.
        target: Folder to write to.
        form: "merged" or "peft".
        store: The run's store. None looks in the folder, then in the run's settings.
        progress: Function that is called with what is being done, a text.

    Returns:
        What was written: folder, format, learner, task, backbone, delta, metric, score, classifier, files.

    Raises:
        InputError: The run, learner or task does not exist, the task is not learned yet, the Delta is missing or
            changed, the backbone is not the run's, or the learner has no such format. The error says what to do.
    """
    from stream.hub.manifest import certificate_of
    from stream.verification.checks import store_of, whole_record
    from stream.verification.learned import final_delta, named_learner, run_backbone
    from stream.verification.sources import encoded_of
    from tasks.encoded import open_encoded

    evidence, run = whole_record(folder)
    name = named_learner(run, learner)
    if task not in run.place:
        raise unknown_name("task", task, run.place, where=str(folder))
    progress(f"loading backbone {run.facts.backbone['name']}")
    backbone = run_backbone(run)
    check_form(run.facts.learners[name], backbone.architecture, form)
    progress(f"reading the Delta of {task}")
    delta = final_delta(run, store_of(evidence, store), name, task)
    assert evidence.config is not None
    data = open_encoded(encoded_of(run, task, evidence.config, backbone, progress))
    progress(f"writing {target}")
    usable_folder(target.parent, "--to")
    with folder_atomic(target) as part:
        loading = _write(part, backbone, run.facts.learners[name], data, delta, form)
        certificate = certificate_of(run, evidence, name, task, delta.id)
        score = certificate.score if certificate else None
        readme = _readme(name, delta.id, score, data, backbone, loading)
        (part / "README.md").write_text(readme, encoding="utf-8")
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
        "files": files,
    }


def check_form(learner: Learner, architecture: Architecture, form: str) -> None:
    """Check that a learner can be written in a format, before anything large is read.

    Raises:
        InputError: It cannot. The error gives the reason, and the format that works if there is one.
    """
    from learners.delta.merge import unmergeable
    from learners.export.peft import unsayable

    reasons = {"merged": unmergeable(learner, architecture), "peft": unsayable(learner, architecture)}
    if reasons[form]:
        what = {"merged": "cannot be merged into the weights", "peft": "peft has no format for this"}[form]
        other = next((f"give --format {other}" for other, reason in reasons.items() if not reason), NO_FORMAT)
        raise InputError(what, where=f"learner {learner.name}", found=reasons[form], fix=other)


def _write(folder: Path, backbone: Backbone, learner: Learner, data: EncodedTask, delta: Delta, form: str) -> Loading:
    from learners.delta.merge import merged
    from learners.export.peft import write_adapter
    from learners.export.transformers import head_of, write_checkpoint

    if form == "peft":
        return write_adapter(folder, backbone, learner, data.task, data.max_length, delta)
    state = merged(backbone, learner, delta)
    return write_checkpoint(folder, backbone, data.task, data.max_length, state, head_of(delta))


def _readme(
    learner: str, delta: str, score: float | None, data: EncodedTask, backbone: Backbone, loading: Loading
) -> str:
    from learners.backbones.locate import pinned_backbone
    from learners.export.peft import reference
    from learners.export.snippet import usage

    known = {"name": reference(backbone), "commit": backbone.commit}
    labels = ", ".join(data.task.labels or ("a real-valued score",))
    about = {
        "task": f"{data.task.title} ({data.task.name})",
        "labels": labels,
        "learner": learner,
        "backbone": f"{pinned_backbone(known)}, content {backbone.id}",
        f"{data.task.metric} on the test rows": "not evaluated" if score is None else f"{100 * score:.1f}",
        "tokens of a row": f"at most {data.max_length}",
        "content of the Delta": delta,
    }
    lines = [f"# {data.task.title}", "", *(f"* {name}: {value}" for name, value in about.items())]
    note = [] if loading.classifies else [NOT_A_CLASSIFIER.rstrip()]
    return "\n".join([*lines, *note, "", "```python", usage(backbone, loading), "```"]) + "\n"
