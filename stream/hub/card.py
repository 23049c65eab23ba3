"""The model card of a shared Delta, as the Hugging Face hub reads it: metadata in YAML, then text."""

from __future__ import annotations

import re

from learners.backbones.locate import pinned_backbone
from stream.hub.delta_record import DeltaRecord, TaskRecord, TrainingRecord

# The hub's names of the tasks' metrics.
METRICS = {"accuracy": "accuracy", "f1": "f1", "matthews": "matthews_correlation", "spearman": "spearmanr"}
# Backbones that have another name on the hub.
HUB_NAMES = {"minilm": "sentence-transformers/all-MiniLM-L6-v2"}
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
UNKNOWN = "unknown"  # the hub's word for a missing licence
UNLICENSED = (
    "This card states no licence. The licences of the backbone and of the task's texts apply. "
    "Set `license` before you publish."
)


def model_card(record: DeltaRecord) -> str:
    """Returns the text of README.md.

    Args:
        record: The record of the Delta, from `stream.hub.manifest.record_of`.
    """
    title = f"{record.learner} on {data_title(record.task)}"
    card = _metadata(record, title)
    return f"---\n{card}\n---\n\n# {title}\n\n{_text(record)}\n"


def licence(backbone: str, source: str) -> str:
    """Returns `mit` if backbone and tasks come from this package; else `unknown`."""
    return "mit" if backbone == "embedded" and source.startswith("simulated") else UNKNOWN


def base_model(record: DeltaRecord) -> str | None:
    """Returns the backbone's id on the hub; None if it is not from the hub."""
    name = HUB_NAMES.get(record.backbone.name, record.backbone.name)
    return name if HUB_ID.fullmatch(name) else None


def data_title(task: TaskRecord) -> str:
    """Returns the title of a task. A simulated task is named so: it must not be confused with the real data set."""
    return f"{task.title}, simulated" if task.source.startswith("simulated") else task.title


def own_backbone(name: str) -> str:
    """Returns the name of a backbone for readers who do not know this package."""
    return "the embedded backbone of taskstream" if name == "embedded" else name


def _metadata(record: DeltaRecord, title: str) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    task, certificate, base = record.task, record.certificate, base_model(record)
    metric, whole = METRICS[task.metric], _whole(record)
    data_type = f"simulated-{task.name}" if task.source.startswith("simulated") else task.name
    results = [] if certificate is None or certificate.score is None else [
        EvalResult(
            task_type="text-classification", dataset_type=task.repository or data_type,
            dataset_name=data_title(task), dataset_config=task.configuration, dataset_split="test",
            dataset_revision=task.commit, metric_type=metric, metric_value=certificate.score,
        )
    ]  # fmt: skip
    data = ModelCardData(
        license=licence(record.backbone.name, task.source),
        base_model=base,
        base_model_relation=("finetune" if whole else "adapter") if base else None,
        datasets=[task.repository] if task.repository else None,
        metrics=[metric],
        library_name="taskstream",
        pipeline_tag="text-classification",
        tags=["continual-learning", *([] if whole else ["parameter-efficient-fine-tuning"]), record.sharing],
        model_name=title if results else None,
        eval_results=results or None,
    )
    return data.to_yaml()


def _whole(record: DeltaRecord) -> bool:
    """Whether the Delta has a new value for every weight of the backbone."""
    return record.parameters.backbone >= record.backbone.parameters


def _text(record: DeltaRecord) -> str:
    task, backbone = record.task, record.backbone
    counts = record.parameters
    changed, added, head = (f"{count:,}" for count in (counts.backbone, counts.added, counts.head))
    changed = f"{changed} new values for the {backbone.parameters:,} of the backbone"
    shared = record.sharing == "sequential"
    what = "learning all tasks of a continual stream in turn" if shared else "learning one task of a continual stream"
    about = {
        "task": f"{data_title(task)} (`{task.name}`), {task.kind}, from {_origin(task)}",
        "labels": ", ".join(task.labels) or "a real-valued score",
        "learner": f"`{record.canonical}`",
        "arrival": f"task {record.arrival} of {record.of} in the stream, seed {record.seed}",
        "training": _training(record.training),
        "backbone": f"{own_backbone(pinned_backbone(vars(backbone)))}, content id {backbone.id}, {backbone.dtype}",
        "parameters": f"{changed}, {added} added, {head} in the head",
        "tokens per row": f"at most {record.max_length}",
        "content id of the Delta": record.delta,
    }
    return "\n".join([
        f"The changes to a backbone from {what}, and the head of this task. The backbone is not in this folder.",
        "",
        *(f"* {name}: {value}" for name, value in about.items()), "",
        "## Score", "", *_proof(record), "",
        "## Use", "", "```python", *usage(record), "```", "",
        f"It was learned with taskstream {record.versions.get('taskstream', '')}, which can load this folder.",
        *(["", UNLICENSED] if licence(backbone.name, task.source) == UNKNOWN else []),
    ])  # fmt: skip


def usage(record: DeltaRecord) -> list[str]:
    """Returns lines of Python that load the model and print an answer."""
    second = ', ["a second text"]' if record.task.kind == "pair" else ""
    backbone = pinned_backbone(vars(record.backbone))
    return [
        "from stream.hub import load_model",
        f'model = load_model(".", backbone={backbone!r})  # this folder; backbone: a name, hub id or folder',
        f'print(model.answers(["a text"]{second}))',
    ]


def _training(training: TrainingRecord) -> str:
    rows, limit = f"{training.rows:,} rows", training.epochs
    if limit is None:
        return rows
    batch, rate = training.batch_size, training.peak_learning_rate
    epochs = f"at most {limit} epochs"  # a record of an earlier version does not say how many were run
    if training.ran == 0:
        return f"none: its fit ran 0 of at most {limit} epochs"
    if training.ran is not None:
        rows = f"{rows} per epoch"
        epochs = f"{training.ran} of at most {limit} epochs, epoch {training.best} kept"
    return f"{rows}, {epochs}, batch size {batch}, peak learning rate {rate:.3g}"


def _origin(task: TaskRecord) -> str:
    if not task.repository:
        return f"source {task.source}, content id {task.data_id}"
    configuration = f" ({task.configuration})" if task.configuration else ""
    return f"{task.repository}{configuration} at commit {task.commit}, content id {task.data_id}"


def _proof(record: DeltaRecord) -> list[str]:
    certificate, place = record.certificate, record.arrival
    if certificate is None:
        return ["This Delta was not evaluated."]
    ledger, at = certificate.ledger, f"after {place + certificate.rows - 1} of {record.of} arrivals"
    if certificate.score is None:
        score = f"No score on {certificate.n} test rows {at}: a logit is not finite."
    else:
        score = f"{100 * certificate.score:.2f} {record.task.metric} (x100) on {certificate.n} test rows {at}."
    weights = (
        "Each later task changes the weights, so the score is measured again at each arrival."
        if certificate.shared_weights
        else f"The cells of this task in the accuracy matrix from arrival {place} on ({certificate.rows}) "
        "come from this one Delta."
    )
    return [
        f"{score} {weights}", "",
        f"* last cell: {certificate.provenance}; logits computed at arrival {certificate.measured_at}",
        f"* logits {certificate.logits}, predictions {certificate.predictions}, batch plan {certificate.plan}",
        f"* ledger of the run: {ledger.lines} lines, hash of the last line {ledger.hash}; "
        "`taskstream verify` checks a run; with `--rerun all` it also evaluates each task again with each Delta",
    ]  # fmt: skip
