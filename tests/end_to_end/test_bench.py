"""scripts/bench.py at a tiny size: who is compared does the same work, and figures follow from what was measured."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import math
import pkgutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from benchmark import limit, ours, start
from benchmark.measurement import Measurement, advantage, as_entry, as_rows, reference
from benchmark.methods import LEARNERS, model_of
from benchmark.process import Answer, Contender, ContenderFailed, Process, Processes
from benchmark.sizes import QUICK
from benchmark.trainer import SamePooling
from rich.console import Console

from learners.backbones.backbone import load_backbone
from learners.delta.layout import delta_shapes
from learners.specification.family import parse_learner
from stream import kept_workers
from stream.results.intervals import interval
from tests.runs import call

SCRIPTS = Path(__file__).parents[2] / "scripts"
SIZES = replace(
    QUICK, repetitions=1, square=32, copied=1 << 16,
    task="rte", examples=12, epochs=2, batch_size=4, max_length=24, counts=(2, 9),
    suite="rte,stsb", served=3, stream_examples=4, stream_epochs=1, test_examples=4, orders=2,
    scored_tasks=("rte",), scored_learners=("topk:1", "lora:8"), scored_examples=12, scored_test_examples=8,
)  # fmt: skip


class Here:
    """In place of a process: this one, which has loaded the libraries already."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, function: str, settings: Mapping[str, Any]) -> None:
        with warnings.catch_warnings(), contextlib.redirect_stdout(None):
            warnings.simplefilter("ignore")  # as in a contender's process
            given = json.loads(json.dumps(settings))
            self.told.append(json.dumps(pkgutil.resolve_name(function)(**given)))

    def hear(self, function: str) -> Answer:
        answer: Answer = json.loads(self.told.pop())
        return answer


class Shared(dict[str, Any]):
    """One process under every name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Any:
        return self["all"]


class OneProcess(Processes):
    """All contenders in this process: these tests do not look at times."""

    def __init__(self, logs: Path) -> None:
        super().__init__(logs)
        self.opened = Shared(all=Here())

    def fresh(
        self, contender: Contender, calls: Sequence[Mapping[str, Any]], threads: int
    ) -> tuple[float, list[Answer]]:
        return 1.0, [self.ask(contender, settings) for settings in calls]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench", SCRIPTS / "bench.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def document(
    script: ModuleType, tiny_backbone: Path, tiny_tasks: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Every part, on the tiny backbone and tasks of a folder."""
    out = tmp_path_factory.mktemp("bench")
    commands: list[list[str]] = []
    table = io.StringIO()

    def called(command: list[str], log: Path) -> float:
        commands.append(command)
        if "run" in command:
            answer = call(*command[command.index("run") :])
            assert (answer.code, answer.out, answer.err) == (0, "", "")
        return 2.0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(script, "Processes", OneProcess)
        patch.setattr(start, "seconds", called)
        patch.setattr(limit, "SECONDS", 0.01)
        patch.setattr(ours, "kept_workers", lambda count: kept_workers(1))
        found = script.bench(
            sizes=SIZES, backbone=str(tiny_backbone), source=f"folder:{tiny_tasks}", dtype="float32",
            learners="topk:1,lora:8", out=out, console=Console(file=table, width=120),
        )  # fmt: skip
    written = json.loads((out / "bench.json").read_text(encoding="utf-8"))
    assert written["measurements"] == json.loads(json.dumps(found["measurements"]))
    assert any("--help" in command for command in commands)
    assert "Trainer" in table.getvalue()
    return found


def of(document: dict[str, Any], part: str) -> list[dict[str, Any]]:
    return [each for each in document["measurements"] if each["part"] == part]


def test_every_part_measures(document: dict[str, Any]) -> None:
    assert {each["part"] for each in document["measurements"]} == {"limit", *"abcdefghi"}
    # Here all contenders are in one process, whose memory says nothing.
    measured = [each for each in document["measurements"] if not each["case"].endswith("memory")]
    assert all(value > 0 and math.isfinite(value) for each in measured for value in each["values"])
    assert len({(m["part"], m["case"], m["contender"], m["unit"]) for m in document["measurements"]}) == len(
        document["measurements"]
    )
    assert [(each["case"], each["contender"]) for each in of(document, "a")] == [
        (learner, contender)
        for learner in ("topk:1", "lora:8")
        for contender in ("taskstream float32", "Trainer", "Avalanche", "plain loop")
    ]
    assert {each["case"] for each in of(document, "b")} == {"adapter, 2 tasks"}  # the folder has four
    names = {each["contender"].split(",")[0] for each in of(document, "c")}
    assert names == {"taskstream full", "taskstream audited", "Avalanche"}
    assert {each["contender"] for each in of(document, "f") if each["case"] == "lora:8"} == {
        "taskstream Delta", "peft adapter", "state_dict", "Avalanche checkpoint"
    }  # fmt: skip
    assert {each["contender"] for each in of(document, "h")} == {
        "taskstream one encoder",
        "taskstream a model per task",
    }
    packs = [each["contender"] for each in of(document, "i") if each["case"] == "lora:8, fits of 2 tasks"]
    assert packs == ["taskstream one by one", *(f"taskstream packs of {slots}" for slots in (2, 4, 8))]


def test_what_is_derived(document: dict[str, Any]) -> None:
    peak = document["peak_flops"]["float32"]
    assert peak == pytest.approx(
        1e9 * max(max(each["values"]) for each in of(document, "limit") if each["contender"] == "float32")
    )
    for learner in ("topk:1", "lora:8"):
        ours, *others = (each for each in of(document, "a") if each["case"] == learner)
        for other in others:
            assert other["ours_is_times_better"] == pytest.approx(ours["median"] / other["median"])
            assert other["share"] / ours["share"] == pytest.approx(other["median"] / ours["median"])  # equal work
    orders = of(document, "d")
    assert [(each["values"], each["note"]) for each in orders] == [((1.0,), ""), ((2.0,), "extrapolated from 1: 1 s")]


def test_scores(document: dict[str, Any]) -> None:
    for learner in ("topk:1", "lora:8"):
        ours, theirs = (each for each in of(document, "g") if each["case"] == f"{learner}, 1 tasks")
        assert (ours["contender"], theirs["contender"]) == ("taskstream float32", "Trainer")
        assert len(ours["values"]) == len(theirs["values"]) == SIZES.seeds
        apart = [y - x for x, y in zip(ours["values"], theirs["values"], strict=True)]
        assert theirs["note"].startswith(interval([each / 100 for each in apart]).points(sign=True))


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # peft asks for it
@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("library", [False, True])
def test_trainers_model_reads_what_ours_reads(pooling: str, library: bool, tiny_backbone: Path) -> None:
    model = SamePooling(model_of(str(tiny_backbone), "lora:8", 3, library=library), pooling).eval()
    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]])
    mask, labels = (ids != 0).long(), torch.tensor([0, 2])
    with torch.no_grad():
        output = model(labels, input_ids=ids, attention_mask=mask)
        states = model.encoder(input_ids=ids, attention_mask=mask)
    read = states.pooler_output
    if pooling == "mean":
        read = torch.stack([states.last_hidden_state[0].mean(0), states.last_hidden_state[1, :3].mean(0)])
    torch.testing.assert_close(output["logits"], model.head(read))
    torch.testing.assert_close(output["loss"], torch.nn.functional.cross_entropy(output["logits"], labels))


def test_bytes(document: dict[str, Any], tiny_backbone: Path) -> None:
    sizes = {(each["case"], each["contender"]): each["median"] for each in of(document, "f") if each["unit"] == "kB"}
    backbone = load_backbone(str(tiny_backbone))
    for learner in ("topk:1", "lora:8"):
        shapes = delta_shapes(parse_learner(learner), backbone.architecture, 2)
        values = sum(4 * math.prod(shape) for shape in shapes.values()) / 1e3
        assert values < sizes[learner, "taskstream Delta"] < values + 10  # and a header
        assert sizes[learner, "Avalanche checkpoint"] > sizes[learner, "state_dict"] > 4 * backbone.parameters / 1e3


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing.*:FutureWarning")  # peft asks for it
@pytest.mark.filterwarnings("ignore:Unsupported layer type.*LayerNorm:UserWarning")  # of its own LNTuning
@pytest.mark.parametrize("library", [False, True])
@pytest.mark.parametrize("learner", LEARNERS)
def test_others_train_what_ours_trains(learner: str, library: bool, tiny_backbone: Path) -> None:
    model = model_of(str(tiny_backbone), learner, 3, library=library)
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    shapes = delta_shapes(parse_learner(learner), load_backbone(str(tiny_backbone)).architecture, 3)
    assert trained == sum(math.prod(shape) for shape in shapes.values())


@pytest.mark.filterwarnings("ignore:JAXopt:DeprecationWarning")  # a dependency of Avalanche's
def test_avalanches_best_epoch_is_kept() -> None:
    """Epochs of validation accuracy 0.5, 0.75 and 0.75: the second; what is tested in between does not count."""
    from benchmark.avalanche_strategy import BestEpoch

    model, plugin = torch.nn.Linear(1, 1, bias=False), BestEpoch()
    metrics: dict[str, float] = {}
    valid, test = (
        SimpleNamespace(origin_stream=SimpleNamespace(name=name), task_label=3) for name in ("valid", "test")
    )
    strategy = SimpleNamespace(model=model, evaluator=SimpleNamespace(get_last_metrics=lambda: metrics))
    plugin.before_training_exp(strategy)
    for value, accuracy, experience in ((1.0, 0.5, valid), (2.0, 0.75, valid), (3.0, 0.75, valid), (4.0, 1.0, test)):
        torch.nn.init.constant_(model.weight, value)
        metrics["Top1_Acc_Exp/eval_phase/valid_stream/Task002/Exp002"] = 1.0  # of the task before
        metrics[f"Top1_Acc_Exp/eval_phase/{experience.origin_stream.name}_stream/Task003/Exp003"] = accuracy
        strategy.experience = experience
        plugin.after_eval(strategy)
    plugin.after_training_exp(strategy)
    assert model.weight.item() == 2.0


def test_advantage_and_table() -> None:
    rates = [Measurement("a", "x", "taskstream bfloat16", "examples/s", (8.0, 10.0, 30.0), more=True, share=0.25),
             Measurement("a", "x", "Trainer", "examples/s", (4.0, 6.0), more=True)]  # fmt: skip
    seconds = [
        Measurement("c", "x", "Avalanche", "s", (600.0,), note="why"),
        Measurement("c", "x", "taskstream", "s", (60.0,)),
    ]
    found = [*rates, *seconds]
    assert reference(rates[1], found) is rates[0]
    assert reference(seconds[0], found) is seconds[1]
    assert (advantage(rates[1], rates[0]), advantage(seconds[0], seconds[1])) == (2.0, 10.0)
    assert as_rows(found) == [
        ["a", "x", "taskstream bfloat16", "10 examples/s", "", "25.0 %", "8 to 30", ""],
        ["", "", "Trainer", "5 examples/s", "2×", "", "4 to 6", ""],
        ["c", "x", "Avalanche", "600 s", "10×", "", "", "why"],
        ["", "", "taskstream", "60 s", "", "", "", ""],
    ]
    assert as_entry(rates[0], rates[1:])["ours_is_times_better"] is None


def test_the_faster_dtype(script: ModuleType) -> None:
    """By the backbone's own shapes, in all: what square matrices say does not count, nor a small product much."""

    def at(case: str, dtype: str, rate: float) -> Measurement:
        return Measurement("limit", case, dtype, "GFLOP/s", (rate,), more=True)

    found = [at("square 9x9x9", "float32", 1.0), at("square 9x9x9", "bfloat16", 9.0),
             at("in 10x10x10", "float32", 2.0), at("in 10x10x10", "bfloat16", 1.0),
             at("out 2x2x2", "float32", 1.0), at("out 2x2x2", "bfloat16", 9.0)]  # fmt: skip
    assert script.faster(found) == "float32"
    assert script.faster([*found[:3], at("in 10x10x10", "bfloat16", 3.0), *found[4:]]) == "bfloat16"


def test_a_contender_that_fails_is_named(tmp_path: Path) -> None:
    with Processes(tmp_path) as processes:
        missing = Contender("x", "some process", "math:no_such_function")
        with pytest.raises(ContenderFailed, match=r"math:no_such_function: AttributeError.*some-process\.log"):
            processes.ask(missing, {})
        dead = Contender("x", "some process", "os:_exit")
        with pytest.raises(ContenderFailed, match="os:_exit: the process ended"):
            processes.ask(dead, {"status": 3})
    assert "Traceback" in (tmp_path / "some-process.log").read_text()


def test_by_turns(tmp_path: Path) -> None:
    """A B A B: each contender asked `repetitions` times, in its own process, a first answer left out."""
    names = ("A", "B")
    who = [Contender(name, name, "benchmark.clock:turn") for name in names]
    with pytest.MonkeyPatch.context() as patch, Processes(tmp_path) as processes:
        asked: list[tuple[str, Any]] = []
        patch.setattr(processes, "tell", lambda contender, settings: asked.append((contender.name, dict(settings))))
        patch.setattr(Process, "hear", lambda self, function: {"seconds": len(asked)})
        processes.opened = Shared(all=object.__new__(Process))
        found = processes.alternate(who, {"n": 2}, 2, {"n": 1})
    assert asked == [("A", {"n": 1}), ("B", {"n": 1}), *[("A", {"n": 2}), ("B", {"n": 2})] * 2]
    assert found == {"A": [{"seconds": 3}, {"seconds": 5}], "B": [{"seconds": 4}, {"seconds": 6}]}


def test_bad_input(script: ModuleType, tiny_backbone: Path, tmp_path: Path) -> None:
    from tests.end_to_end.test_experiments import call

    for given, error in (
        (("--only", "limit,z"), "--only: unknown part 'z'"),
        (("--learners", "lora:9"), "--learners: unknown learner of the bench 'lora:9'; did you mean lora:8?"),
    ):
        answer = call("bench", *given, "--out", str(tmp_path / "out"), scripts=SCRIPTS)
        assert answer.code == 2
        assert answer.err.startswith(f"error: {error}")
    shown = call("bench", "--help", scripts=SCRIPTS)
    assert (shown.code, shown.err) == (0, "")
    assert "python scripts/bench.py" in shown.out
    assert not (tmp_path / "out").exists()
