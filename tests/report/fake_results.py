"""Made-up results and events of the right shape; the figures are plausible, not measured."""

from __future__ import annotations

import random
from typing import Any

NAMES = (
    "cola sst2 mrpc stsb qqp mnli_m mnli_mm qnli rte newsgroups20 cf_airline cf_corporate cf_disasters "
    "cf_econ_relevance cf_emotion cf_global_warming cf_political_audience cf_political_bias cf_political_message "
    "cf_primary_emotions cf_progressive_opinion cf_progressive_stance cf_us_economic complaints_issue "
    "news_aggregator sms_spam"
)
HOULSBY26 = NAMES.split()
# Specification -> (sharing, score above the floor, parameters per task without head, points lost per arrival).
LEARNERS: dict[str, tuple[str, float, int, float]] = {
    "full:isolated": ("isolated", 0.32, 22_700_000, 0.0),
    "full:sequential": ("sequential", 0.31, 22_700_000, 0.012),
    "topk:2": ("isolated", 0.29, 3_550_000, 0.0),
    "layernorm": ("isolated", 0.27, 9_984, 0.0),
    "adapter:64": ("isolated", 0.315, 604_800, 0.0),
    "adapterbias:share=alpha:l0=1e-4": ("isolated", 0.26, 12_289, 0.0),
    "head": ("isolated", 0.15, 0, 0.0),
    "majority": ("isolated", 0.0, 0, 0.0),
}
BACKBONE = 22_700_000


def task_facts(task: str) -> dict[str, Any]:
    metric = {"cola": "matthews", "stsb": "spearman", "mrpc": "f1", "qqp": "f1"}.get(task, "accuracy")
    kind = "regression" if task == "stsb" else "pair" if task in HOULSBY26[2:9] else "single"
    return {"metric": metric, "classes": 2, "train": 2_000, "test": 1_043, "kind": kind}


def make_results(
    order: list[str] | None = None, learners: list[str] | None = None, arrivals: int | None = None, seed: int = 0
) -> dict[str, Any]:
    """results.json of a stream of `order`, stopped after `arrivals` (all by default)."""
    order = HOULSBY26 if order is None else order
    learners = list(LEARNERS) if learners is None else learners
    done = len(order) if arrivals is None else arrivals
    return {
        "schema": 1,
        "suite": "houlsby26",
        "source": "folder",
        "backbone": {"name": "all-MiniLM-L6-v2", "id": "9f3c2ab81d07e655", "parameters": BACKBONE},
        "order": list(order),
        "seed": seed,
        "evaluate": "full",
        "epochs": 3,
        "batch_size": 32,
        "max_length": 64,
        "train_examples": 2000,
        "tasks": {task: task_facts(task) for task in order},
        "learners": {name: make_learner(name, list(order), done, seed) for name in learners},
        "environment": {"threads": 1},
    }


def make_learner(name: str, order: list[str], done: int, seed: int) -> dict[str, Any]:
    sharing, gain, parameters, loss = LEARNERS[name]
    floors = [random.Random(f"{seed} {task}").uniform(0.05, 0.65) for task in order]
    learned = [min(0.99, floor + gain) for floor in floors]
    rows = [
        [max(floors[j] * 0.8, learned[j] - loss * (i - j)) if j <= i else None for j in range(len(order))]
        for i in range(done)
    ]
    drops = [max(row[j] for row in rows[j:-1]) - rows[-1][j] for j in range(done - 1)]
    changes = [rows[-1][j] - rows[j][j] for j in range(done - 1)]
    copies = 1 if sharing == "sequential" else done
    head = 770
    grown = [1 + (min(i + 1, copies) * parameters + (i + 1) * head) / BACKBONE for i in range(done)]
    bare = [1 + min(i + 1, copies) * parameters / BACKBONE for i in range(done)]
    offset = 1 if name.startswith("full") else 0
    return {
        "spec": name,
        "sharing": sharing,
        "R": [[None] * len(order), *rows],
        "baseline": [None] * len(order),
        "provenance": [[None] * len(order), *([cell and "measured" for cell in row] for row in rows)],
        "metrics": {
            "average_accuracy": sum(rows[-1][:done]) / done if done else None,
            "learning_accuracy": sum(learned[:done]) / done if done else None,
            "forgetting_chaudhry": sum(drops) / len(drops) if drops else None,
            "bwt_gem": sum(changes) / len(changes) if changes else None,
            "fwt_gem": None,
        },
        "cost": {
            "trained_parameters_per_task": dict.fromkeys(order[:done], parameters),
            "head_parameters_per_task": dict.fromkeys(order[:done], head),
            "growth": [value - offset for value in grown],
            "growth_without_heads": [value - offset for value in bare],
            "bytes_per_task": dict.fromkeys(order[:done], 4 * (parameters + head)),
            "train_flops": None,
            "train_seconds": 31.5 * done if parameters else None,
            "evaluate_seconds": 4.0 * done,
            "peak_memory_bytes": 812_000_000,
        },
        "retention": {
            "verified": sharing == "isolated",
            "cells_measured": done * (done + 1) // 2,
            "cells_certified": 0,
            "cells_audited": 0,
            "violations": [],
        },
    }


def make_events(results: dict[str, Any], *, ends: bool = True) -> list[dict[str, Any]]:
    """The events of the run that `results` could have come from, two workers taking turns."""
    order, learners = results["order"], results["learners"]
    done = max((len(record["R"]) - 1 for record in learners.values()), default=0)
    events: list[dict[str, Any]] = [
        {
            "event": "run",
            "suite": results["suite"],
            "order": order,
            "learners": {name: {"sharing": record["sharing"]} for name, record in learners.items()},
            "backbone": results["backbone"],
            "jobs": 2 * len(order) * len(learners),
            "cached": 0,
            "seed": results["seed"],
            "out": "runs/first",
        }
    ]
    for arrival in range(1, done + 1):
        task = order[arrival - 1]
        for index, (name, record) in enumerate(learners.items()):
            facts = {"learner": name, "task": task, "arrival": arrival}
            start = {"event": "start", "tasks": len(order), "worker": index % 2, **facts}
            fit_job, row_job = f"fit-{name}-{arrival}", f"evaluate-{name}-{arrival}"
            row = record["R"][arrival]
            cells = [
                {"task": order[j], "score": row[j], "n": 1043, "provenance": "measured"}
                for j in range(len(order))
                if row[j] is not None
            ]
            events += [
                {**start, "job": fit_job, "kind": "fit"},
                {
                    "event": "progress", "job": fit_job, "learner": name, "task": task, "epoch": 2, "epochs": 3,
                    "step": 41, "steps": 189, "loss": 0.3127, "examples_per_second": 812.4,
                },
                {
                    "event": "fit", **facts, "score": 0.9, "epochs": [], "parameters": 1, "head_parameters": 770,
                    "bytes": 4, "seconds": 31.5, "cached": False, "delta": "d41f",
                },
                {**start, "job": row_job, "kind": "evaluate"},
                {
                    "event": "row", **facts, "cells": cells, "growth": record["cost"]["growth"][arrival - 1],
                    "forgetting": record["metrics"]["forgetting_chaudhry"], "seconds": 4.0, "verified": True,
                },
            ]  # fmt: skip
        events.append({"event": "arrival", "arrival": arrival, "tasks": len(order), "task": task, "seconds": 118.0})
    if ends:
        events.append({"event": "end", "seconds": 3071.0, "out": "runs/first"})
    return events
