"""What evaluations share: the states of frozen layers are computed once, checked at each use, and change no logit."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import stream.execute
from learners.family import parse_learners
from learners.initial import initial_delta
from stream.execute import Bench, KeptChanged, Setup, execute
from stream.plan import Job
from stream.store import Store
from tests.loaded import backbone, encoded

LEARNERS = parse_learners("head,feature:2,topk:1,topk:1:sequential,adapter:8")
TASKS = {name: encoded(name) for name in ("one", "two")}


def bench(folder: Path, keep: bool) -> Bench:
    base = backbone()
    setup = Setup(
        backbone=base.name, backbone_id=base.id, dtype="float32", learners=tuple(LEARNERS), overrides={}, data={},
        store=str(folder), seed=0, train_examples=None, test_examples=None, keep=keep,
    )  # fmt: skip
    return Bench(setup, base, LEARNERS, Store(folder), dict(TASKS))


def logits_of(at: Bench, learner: str) -> list[str]:
    result = execute(at, Job("before", learner, 0, tuple(TASKS)), {}, lambda event: None)
    return [cell["logits"] for cell in result["cells"]]


@pytest.mark.parametrize("learner", LEARNERS)
def test_logits_are_those_of_a_bench_that_keeps_nothing(learner: str, tmp_path: Path) -> None:
    keeping, plain = bench(tmp_path, keep=True), bench(tmp_path, keep=False)
    expected = logits_of(plain, learner)
    assert [logits_of(keeping, learner) for _ in range(2)] == [expected, expected]
    assert plain.kept == {}
    assert bool(keeping.kept) == (learner != "adapter:8")


def test_learners_that_leave_as_many_layers_share(tmp_path: Path) -> None:
    at = bench(tmp_path, keep=True)
    for learner in ("topk:1", "topk:1:sequential"):
        logits_of(at, learner)
        assert sorted(at.kept) == [("one", 1, 1), ("two", 1, 1)]
    logits_of(at, "head")
    assert len(at.kept) == 4


def test_what_changed_in_memory_is_told_not_used(tmp_path: Path) -> None:
    at = bench(tmp_path, keep=True)
    logits_of(at, "head")
    kept, _ = at.kept["two", 2, 1]
    assert kept.kept is not None
    kept.kept.view(torch.uint8)[0, 0] ^= 1
    with pytest.raises(KeptChanged, match="two"):
        logits_of(at, "head")


def test_what_there_is_no_room_for_is_computed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream.execute, "KEPT", 0)
    at, plain = bench(tmp_path, keep=True), bench(tmp_path, keep=False)
    assert logits_of(at, "topk:1") == logits_of(plain, "topk:1")
    assert at.kept == {}


def test_the_time_of_an_evaluation_holds_that_of_the_frozen_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(100))
    monkeypatch.setattr(stream.execute.time, "perf_counter", lambda: float(next(now)))
    at, learner = bench(tmp_path, keep=True), LEARNERS["head"]
    delta = initial_delta(at.backbone, learner, TASKS["one"].task, 0)
    assert stream.execute._score(at, learner, delta, "one").seconds == 3.0, "from before `below` to after `evaluate`"
