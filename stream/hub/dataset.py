"""The results of a run as a data set that `datasets.load_dataset` reads: accuracy matrices, metrics, cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stream.hub.card import licence, own_backbone
from stream.hub.manifest import published_at, without_path

Columns = dict[str, list[Any]]

DESCRIBED = {
    "matrix": "a cell of R a row: the score of a task after an arrival (0: before any training), and how it was had",
    "metrics": "a summary of R a row, by the name of its convention",
    "cost": "what a learner keeps and trained for a task",
}


def write_results(folder: Path, results: Mapping[str, Any], backbone: str) -> None:
    """Write Parquet files and the data-set card into an empty folder.

    Args:
        results: The document of results.json. What it says of the machine, its paths and its times stays out.
        backbone: What others call it (`learners.export.peft.reference`).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"arrived": pa.string(), "provenance": pa.string(), "score": pa.float64(), "value": pa.float64()}
    tables = {"matrix": _matrix(results), "metrics": _metrics(results), "cost": _cost(results)}
    for name, columns in tables.items():
        arrays = {column: pa.array(values, types.get(column)) for column, values in columns.items()}
        pq.write_table(pa.table(arrays), folder / f"{name}.parquet")
    (folder / "README.md").write_text(_card(results, backbone), encoding="utf-8")


def _matrix(results: Mapping[str, Any]) -> Columns:
    order = results["order"]
    columns: Columns = {name: [] for name in ("learner", "arrival", "arrived", "task", "score", "provenance")}
    for name, learner in results["learners"].items():
        rows = zip(learner["R"], learner["provenance"], strict=True)
        for arrival, (scores, how) in enumerate(rows):
            for task, score, provenance in zip(order, scores, how, strict=True):
                cell = (name, arrival, order[arrival - 1] if arrival else None, task, score, provenance)
                for column, value in zip(columns, cell, strict=True):
                    columns[column].append(value)
    return columns


def _metrics(results: Mapping[str, Any]) -> Columns:
    columns: Columns = {"learner": [], "metric": [], "value": []}
    for name, learner in results["learners"].items():
        for metric, value in learner["metrics"].items():
            if value is None or isinstance(value, int | float):
                for column, item in zip(columns, (name, metric, value), strict=True):
                    columns[column].append(item)
    return columns


def _cost(results: Mapping[str, Any]) -> Columns:
    kinds = ("trained_parameters", "kept_parameters", "head_parameters", "bytes")
    columns: Columns = {name: [] for name in ("learner", "task", *kinds)}
    for name, learner in results["learners"].items():
        for task in learner["cost"]["bytes_per_task"]:
            columns["learner"].append(name)
            columns["task"].append(task)
            for kind in kinds:
                columns[kind].append(learner["cost"][f"{kind}_per_task"][task])
    return columns


def _card(results: Mapping[str, Any], backbone: str) -> str:
    from huggingface_hub import DatasetCardData

    source = without_path(results["source"])
    origins = {task: published_at(about["notes"]) for task, about in results["tasks"].items()}
    configs = [
        {"config_name": name, "data_files": f"{name}.parquet", **({"default": True} if name == "matrix" else {})}
        for name in DESCRIBED
    ]
    texts = "simulated text" if source.startswith("simulated") else "text"
    title = f"Continual learning of {len(results['order'])} {texts} tasks on {own_backbone(backbone)}"
    repositories = sorted({origin["repository"] for origin in origins.values() if origin})
    data = DatasetCardData(
        license=licence(backbone, source),
        pretty_name=title,
        task_categories=["text-classification"],
        tags=["taskstream", "continual-learning", "benchmark-results"],
        source_datasets=repositories or None,
        configs=configs,
    )
    tasks = [
        f"| {task} | {about['kind']} | {about['metric']} | {_classes(about)} | {about['train']} | {about['test']} | "
        f"{_commit(origins[task])} |"
        for task, about in ((task, results["tasks"][task]) for task in results["order"])
    ]
    return "\n".join([
        "---", data.to_yaml(), "---", "", f"# {title}", "",
        f"Learners: {', '.join(f'`{name}`' for name in results['learners'])}. Suite {results['suite']}, source "
        f"{source}, seed {results['seed']}; tasks arrived in the order below. Backbone: {own_backbone(backbone)}, "
        f"content {results['backbone']['id']}.", "",
        *(f"* `{name}`: {text}" for name, text in DESCRIBED.items()), "",
        "| task | kind | metric | classes | train | test | commit |", "|---|---|---|---|---|---|---|", *tasks, "",
        "```python", "from datasets import load_dataset",
        'matrix = load_dataset(".", "matrix", split="train").to_pandas()  # this folder, or its id on the hub',
        'print(matrix.pivot_table("score", ["learner", "arrival"], "task", sort=False))', "```", "",
    ])  # fmt: skip


def _classes(about: Mapping[str, Any]) -> str:
    return "–" if about["kind"] == "regression" else str(about["classes"])


def _commit(origin: Mapping[str, str]) -> str:
    return f"{origin['repository']}@{origin['commit'][:12]}" if origin else "–"
