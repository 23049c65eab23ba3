"""Frozen-shared learners: what tasks have in common is learned on the first, and all later ones are isolated."""

from __future__ import annotations

from pathlib import Path

import pytest

from learners.backbones.published import known_architecture
from learners.delta.delta import Delta
from learners.delta.layout import common
from learners.specification.family import parse_learner
from stream import run
from stream.results.growth import growth, task_cost
from stream.storage.events import event_of
from stream.storage.finished import good
from stream.storage.store import Store
from stream.verification import verify
from tests.runs import events_of, tiny_settings

ALPHA = "adapterbias:share=alpha:frozen-shared"
LEARNERS = (ALPHA, "adapterbias:share=alpha:l0=1e-2:frozen-shared", "lora:2:frozen-shared", "layernorm:frozen-shared")


def deltas(out: Path, learner: str) -> list[Delta]:
    store = Store(out / "store")
    return [store.get_delta(event_of(event)) for event in events_of(out, "fit") if event["learner"] == learner]


@pytest.mark.parametrize("evaluate", ["full", "audited", "square"])
def test_later_tasks_keep_what_is_common_and_forget_nothing(
    evaluate: str, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    names = LEARNERS if evaluate == "full" else (ALPHA, "layernorm:frozen-shared")
    more = {"learners": ",".join(names), "evaluate": evaluate}
    results = run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path, **more)).as_dict()
    for name in names:
        learner, found = parse_learner(name), deltas(tmp_path, name)
        shared = {tensor for tensor in found[0].tensors if common(learner, tensor)}
        own = {tensor for tensor in found[0].tensors if not tensor.startswith("head.")} - shared
        assert shared
        assert bool(own) == (name != "layernorm:frozen-shared")  # which has nothing that is of a task alone
        for delta in found[1:]:
            assert {tensor: delta.digests[tensor] for tensor in shared} == {t: found[0].digests[t] for t in shared}
            assert all(delta.digests[tensor] != found[0].digests[tensor] for tensor in own)
            assert delta.pruned & shared == found[0].pruned & shared
        document = results["learners"][name]
        assert document["retention"]["verified"] is True
        assert document["metrics"]["forgetting_chaudhry"] == 0
    assert verify(tmp_path, rerun=10**6).passed


def test_what_is_common_counts_once(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    results = run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners=ALPHA)).as_dict()
    first, *later = (event for event in events_of(tmp_path, "fit"))
    d, ffn, layers = 16, 32, 2  # of the tiny backbone
    assert first["common_parameters"] == ffn + 1
    assert first["kept_parameters"] == 3 * d * layers + ffn + 1
    backbone = results["backbone"]["parameters"]
    added = first["kept_parameters"] + len(later) * 3 * d * layers
    cost = results["learners"][ALPHA]["cost"]
    assert cost["growth_without_heads"][-1] == pytest.approx(1 + added / backbone)


def test_the_account_from_a_config_counts_the_same_way() -> None:
    architecture = known_architecture("bert-base-uncased")
    learner, isolated = parse_learner(ALPHA), parse_learner("adapterbias:share=alpha")
    cost = task_cost(learner, architecture, 2)
    assert (cost.without_head, cost.common) == (30_721, 3_073)
    assert task_cost(isolated, architecture, 2).common == 0
    found = growth(learner, 10**9, [cost] * 9, heads=False)[-1]
    assert found == pytest.approx(1 + (30_721 + 8 * (30_721 - 3_073)) / 10**9)


def test_the_next_good_task_teaches_when_the_first_fails(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from learners.training import fit as training
    from learners.training.divergence import Diverged

    fit = training.fit

    def first_fails(*given: object, **named: object) -> object:
        if given[2].task.name == first:  # type: ignore[attr-defined]
            raise Diverged("the loss is nan at step 1 of 4 (epoch 1)", 1)
        return fit(*given, **named)  # type: ignore[arg-type]

    order = ("sms_spam", "colours", "rte")
    first = order[0]
    monkeypatch.setattr(training, "fit", first_fails)
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners=ALPHA, suite=",".join(order))
    results = run(**settings, order=",".join(order)).as_dict()
    assert [failure["task"] for failure in results["learners"][ALPHA]["failures"]] == [first]
    second, third = good(map(event_of, events_of(tmp_path, "fit")))
    store, learner = Store(tmp_path / "store"), parse_learner(ALPHA)
    taught, kept = store.get_delta(second), store.get_delta(third)
    shared = [tensor for tensor in taught.tensors if common(learner, tensor)]
    assert all(taught.digests[tensor] == kept.digests[tensor] for tensor in shared)
