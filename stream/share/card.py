"""The model card of a shared Delta, as the Hugging Face hub reads it: metadata in YAML, then what people ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stream.share.record import Record

# Metrics of tasks by the hub's names.
METRICS = {"accuracy": "accuracy", "f1": "f1", "matthews": "matthews_correlation", "spearman": "spearmanr"}
# Backbones by another name here than on the hub.
HUB_NAMES = {"minilm": "sentence-transformers/all-MiniLM-L6-v2"}
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
UNKNOWN = "unknown"  # the hub's word for a licence that nobody has stated
UNLICENSED = (
    "No licence is stated: those of the backbone and of the task's texts bear on it. Set `license` before you publish."
)


def model_card(record: Record) -> str:
    """The text of README.md.

    Args:
        record: Of the Delta, as `stream.share.record.record_of` makes it.
    """
    title = f"{record['learner']} on {record['task']['title']}"
    card = _metadata(record, title)
    return f"---\n{card}\n---\n\n# {title}\n\n{_text(record)}\n"


def licence(backbone: str, source: str) -> str:
    """MIT where backbone and tasks are this package's own; else nobody here can say."""
    return "mit" if backbone == "embedded" and source.startswith("simulated") else UNKNOWN


def base_model(record: Record) -> str | None:
    """The backbone's id on the hub; None where it is not from there."""
    name: str = record["backbone"]["name"]
    name = HUB_NAMES.get(name, name)
    return name if HUB_ID.fullmatch(name) else None


def _metadata(record: Record, title: str) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    task, certificate, base = record["task"], record["certificate"], base_model(record)
    metric = METRICS[task["metric"]]
    results = [] if certificate is None else [
        EvalResult(
            task_type="text-classification", dataset_type=task.get("repository", task["name"]),
            dataset_name=task["title"], dataset_config=task.get("configuration"), dataset_split="test",
            dataset_revision=task.get("commit"), metric_type=metric, metric_value=certificate["score"],
        )
    ]  # fmt: skip
    data = ModelCardData(
        license=licence(record["backbone"]["name"], task["source"]),
        base_model=base,
        base_model_relation="adapter" if base else None,
        datasets=[task["repository"]] if "repository" in task else None,
        metrics=[metric],
        library_name="taskstream",
        pipeline_tag="text-classification",
        tags=["continual-learning", "parameter-efficient-fine-tuning", record["sharing"]],
        model_name=title if results else None,
        eval_results=results or None,
    )
    return data.to_yaml()


def _text(record: Record) -> str:
    task, backbone, certificate = record["task"], record["backbone"], record["certificate"]
    counts = record["parameters"]
    changed, added, head = (f"{counts[part]:,}" for part in ("backbone", "added", "head"))
    about = {
        "task": f"{task['title']} (`{task['name']}`), {task['kind']}, from {_origin(task)}",
        "labels": ", ".join(task["labels"]) or "a real-valued score",
        "learner": f"`{record['canonical']}`",
        "arrival": f"task {record['arrival']} of {record['of']} in the stream, seed {record['seed']}",
        "backbone": f"{backbone['name']}, content {backbone['id']}, {backbone['dtype']}",
        "parameters": f"{changed} new values of the backbone's, {added} added, {head} of the head",
        "tokens of a row": f"at most {record['max_length']}",
        "content of the Delta": record["delta"],
    }
    return "\n".join([
        "What one task of a continual stream added to a frozen backbone, which is not in this folder itself.", "",
        *(f"* {name}: {value}" for name, value in about.items()), "",
        "## Score", "", *_proof(certificate, task["metric"]), "",
        "## Use", "", "```python", *usage(record), "```", "",
        f"Written by taskstream {record['versions'].get('taskstream', '')}, which also reads it.",
        *(["", UNLICENSED] if licence(backbone["name"], task["source"]) == UNKNOWN else []),
    ])  # fmt: skip


def usage(record: Record) -> list[str]:
    """The lines of Python that load the model and answer."""
    second = ', ["a second text"]' if record["task"]["kind"] == "pair" else ""
    return [
        "from stream.share import load_model",
        f'model = load_model(".", backbone={record["backbone"]["name"]!r})  # this folder; a name, hub id or folder',
        f'print(model.answers(["a text"]{second}))',
    ]


def _origin(task: Mapping[str, Any]) -> str:
    if "repository" not in task:
        return f"source {task['source']}, content {task['data_id']}"
    configuration = f" ({task['configuration']})" if "configuration" in task else ""
    return f"{task['repository']}{configuration} at commit {task['commit']}, content {task['data_id']}"


def _proof(certificate: Mapping[str, Any] | None, metric: str) -> list[str]:
    if certificate is None:
        return ["It was not evaluated."]
    ledger = certificate["ledger"]
    after = f"{100 * certificate['score']:.2f} {metric} (x100) on {certificate['n']} test rows at the end of the stream"
    held = (
        "Its weights went on changing with later tasks, so this is measured anew at every arrival."
        if certificate["shared_weights"]
        else f"All {certificate['rows']} rows of the accuracy matrix since its arrival rest on this one Delta."
    )
    return [
        f"{after}. {held}", "",
        f"* last cell: {certificate['provenance']}; logits computed at arrival {certificate['measured_at']}",
        f"* logits {certificate['logits']}, predictions {certificate['predictions']}, batch plan {certificate['plan']}",
        f"* ledger of the run: {ledger['lines']} lines, hash of the last {ledger['hash']}; "
        "`taskstream verify` checks a run, `--rerun all` by computing every cell again",
    ]  # fmt: skip
