"""Writes the results of a run as a data set for `datasets.load_dataset`: accuracy matrices, metrics, cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stream.hub.card import licence, own_backbone
from stream.hub.manifest import published_at, without_path
from stream.results.results import Results, TaskInfo

Columns = dict[str, list[object]]

DESCRIBED = {
    "matrix": "one cell of R per row: score of a task after an arrival (0: before any training), and its provenance",
    "metrics": "one metric of one learner per row; the name says which definition it is",
    "cost": "one task of one learner per row: trained and kept parameters, and stored bytes",
}


def write_results(folder: Path, results: Results, backbone: str) -> None:
    """Writes Parquet files and the data-set card into an empty folder.

    Args:
        results: The results. Facts about the machine, its paths and its times are not written.
        backbone: Public name of the backbone (`learners.export.peft_base.reference`).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"arrived": pa.string(), "provenance": pa.string(), "score": pa.float64(), "value": pa.float64()}
    tables = {"matrix": _matrix(results), "metrics": _metrics(results), "cost": _cost(results)}
    for name, columns in tables.items():
        arrays = {column: pa.array(values, types.get(column)) for column, values in columns.items()}
        pq.write_table(pa.table(arrays), folder / f"{name}.parquet")
    (folder / "README.md").write_text(_card(results, backbone), encoding="utf-8")


def _matrix(results: Results) -> Columns:
    columns: Columns = {name: [] for name in ("learner", "arrival", "arrived", "task", "score", "provenance")}
    for name, learner in results.items():
        arrived = [None, *results.order[: learner.arrivals]]
        for arrival, scores in enumerate(learner.rows()):
            columns["learner"] += [name] * len(scores)
            columns["arrival"] += [arrival] * len(scores)
            columns["arrived"] += [arrived[arrival]] * len(scores)
            columns["task"] += results.order
            columns["score"] += scores
            columns["provenance"] += [how or None for how in learner.provenance[arrival].tolist()]
    return columns


def _metrics(results: Results) -> Columns:
    rows = [(name, *pair) for name, learner in results.items() for pair in learner.metrics.items()]
    return {column: [row[place] for row in rows] for place, column in enumerate(("learner", "metric", "value"))}


def _cost(results: Results) -> Columns:
    tasks = [(name, learner.cost, task) for name, learner in results.items() for task in learner.cost.bytes_per_task]
    return {
        "learner": [name for name, _, _ in tasks],
        "task": [task for _, _, task in tasks],
        "trained_parameters": [cost.trained_parameters_per_task.get(task) for _, cost, task in tasks],
        "kept_parameters": [cost.kept_parameters_per_task.get(task) for _, cost, task in tasks],
        "head_parameters": [cost.head_parameters_per_task.get(task) for _, cost, task in tasks],
        "bytes": [cost.bytes_per_task[task] for _, cost, task in tasks],
    }


def _card(results: Results, backbone: str) -> str:
    from huggingface_hub import DatasetCardData

    source = without_path(results.source)
    origins = {task: published_at(about.notes) for task, about in results.tasks.items()}
    configs = [
        {"config_name": name, "data_files": f"{name}.parquet", **({"default": True} if name == "matrix" else {})}
        for name in DESCRIBED
    ]
    texts = "simulated text" if source.startswith("simulated") else "text"
    title = f"Continual learning of {len(results.order)} {texts} tasks on {own_backbone(backbone)}"
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
        f"| {task} | {about.kind} | {about.metric} | {_classes(about)} | {about.train} | {about.test} | "
        f"{_commit(origins[task])} |"
        for task, about in ((task, results.tasks[task]) for task in results.order)
    ]
    return "\n".join([
        "---", data.to_yaml(), "---", "", f"# {title}", "",
        f"Learners: {', '.join(f'`{name}`' for name in results)}. Suite {results.suite}, source "
        f"{source}, seed {results.seed}. Tasks arrived in the order below. Backbone: {own_backbone(backbone)}, "
        f"content id {results.backbone.id}.", "",
        *(f"* `{name}`: {text}" for name, text in DESCRIBED.items()), "",
        "| task | kind | metric | classes | train | test | commit |", "|---|---|---|---|---|---|---|", *tasks, "",
        "```python", "from datasets import load_dataset",
        'matrix = load_dataset(".", "matrix", split="train").to_pandas()  # this folder, or its id on the hub',
        'print(matrix.pivot_table("score", ["learner", "arrival"], "task", sort=False))', "```", "",
    ])  # fmt: skip


def _classes(about: TaskInfo) -> str:
    return "–" if about.kind == "regression" else str(about.classes)


def _commit(origin: Mapping[str, str]) -> str:
    return f"{origin['repository']}@{origin['commit'][:12]}" if origin else "–"
