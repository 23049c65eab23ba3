"""What evaluations share: the states of frozen layers are computed once, checked at each use, and change no logit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import learners.forward.bert
import stream.execution.activation_cache
import stream.execution.row_job
from learners.backbones.architecture import Architecture
from learners.backbones.backbone import Dtype
from learners.delta.initial import initial_delta
from learners.specification.family import parse_learners
from stream.execution.activation_cache import ActivationsChanged
from stream.execution.evaluate_job import evaluate
from stream.execution.job import execute
from stream.execution.result import needed
from stream.execution.workbench import BackboneChanged, Setup, Workbench
from stream.storage.job import Job, JobId, JobKind
from stream.storage.store import Store
from tests.loaded import backbone, encoded

LEARNERS = parse_learners("head,feature:2,topk:1,topk:1:sequential,adapter:8")
TASKS = {name: encoded(name) for name in ("one", "two")}


def bench(folder: Path, share: bool) -> Workbench:
    base = backbone()
    setup = Setup(
        backbone=base.name, backbone_id=base.id, dtype="float32", learners=tuple(LEARNERS), overrides={}, data={},
        store=str(folder), seed=0, train_examples=None, test_examples=None, share_activations=share,
    )  # fmt: skip
    return Workbench(setup, base, LEARNERS, Store(folder), dict(TASKS))


def logits_of(at: Workbench, learner: str) -> list[str]:
    own = LEARNERS[learner]
    deltas = {name: initial_delta(at.backbone, own, TASKS[name].task, seed=3) for name in TASKS}
    return [stream.execution.row_job._score(at, own, delta, name).logits for name, delta in deltas.items()]


@pytest.mark.parametrize("learner", LEARNERS)
def test_logits_are_those_of_a_bench_that_keeps_nothing(learner: str, tmp_path: Path) -> None:
    keeping, plain = bench(tmp_path, share=True), bench(tmp_path, share=False)
    expected = logits_of(plain, learner)
    assert [logits_of(keeping, learner) for _ in range(2)] == [expected, expected]
    assert plain.activation_cache.states == {}
    assert bool(keeping.activation_cache.states) == (learner != "adapter:8")


def test_learners_that_leave_as_many_layers_share(tmp_path: Path) -> None:
    at = bench(tmp_path, share=True)
    for learner in ("topk:1", "topk:1:sequential"):
        logits_of(at, learner)
        assert sorted(at.activation_cache.states) == [("one", 1, 1), ("two", 1, 1)]
    logits_of(at, "head")
    assert len(at.activation_cache.states) == 4


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_before_training_learners_that_add_nothing_share_what_the_head_reads(dtype: Dtype, tmp_path: Path) -> None:
    """And answer what their first Deltas answer on their own, under the ids of these."""
    learners = parse_learners("full:isolated,layernorm,bitfit,topk:1,head,feature:2,adapter:8,lora:2,majority")
    at = replace(bench(tmp_path, share=False), backbone=backbone(dtype=dtype), learners=learners)
    for name, learner in learners.items():
        cells = execute(at, Job("before", name, 0, tuple(TASKS)), {}, lambda event: None).cells
        for cell, (task, data) in zip(cells, TASKS.items(), strict=True):
            delta = initial_delta(at.backbone, learner, data.task, seed=0)
            alone = evaluate(at.backbone, learner, delta, data.task, data.test)
            assert replace(cell, seconds=0, provenance="measured") == replace(alone, seconds=0), (name, task)
    assert sorted(at.activation_cache.states) == [(task, 2, read) for task in ("one", "two") for read in (1, 2)]


@pytest.mark.parametrize("room", [stream.execution.activation_cache.CAPACITY, 0])
@pytest.mark.parametrize("kind", ["before", "row"])
@pytest.mark.parametrize("share", [True, False])
def test_measured_means_that_every_layer_ran(
    share: bool, kind: str, room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream.execution.activation_cache, "CAPACITY", room)
    at, seen, partly = bench(tmp_path, share=share), set[int](), set[str]()
    computed = learners.forward.bert.layer

    def watched(a: Architecture, w: Mapping[str, Tensor], n: int, *rest: Any) -> Tensor:
        seen.add(n)
        return computed(a, w, n, *rest)

    monkeypatch.setattr(learners.forward.bert, "layer", watched)
    for name in (*LEARNERS, *LEARNERS):
        seen.clear()
        if kind == "before":
            (cell,) = execute(at, Job("before", name, 0, ("one",)), {}, lambda event: None).cells
        else:
            delta = initial_delta(at.backbone, LEARNERS[name], TASKS["one"].task, seed=3)
            cell = stream.execution.row_job._score(at, LEARNERS[name], delta, "one")
        assert cell.provenance == ("measured" if 0 in seen else "partly-measured"), name
        partly |= set() if 0 in seen else {name}
    shares = room > 0 and (share or kind == "before")
    assert partly == ({*LEARNERS} - {"adapter:8"} if shares else set())


def test_what_changed_in_memory_is_told_not_used(tmp_path: Path) -> None:
    at = bench(tmp_path, share=True)
    logits_of(at, "head")
    kept, _ = at.activation_cache.states["two", 2, 1]
    assert kept.kept is not None
    kept.kept.view(torch.uint8)[0, 0] ^= 1
    with pytest.raises(ActivationsChanged, match="two"):
        logits_of(at, "head")


@pytest.mark.parametrize("kind", ["before", "evaluate"])
def test_evaluations_that_begin_at_the_float32_copies_look_at_them(kind: JobKind, tmp_path: Path) -> None:
    """First scores, and those of tasks to come, are of weights that lie beside a model in another dtype."""
    at, learner = bench(tmp_path, share=False), "topk:1"
    at.backbone = backbone(dtype="bfloat16")
    fits = {JobId.of("fit", "topk:1", 1): needed(execute(at, Job("fit", learner, 1, ("one",)), {}, lambda event: None))}
    weight = at.backbone.weights["encoder.layer.1.output.dense.weight"].view(-1)
    kept = weight[3].clone()
    needs = () if kind == "before" else tuple(fits)
    weight[3] += 1.0
    try:
        past = Job("evaluate", learner, 1, ("one",), tuple(fits))
        assert len(execute(at, past, fits, lambda event: None).cells) == 1, "a Delta has weights of its own"
        with pytest.raises(BackboneChanged, match=r"output.dense.weight \(float32\) changed during"):
            execute(at, Job(kind, learner, 1, ("one", "two"), needs), {n: fits[n] for n in needs}, lambda event: None)
    finally:
        weight[3] = kept


def test_what_there_is_no_room_for_is_computed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream.execution.activation_cache, "CAPACITY", 0)
    at, plain = bench(tmp_path, share=True), bench(tmp_path, share=False)
    assert logits_of(at, "topk:1") == logits_of(plain, "topk:1")
    assert at.activation_cache.states == {}


def test_the_time_of_an_evaluation_holds_that_of_the_frozen_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(100))
    monkeypatch.setattr(stream.execution.row_job.time, "perf_counter", lambda: float(next(now)))
    at, learner = bench(tmp_path, share=True), LEARNERS["head"]
    delta = initial_delta(at.backbone, learner, TASKS["one"].task, 0)
    assert stream.execution.row_job._score(at, learner, delta, "one").seconds == 3.0, (
        "from before `frozen_prefix` to after `evaluate`"
    )
