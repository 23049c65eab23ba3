"""The benchmark of Progressive Prompts and O-LoRA: its table, its orders, and a sample of its data if it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.config.settings import RunConfig
from stream.engine.names import resolve_names
from stream.engine.stream import make_stream
from tasks.errors import InputError, InputErrors
from tasks.lm15 import LABELS, LM5, LM15, LM15_FACTS, ORDERS
from tasks.sources import open_source
from tasks.sources.originals import ORIGINALS
from tasks.suite import SUITES, TASKS
from tasks.task import Task

DATA = Path(os.environ.get("TASKSTREAM_LM15") or Path(__file__).parents[3] / "shared" / "lm15-data")


def test_the_suites() -> None:
    assert SUITES["lm5"] == ("agnews", "amazon", "yelp", "dbpedia", "yahoo") == SUITES["lm15"][:5]
    added = ("mnli", "qqp", "rte", "sst2", "wic", "cb", "copa", "boolq", "multirc", "imdb")
    assert SUITES["lm15"][5:] == added


def test_tasks_of_houlsby26_are_the_same_tasks() -> None:
    shared = [task for task in LM15 if task.name in SUITES["houlsby26"]]
    assert [task.name for task in shared] == ["qqp", "rte", "sst2"]
    assert all(task is TASKS[task.name] for task in shared)
    assert {task.metric for task in LM15} - {"accuracy"} == {"f1"}  # QQP, as in GLUE


def test_mnli_is_the_matched_one() -> None:
    assert TASKS["mnli"].hub == TASKS["mnli_m"].hub


@pytest.mark.parametrize("task", LM15, ids=lambda task: task.name)
def test_facts_agree(task: Task) -> None:
    assert len(LABELS[task.name]) == task.outputs
    assert list(LABELS[task.name]) == sorted(LABELS[task.name])
    assert set(LABELS) == {task.name for task in LM15}
    assert (task.paper is None) == (task.name in LM15_FACTS)
    assert task.hub is not None or task.name in ORIGINALS
    if task.name in LM15_FACTS:
        majority = LM15_FACTS[task.name].majority
        assert majority is not None
        assert 100 / task.outputs <= majority < 100


@pytest.mark.parametrize(
    ("order", "suite"), [("1", LM5), ("2", LM5), ("3", LM5), ("4", LM15), ("5", LM15), ("6", LM15)]
)
def test_an_order_is_a_permutation(order: str, suite: tuple[Task, ...]) -> None:
    left_out = {"yelp"} if suite is LM5 else set()
    arranged = ORDERS[order][1]
    assert sorted(arranged) == sorted({task.name for task in suite} - left_out)
    assert make_stream(tuple(task.name for task in suite), order).order == arranged


def test_the_orders_differ_as_the_papers_do() -> None:
    assert len({arranged for _, arranged in ORDERS.values()}) == len(ORDERS) == 6
    first, second, third = (ORDERS[order][1] for order in "123")
    assert first[:2] == second[:2]  # the last two change places
    assert (first[2:], third[0], third[-1]) == (second[:1:-1], "yahoo", "dbpedia")
    assert [ORDERS[order][1][0] for order in "456"] == ["mnli", "multirc", "yelp"]
    assert [ORDERS[order][1][-1] for order in "456"] == ["yahoo", "yahoo", "wic"]


@given(st.sampled_from(sorted(ORDERS)), st.data())
def test_an_order_needs_all_tasks_of_its_suite(order: str, data: st.DataObject) -> None:
    suite, arranged = ORDERS[order]
    names = tuple(data.draw(st.lists(st.sampled_from(SUITES["lm15"]), unique=True, min_size=1)))
    if set(names) in (set(SUITES[suite]), set(arranged)):
        assert make_stream(names, order).order == arranged
        return
    with pytest.raises(InputError, match=f"order {order} arranges the tasks of suite {suite}") as caught:
        make_stream(names, order)
    assert f"give --suite {suite}" in str(caught.value)


@pytest.mark.parametrize("order", ["0", "7", "01", "4.0", "+1"])
def test_there_are_six_orders(order: str) -> None:
    with pytest.raises(InputError, match="unknown task"):
        make_stream(SUITES["lm15"], order)


def test_a_task_may_be_called_like_an_order() -> None:
    assert make_stream(("1",), "1").order == ("1",)


@pytest.mark.parametrize(("suite", "order"), [("lm15", "paper"), ("lm5", "1"), ("sst2,imdb", "seed:1")])
def test_the_simulated_source_says_what_it_lacks_at_once(suite: str, order: str, tmp_path: Path) -> None:
    with pytest.raises(InputErrors) as caught:
        resolve_names(RunConfig(suite=suite, order=order, out=str(tmp_path)))
    (error,) = caught.value.errors
    assert "no simulated twin of" in str(error)
    assert "give --source folder:DIR, with a folder per task, or --source hub" in str(error)
    assert ("sst2" in str(error)) is False
    assert ("imdb" in str(error)) is (suite != "lm5")
    assert "yelp" not in str(error) or order == "paper"


def test_fresh_tasks_need_no_twin(tmp_path: Path) -> None:
    assert len(resolve_names(RunConfig(suite="simulated:3,rte", out=str(tmp_path))).stream.order) == 4


def _folder(root: Path, *names: str) -> str:
    for name in names:
        (root / name).mkdir(parents=True)
        rows = [f'"text {i}","second {i}","{label}"\n' for i, label in enumerate("abc" * 20)]
        (root / name / "data.csv").write_text("text,text_b,label\n" + "".join(rows), encoding="utf-8")
    return f"folder:{root}"


def test_a_task_that_the_order_leaves_out_need_not_be_there(tmp_path: Path) -> None:
    source = _folder(tmp_path / "data", *ORDERS["1"][1])
    config = RunConfig(suite="agnews,amazon,dbpedia,yahoo", order="1", source=source, out=str(tmp_path / "run"))
    assert resolve_names(config).stream.order == ORDERS["1"][1]


def test_a_note_names_what_the_order_leaves_out(tmp_path: Path) -> None:
    source = _folder(tmp_path / "data", *SUITES["lm5"])
    found = resolve_names(RunConfig(suite="lm5", order="2", source=source, out=str(tmp_path / "run")))
    assert found.stream.order == ORDERS["2"][1]
    assert found.notes == ("order 2 of lm5 leaves out yelp",)
    assert resolve_names(RunConfig(suite="lm5", source=source, out=str(tmp_path / "run"))).notes == ()


@pytest.mark.parametrize("task", LM15, ids=lambda task: task.name)
def test_the_sample_has_these_classes(task: Task) -> None:
    if not DATA.is_dir():
        pytest.skip("no sample of the benchmark here: set TASKSTREAM_LM15 to a folder with a folder a task")
    data = open_source(f"folder:{DATA}").load(task.name)
    assert data.task.labels == LABELS[task.name]
    assert min(len(data.train), len(data.validation), len(data.test)) > 0
    assert (data.train.text_b is None) == (task.kind == "single")
    if task.name in LM15_FACTS:
        rows = (data.train, data.validation, data.test)
        characters = sum(len(a) + len(b) for s in rows for a, b in zip(s.text, s.text_b or [""] * len(s), strict=True))
        assert characters / sum(map(len, rows)) == pytest.approx(LM15_FACTS[task.name].mean_characters, rel=0.05)
