"""`taskstream export DIR`: the model of one task in files that transformers or peft read, or all in our own."""

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
    from stream.verification.recorded import RecordedRun
    from tasks.encoded import EncodedTask

NO_FORMAT = "no format of others has it; in Python, learners.training.predict answers from the Delta in the run's store"
NOT_A_CLASSIFIER = """
transformers' own classifier has other layers before its head, or pools otherwise (peft takes a prompt's first place for
the text's), or keeps its pooler where peft cannot tell it from a head; so these are files of the encoder alone, and the
head lies beside them.
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
    """Write one model for other programs (`to`), or all that was learned to pass on (`to_dir`).

    Raises:
        InputError: Not one of the two, an option that is missing or does not go with it, or as in `exported`, `share`.
    """
    target = _target(to, to_dir)
    if to is not None and (learner is None or task is None):
        raise InputError("which model?", where="--to", expected="--learner and --task", fix="--to-dir takes all")
    if to is None and form is not None:
        raise InputError("a Delta has its own format", where="--to-dir", fix="leave --format out, or give --to")
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
    """The one folder that was named, which must be new or empty."""
    given = {option: path for option, path in {"--to": to, "--to-dir": to_dir}.items() if path is not None}
    if len(given) != 1:
        what = "no folder to write to" if not given else "two folders to write to"
        raise InputError(what, expected="--to for one model in others' files, or --to-dir for Deltas and results")
    ((option, path),) = given.items()
    target = user_path(str(path), where=option)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        fix = "name a new folder, or empty this one"
        raise InputError("something is there already", where=f"{option} {target}", fix=fix)
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
    """Write the files; returns what was written.

    Raises:
        InputError: No such run, learner or task, a task not learned, a Delta that is gone or changed, a backbone that
            is not the run's, or a learner that has no such form; says what can be done.
    """
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
        score = _score(run, name, task)
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
    """See that a learner has a form, before anything large is read.

    Raises:
        InputError: It has not; says why, and which it has.
    """
    from learners.delta.merge import unmergeable
    from learners.export.peft import unsayable

    reasons = {"merged": unmergeable(learner, architecture), "peft": unsayable(learner, architecture)}
    if reasons[form]:
        what = {"merged": "cannot be merged into the weights", "peft": "peft has no form for this"}[form]
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


def _score(run: RecordedRun, learner: str, task: str) -> float | None:
    """The last score of the task in R; None where it has none."""
    from stream.results.document import matrix_of

    rows = matrix_of(run.facts.order, learner, run.events).rows
    return rows[-1][run.place[task] - 1] if rows else None


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
