"""Our streams inside Avalanche: the very examples of a run, and its strategies and modules on them as they are."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.logging import TextLogger
from avalanche.models import MultiHeadClassifier, MultiTaskModule
from avalanche.training import supervised
from avalanche.training.plugins import EvaluationPlugin
from torch import Tensor, nn

from learners.specification.family import parse_learner
from learners.specification.learner import Learner
from learners.training.fit import fit
from stream import run
from stream.avalanche import TextBenchmark, houlsby26
from stream.execution.evaluate_job import evaluate, scorer
from tasks.errors import InputErrors
from tests.runs import deltas_of, events_of, tiny_settings

SUITE = "sms_spam,colours,rte,stsb"
CHOICE = {"order": "stsb,colours,rte,sms_spam", "train_examples": 20, "test_examples": 4, "seed": 3}
STRATEGIES: dict[str, Mapping[str, Any]] = {
    "Naive": {},
    "Cumulative": {},
    "Replay": {"mem_size": 12},
    "GDumb": {"mem_size": 12},
    "EWC": {"ewc_lambda": 0.4},
    "SynapticIntelligence": {"si_lambda": 0.1},
    "MAS": {},
    "LwF": {"alpha": 1.0, "temperature": 2.0},
    "AGEM": {"patterns_per_exp": 6, "sample_size": 6},
    "GEM": {"patterns_per_exp": 6},
}


@pytest.fixture(scope="module")
def benchmark(tiny_backbone: Path, tiny_tasks: Path) -> TextBenchmark:
    source = f"folder:{tiny_tasks}"
    return houlsby26(suite=SUITE, source=source, backbone=str(tiny_backbone), max_length=24, **CHOICE)


def test_examples_are_those_of_a_run(
    benchmark: TextBenchmark, tiny_backbone: Path, tiny_tasks: Path, tmp_path: Path
) -> None:
    """Fits on them have the bits of the run's, evaluations the logits, in every task."""
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path, suite=SUITE, learners="head", **CHOICE)
    assert list(run(**settings).order) == list(benchmark.order)
    learner = parse_learner("head", {name: settings[name] for name in ("epochs", "batch_size", "learning_rate")})
    assert isinstance(learner, Learner)
    cells = {cell["task"]: cell["logits"] for cell in events_of(tmp_path, "evaluate")[-1]["cells"]}
    for each in benchmark.tasks:
        name = each.task.name
        delta = fit(benchmark.backbone, learner, each, scorer(each.task), benchmark.seed).delta
        assert delta.id == deltas_of(tmp_path)["head", name]
        assert evaluate(benchmark.backbone, learner, delta, each.task, each.test).logits == cells[name]


def test_no_file_of_a_task_stays_open(benchmark: TextBenchmark) -> None:
    for each in benchmark.tasks:
        for split in (each.train, each.validation, each.test):
            assert not any(isinstance(array, np.memmap) for array in vars(split).values())


def test_streams(benchmark: TextBenchmark) -> None:
    made = benchmark.to_avalanche()
    assert {*made.streams} == {"train", "valid", "test"}
    for stream, split in ((made.train_stream, "train"), (made.valid_stream, "validation"), (made.test_stream, "test")):
        assert [len(experience.dataset) for experience in stream] == [len(getattr(t, split)) for t in benchmark.tasks]
        assert [(one.task_label, one.current_experience) for one in stream] == [(i, i) for i in range(4)]
    classes = [experience.classes_in_this_experience for experience in made.train_stream]
    assert classes == [[0], [0, 1, 2], [0, 1], [0, 1]]  # stsb, colours, rte, sms_spam
    assert made.train_stream[1].previous_classes == [0]


def trained(
    benchmark: TextBenchmark, model: nn.Module, name: str, options: Mapping[str, Any], criterion: Any = None
) -> tuple[nn.Module, dict[str, float]]:
    """Train on every task by a strategy of Avalanche, then evaluate all.

    Returns:
        The strategy's model, as GDumb makes copies; the accuracies it said.
    """
    strategy = getattr(supervised, name)(
        model=model, optimizer=torch.optim.AdamW(model.parameters(), lr=3e-3), train_mb_size=8,
        criterion=criterion or benchmark.loss, train_epochs=1, eval_mb_size=8, **options,
        evaluator=EvaluationPlugin(accuracy_metrics(experience=True), loggers=[TextLogger(io.StringIO())]),
    )  # fmt: skip
    streams = benchmark.to_avalanche()
    for experience in streams.train_stream:
        strategy.train(experience)
    said = strategy.eval(streams.test_stream)
    return strategy.model, {name: value for name, value in said.items() if name.startswith("Top1_Acc_Exp")}


@pytest.mark.filterwarnings("ignore:__array_wrap__ must accept context:DeprecationWarning")  # SI's own use of NumPy
@pytest.mark.parametrize("name", STRATEGIES)
def test_strategies_as_they_are(benchmark: TextBenchmark, name: str) -> None:
    if name == "GEM" and importlib.util.find_spec("quadprog") is None:
        pytest.skip("GEM needs the solver quadprog")
    torch.manual_seed(0)
    begun = benchmark.model().state_dict()
    model, said = trained(benchmark, benchmark.model(), name, STRATEGIES[name])
    assert len(said) == 4
    for key, tensor in model.state_dict().items():
        assert tensor.isfinite().all(), key
        if key.startswith("heads."):
            assert not torch.equal(tensor, begun[key]), key
    assert any(
        not torch.equal(model.state_dict()[key], first) for key, first in begun.items() if key.startswith("backbone.")
    )


def test_a_model_begins_as_our_learner_does_and_leaves_the_backbone_alone(benchmark: TextBenchmark) -> None:
    model = benchmark.model()
    assert {name: tuple(head.weight.shape) for name, head in model.heads.items()} == {
        "0": (1, 16), "1": (3, 16), "2": (2, 16), "3": (2, 16),
    }  # fmt: skip
    again = benchmark.model()
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, again.get_parameter(name))
        parameter.data.zero_()
    assert any(weight.any() for weight in benchmark.backbone.weights.values())


def test_groups_of_an_optimiser_hold_all_heads(benchmark: TextBenchmark) -> None:
    """Avalanche refuses a head that appears later where an optimiser has several groups."""
    model = benchmark.model()
    groups = [{"params": list(part.parameters())} for part in (model.backbone, model.heads)]
    strategy = supervised.Naive(
        model=model, optimizer=torch.optim.SGD(groups, lr=0.1), criterion=benchmark.loss, train_mb_size=8,
        evaluator=EvaluationPlugin(loggers=[TextLogger(io.StringIO())]),
    )  # fmt: skip
    for experience in benchmark.to_avalanche().train_stream:
        strategy.train(experience)
    assert [len(group["params"]) for group in strategy.optimizer.param_groups] == [len(g["params"]) for g in groups]


class Words(MultiTaskModule):  # type: ignore[misc]
    """A model of somebody's own: the mean of word vectors, and Avalanche's heads, which grow with the classes."""

    def __init__(self) -> None:
        super().__init__()
        self.table, self.heads = nn.Embedding(64, 8), MultiHeadClassifier(8, initial_out_features=1)

    def forward(self, x: Any, task_labels: Tensor) -> Tensor:
        output: Tensor = self.heads(self.table(x["input_ids"]).mean(1), task_labels)
        return output


def test_avalanches_own_heads(benchmark: TextBenchmark) -> None:
    """And its own criterion, where no task is a regression."""
    model: Any = Words()
    classes = replace(benchmark, tasks=benchmark.tasks[1:])
    trained(classes, model, "Naive", {}, nn.CrossEntropyLoss())
    assert [head.classifier.out_features for head in model.heads.classifiers.values()] == [3, 2, 2]


def test_bad_options_are_named_as_for_a_run() -> None:
    with pytest.raises(InputErrors, match="did you mean sms_spam"):
        houlsby26(suite="sms_spm")


def test_avalanche_is_imported_when_a_benchmark_is_made() -> None:
    """It takes seconds, which nobody else should wait for."""
    code = "import sys, stream, stream.avalanche; print('avalanche' in sys.modules, 'torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "False False\n"
