"""A run in this process: what isolated learners keep and sequential ones lose, whatever the order and the way."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import learners.training.fit
import stream.execution.row_job
from learners.backbones.backbone import Backbone
from learners.delta.delta import Delta, load_delta
from learners.training.result import Fit
from stream import Results, run
from stream.errors import RunFailed
from stream.storage.learner_folder import learner_folder
from stream.storage.store import Store
from tests.runs import TASKS, deltas_of, events_of, fitted, ledger_of, matrices_of, read_results, tiny_settings

ISOLATED = ("full:isolated", "topk:1", "layernorm", "adapter:4", "adapterbias:share=alpha:l0=0.5", "head", "majority")
SEQUENTIAL = ("full:sequential", "adapter:4:sequential")
T = len(TASKS)


class Ran(NamedTuple):
    """A finished run: its folder, what it returned, and what it told while it ran."""

    out: Path
    results: dict[str, Any]
    told: list[dict[str, Any]]

    def delta(self, learner: str, task: str) -> Delta:
        return load_delta(Store(self.out / "store").delta_path(deltas_of(self.out)[learner, task]))


@pytest.fixture(scope="module")
def ran(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    out = tmp_path_factory.mktemp("engine") / "run"
    told: list[dict[str, Any]] = []
    learners = ",".join((*ISOLATED, *SEQUENTIAL))
    results = run(**tiny_settings(tiny_tasks, tiny_backbone, out, learners=learners), handle=told.append).as_dict()
    return Ran(out, results, told)


def test_it_returns_what_it_writes(ran: Ran) -> None:
    assert read_results(ran.out) == ran.results
    assert ran.results["order"] == list(TASKS)
    assert list(ran.results["learners"]) == [*ISOLATED, *SEQUENTIAL]


def test_every_job_is_told_once_and_written_once(ran: Ran) -> None:
    learners, arrivals = len(ISOLATED + SEQUENTIAL), T
    opening = next(event for event in ran.told if event["event"] == "run")
    assert (opening["jobs"], opening["cached"]) == (learners * (1 + 2 * arrivals), 0)
    started = [event["job"] for event in ran.told if event["event"] == "start"]
    ended = [event["job"] for event in ran.told if event["event"] in ("before", "fit", "row")]
    assert started == ended
    assert len(set(ended)) == opening["jobs"]
    assert [event["arrival"] for event in ran.told if event["event"] == "arrival"] == [1, 2, 3]
    assert ran.told[-1]["event"] == "end"
    kinds = [event["event"] for event in ledger_of(ran.out)]
    assert [kinds.count(kind) for kind in ("before", "fit", "evaluate", "end")] == [
        learners, learners * arrivals, learners * arrivals, 1,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ISOLATED)
def test_isolated_learners_forget_exactly_nothing(ran: Ran, name: str) -> None:
    learner = ran.results["learners"][name]
    for arrival, row in enumerate(learner["R"][1:], start=1):
        assert row[:arrival] == [learner["R"][j + 1][j] for j in range(arrival)]
        assert row[arrival:] == [None] * (T - arrival)
    for metric in ("forgetting_chaudhry", "forgetting_mammoth", "forgetting_avalanche", "bwt_gem", "bwt_trace"):
        assert learner["metrics"][metric] == 0.0
    hows = [how for row in learner["provenance"][1:] for how in row if how is not None]
    retention = dict(learner["retention"])
    assert retention.pop("cells_partly_measured", 0) == hows.count("partly-measured")
    assert retention == {
        "verified": True,
        "cells_measured": hows.count("measured"),
        "cells_certified": 0,
        "cells_audited": 0,
        "violations": [],
    }


def test_a_cell_whose_frozen_layers_came_from_the_cache_is_partly_measured(ran: Ran) -> None:
    """One process did all jobs. The first learner that adds nothing runs all layers on each task before training, and
    the head reads what it kept; the first evaluation of a task by topk:1 runs them and keeps what topk:1 reads."""
    whole, part = "measured", "partly-measured"
    shown = {name: learner["provenance"] for name, learner in ran.results["learners"].items()}
    for name, rows in shown.items():
        adds = name.startswith("adapter") or name == "majority"
        assert rows[0] == [whole if adds or name == "full:isolated" else part] * T
        own = {"topk:1": whole, "head": part}.get(name, whole)
        later = part if name in ("topk:1", "head") else whole
        assert rows[1:] == [
            [own if j == i else later if j < i else None for j in range(T)] for i in range(T)
        ]  # fmt: skip
    assert ran.results["learners"]["head"]["retention"]["verified"]
    frame = Results.from_dict(ran.results).frame()
    assert (frame[frame["learner"] == "head"]["provenance"] == part).all()


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_sequential_learners_change_their_body_and_are_measured(ran: Ran, name: str) -> None:
    learner = ran.results["learners"][name]
    assert not learner["retention"]["verified"]
    assert learner["retention"]["cells_measured"] == T * (T + 1) // 2
    rows = [event for event in events_of(ran.out, "evaluate") if event["learner"] == name]
    first = [row["cells"][0] for row in rows]
    assert {cell["task"] for cell in first} == {TASKS[0]}
    assert len({cell["logits"] for cell in first}) == T  # the first task is answered anew after each arrival
    bodies = [ran.delta(name, task).tensors for task in TASKS]
    for one, other in itertools.pairwise(bodies):
        names = [tensor for tensor in one if not tensor.startswith("head.")]
        assert names
        assert any(not torch.equal(one[tensor], other[tensor]) for tensor in names)


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_sequential_learner_keeps_the_heads_of_past_tasks(ran: Ran, name: str) -> None:
    """The last row is scored with the newest body and each task's own head: what `delta` of its cells identifies."""
    row = next(e for e in events_of(ran.out, "evaluate") if e["learner"] == name and e["arrival"] == T)
    newest = ran.delta(name, TASKS[-1])
    for cell in row["cells"]:
        own = ran.delta(name, cell["task"])
        assert cell["delta"] == newest.with_head(own).id


def test_the_account_equals_what_lies_in_the_store(ran: Ran) -> None:
    backbone = ran.results["backbone"]["parameters"]
    assert backbone == 6032  # (30 + 48 + 2)·16 + 32 of embeddings, 2 layers of 2,224, a pooler of 272
    for name, learner in ran.results["learners"].items():
        cost, total, heads = learner["cost"], 0, 0
        for arrival, task in enumerate(TASKS):
            delta = ran.delta(name, task)
            path = Store(ran.out / "store").delta_path(delta.id)
            sizes = {
                tensor: int(torch.count_nonzero(values)) if tensor in delta.pruned else values.numel()
                for tensor, values in delta.tensors.items()
            }
            head = sum(size for tensor, size in sizes.items() if tensor.startswith("head."))
            added = sum(size for tensor, size in sizes.items() if tensor.startswith("added."))
            body = sum(sizes.values()) - head
            assert cost["kept_parameters_per_task"][task] == body
            whole = sum(t.numel() for tensor, t in delta.tensors.items() if not tensor.startswith("head."))
            assert cost["trained_parameters_per_task"][task] == whole
            assert cost["head_parameters_per_task"][task] == head
            evolves = learner["sharing"] == "sequential" and task != TASKS[-1]
            assert cost["bytes_per_task"][task] == (4 * head if evolves else path.stat().st_size)
            heads += head
            if name in SEQUENTIAL:
                total = backbone + added
            else:
                total = (total or (0 if name == "full:isolated" else backbone)) + body
            assert cost["growth_without_heads"][arrival] == pytest.approx(total / backbone, rel=1e-12)
            assert cost["growth"][arrival] == pytest.approx((total + heads) / backbone, rel=1e-12)
        assert len(cost["growth"]) == len(cost["growth_without_heads"]) == T
        fits = [event for event in events_of(ran.out, "fit") if event["learner"] == name]
        assert cost["train_flops"] == sum(event["flops"] for event in fits)
        assert (cost["train_flops"] > 0) == (name != "majority")
        assert cost["train_seconds"] == pytest.approx(sum(event["seconds"] for event in fits))
        assert cost["evaluate_seconds"] > 0
        assert cost["peak_memory_bytes"] == max(event["peak_memory_bytes"] for event in fits) > 2**20


def test_l0_gates_prune_what_is_stored(ran: Ran) -> None:
    name = "adapterbias:share=alpha:l0=0.5"
    kept = ran.results["learners"][name]["cost"]["trained_parameters_per_task"]
    dense = 2 * 16 + 32 + 1 + 2 * 2 * 16  # v a layer, one L_α of weight and bias, two norms after the FFN
    assert max(kept.values()) <= dense
    assert all(ran.delta(name, task).pruned for task in TASKS)


def test_the_csv_is_the_matrix(ran: Ran) -> None:
    for name, matrix in matrices_of(ran.results).items():
        header, *rows = csv.reader((learner_folder(ran.out, name) / "R.csv").read_text(encoding="utf-8").splitlines())
        assert header[1:] == list(TASKS)
        assert [row[0] for row in rows] == ["before", *TASKS]
        assert [[float(cell) if cell else None for cell in row[1:]] for row in rows] == matrix


def test_the_written_settings_are_the_run(ran: Ran) -> None:
    told: list[dict[str, Any]] = []
    assert run(config=ran.out / "config.toml", handle=told.append).as_dict() == ran.results
    opening = next(event for event in told if event["event"] == "run")
    assert opening["cached"] == opening["jobs"]
    kinds = [event["event"] for event in told]
    assert "start" not in kinds
    assert kinds.count("arrival") == T  # what was done is shown again, once
    rows = [event for event in ran.told if event["event"] == "row"]
    assert [{**event, "seconds": 0} for event in told if event["event"] == "row"] == [
        {**event, "seconds": 0} for event in rows
    ]


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(TASKS).filter(lambda order: tuple(order) != TASKS))
def test_any_order_gives_the_same_isolated_deltas(
    ran: Ran, tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory, order: list[str]
) -> None:
    out = tmp_path_factory.mktemp("order") / "run"
    names = ("full:isolated", "adapter:4", "adapterbias:share=alpha:l0=0.5")
    more = {"learners": [*names, "full:sequential"], "order": order}
    results = run(**tiny_settings(tiny_tasks, tiny_backbone, out, **more)).as_dict()
    assert results["order"] == order
    expected, found = deltas_of(ran.out), deltas_of(out)
    for name in names:
        before, after = (document["learners"][name] for document in (ran.results, results))
        for place, task in enumerate(order):
            assert found[name, task] == expected[name, task]
            old = TASKS.index(task)
            assert after["R"][place + 1][place] == before["R"][old + 1][old]
            assert after["baseline"][place] == before["baseline"][old]
    assert len(fitted(out)) == T * (len(names) + 1)  # no Delta was found in a store: all were learned anew
    assert found["full:sequential", order[1]] != expected["full:sequential", order[1]]


@pytest.mark.parametrize("way", ["audited", "square"])
def test_every_way_of_evaluating_gives_the_same_matrix(
    ran: Ran, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, way: str
) -> None:
    names = ("adapter:4", "head", "full:sequential")
    more = {"learners": names, "evaluate": way, "store": tmp_path / "store"}
    out, told = tmp_path / "run", list[dict[str, Any]]()
    results = run(**tiny_settings(tiny_tasks, tiny_backbone, out, **more), handle=told.append).as_dict()
    assert not (out / "store").exists()
    for name in names:
        learner, full = results["learners"][name], ran.results["learners"][name]["R"]
        pairs = [(a, b) for rows in zip(learner["R"], full, strict=True) for a, b in zip(*rows, strict=True)]
        assert all(a == b for a, b in pairs if b is not None)
        assert all((a is None) == (b is None) for a, b in pairs) == (way == "audited")
        assert all(a is not None for a, _ in pairs) == (way == "square")
    if way == "square":
        # row i of task i + 1, before it arrives: what forward transfer is taken from
        assert all(results["learners"][name]["metrics"]["fwt_gem"] is not None for name in names)
        return
    assert len([event for event in told if event["event"] == "start" and event["kind"] == "audit"]) == 2
    for name in ("adapter:4", "head"):
        rows = [event for event in events_of(out, "evaluate") if event["learner"] == name]
        (last,) = [event["cells"] for event in events_of(out, "audit") if event["learner"] == name]
        cells = [*itertools.chain(*(row["cells"] for row in rows)), *last]
        assert len(cells) == T + (T - 1) + T
        learner = results["learners"][name]
        for arrival, row in enumerate(rows, start=1):
            hows = [cell["provenance"] for cell in row["cells"]]
            assert hows == ["audited"] * min(arrival - 1, 1) + ["measured"]
            assert row["certified"] == max(arrival - 2, 0)
            shown = learner["provenance"][arrival][: arrival - 1] if arrival < T else []  # the last row: audited below
            assert sorted(shown) == ["audited"] * min(len(shown), 1) + ["certified"] * (len(shown) - 1)
        assert learner["provenance"][-1] == ["audited"] * T
        assert learner["retention"]["verified"]
        counts = [learner["retention"][f"cells_{how}"] for how in ("measured", "certified", "audited")]
        assert sum(counts) == T * (T + 1) // 2
        assert counts == [sum(row.count(how) for row in learner["provenance"][1:])
                          for how in ("measured", "certified", "audited")]  # fmt: skip
    before, *rows = results["learners"]["full:sequential"]["provenance"]
    assert before == ["partly-measured"] * T  # the head kept what both start from
    assert set(itertools.chain(*rows)) == {"measured", None}


def test_settings_of_training_reach_the_learners(
    ran: Ran, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path
) -> None:
    more = {"suite": "colours", "learners": "head,head:epochs=3:patience=5", "train_examples": 20, "test_examples": 5}
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", **more)
    results = run(**settings).as_dict()
    facts = results["tasks"]["colours"]
    assert (facts["train"], facts["validation"] <= 5, facts["test"]) == (20, True, 5)
    epochs = {event["learner"]: len(event["validation"]) for event in events_of(tmp_path / "run", "fit")}
    assert epochs == {"head": 1, "head:epochs=3:patience=5": 3}
    examples = {event["learner"]: event["examples"] for event in events_of(tmp_path / "run", "fit")}
    assert examples == {"head": 20, "head:epochs=3:patience=5": 60}
    reseeded = run(**{**settings, "seed": 1, "out": str(tmp_path / "other")}).as_dict()
    assert reseeded["seed"] == 1
    assert deltas_of(tmp_path / "other") != deltas_of(tmp_path / "run")


def test_bfloat16_runs_and_is_another_job(ran: Ran, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    more = {"suite": "colours", "learners": "adapter:4", "dtype": "bfloat16", "store": ran.out / "store"}
    results = run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", **more)).as_dict()
    assert fitted(tmp_path / "run") == [("adapter:4", "colours")]
    assert results["backbone"]["id"] == ran.results["backbone"]["id"]
    assert results["learners"]["adapter:4"]["retention"]["verified"]


@pytest.mark.parametrize("moment", ["fit", "evaluate"])
def test_a_changed_backbone_ends_the_run(
    ran: Ran, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """An edit of one weight, as by a learner that merges in place, stops the run, and nothing of it is kept."""
    place = learners.training.fit if moment == "fit" else stream.execution.row_job
    honest = getattr(place, moment)
    name = "encoder.layer.1.output.dense.weight"

    def harmful(backbone: Backbone, *arguments: Any) -> Fit:
        outcome: Fit = honest(backbone, *arguments)
        if arguments[1].task.name == "colours" if moment == "fit" else arguments[2].name == "colours":
            backbone.computed[name].view(-1)[7] += 1e-4
        return outcome

    monkeypatch.setattr(place, moment, harmful)
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path, learners="adapter:4")
    with pytest.raises(RunFailed, match=rf"BackboneChanged: learner adapter:4.*tensor {name} changed"):
        run(**settings)
    monkeypatch.undo()
    assert fitted(tmp_path) == ([("adapter:4", TASKS[0])] if moment == "fit" else [])
    assert len(list(tmp_path.glob("store/deltas/*"))) == len(fitted(tmp_path))
    assert ledger_of(tmp_path)[-1]["type"] == "BackboneChanged"
    results = run(**settings).as_dict()  # the same call again goes on, with the backbone as it should be
    assert results["learners"]["adapter:4"]["R"] == ran.results["learners"]["adapter:4"]["R"]
    assert len(fitted(tmp_path)) == T


def test_answers_that_change_by_themselves_end_the_run(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal inputs and other logits: a machine whose arithmetic does not repeat is told, not averaged away."""
    from dataclasses import replace

    honest, calls = stream.execution.row_job.evaluate, itertools.count()

    def unsteady(*arguments: Any) -> Any:
        call, found = next(calls), honest(*arguments)
        return found if call <= T else replace(found, logits=f"{call}" * 64)  # from the second arrival on

    monkeypatch.setattr(stream.execution.row_job, "evaluate", unsteady)
    told: list[dict[str, Any]] = []
    with pytest.raises(RunFailed, match=f"task {TASKS[0]} has other logits than when it was learned"):
        run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path), handle=told.append)
    (violation,) = [event for event in told if event["event"] == "violation"]
    assert (violation["learner"], violation["task"], violation["arrival"]) == ("head", TASKS[0], 2)
    retention = read_results(tmp_path)["learners"]["head"]["retention"]
    assert not retention["verified"]
    assert [found["task"] for found in retention["violations"]] == [TASKS[0]]
    monkeypatch.undo()  # the machine repeats itself again: the same call does that row anew and goes on
    results = run(**tiny_settings(tiny_tasks, tiny_backbone, tmp_path)).as_dict()
    assert "violation" in [event["event"] for event in ledger_of(tmp_path)]
    assert results["learners"]["head"]["R"][T] is not None
