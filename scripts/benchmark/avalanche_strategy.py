"""Avalanche 0.6 as a contender: its benchmark of the same rows, its Naive strategy, its evaluation of every past task.

For an isolated learner, a plugin stores the trained weights of each task and restores them before the task is
evaluated. In a stream Avalanche does the same work as ours: it validates after each epoch, keeps the best epoch, and
evaluates all tasks before the first one is learned. Rows are arrays in memory, which Avalanche reads faster than a
`datasets.Dataset`. Each task gets a new optimiser, because Avalanche would carry the moments over.
"""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from avalanche.benchmarks import benchmark_from_datasets
from avalanche.benchmarks.scenarios import with_task_labels
from avalanche.benchmarks.scenarios.supervised import with_classes_timeline
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.models import MultiTaskModule
from avalanche.training.plugins import EvaluationPlugin, SupervisedPlugin
from avalanche.training.supervised import Naive
from avalanche.training.templates.base_sgd import PeriodicEval
from torch import Tensor, nn

from benchmark.clock import clocked
from benchmark.methods import model_of
from benchmark.rows import opened
from stream.avalanche.model import loss_of
from stream.avalanche.rows import avalanche_dataset
from tasks.encoded import EncodedTask

EVALUATION_BATCH = 16  # Avalanche does not sort rows by length, so larger batches have more padding


class Heads(MultiTaskModule):  # type: ignore[misc]
    """A transformers classifier with a head per task. All rows of a batch belong to one task."""

    def __init__(self, model: Any, outputs: Sequence[int]) -> None:
        super().__init__()
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model  # peft's wraps it
        inner.classifier = nn.Identity()
        self.model = model
        self.heads = nn.ModuleList(nn.Linear(model.config.hidden_size, width) for width in outputs)

    def forward(self, x: Mapping[str, Tensor], task_labels: Tensor) -> Tensor:
        output: Tensor = self.heads[int(task_labels[0])](self.model(**x).logits)
        return output


class Isolated(SupervisedPlugin):  # type: ignore[misc]
    """Own weights for each task: training starts at the pretrained ones; evaluation restores those of the task."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.first, self.stored = self._copy(), dict[int, dict[str, Tensor]]()

    def before_training_exp(self, strategy: Any, **_: Any) -> None:
        self._restore(self.first)

    def after_training_exp(self, strategy: Any, **_: Any) -> None:
        self.stored[strategy.experience.current_experience] = self._copy()

    def before_eval_exp(self, strategy: Any, **_: Any) -> None:
        if strategy.experience.origin_stream.name == "test":
            self._restore(self.stored.get(strategy.experience.current_experience, self.first))

    def _copy(self) -> dict[str, Tensor]:
        return {name: p.detach().clone() for name, p in self.trained.items()}

    def _restore(self, state: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, tensor in state.items():
                self.trained[name].copy_(tensor)


class BestEpoch(SupervisedPlugin):  # type: ignore[misc]
    """Restores the weights of the epoch that is best on validation rows. It must come before `Isolated`."""

    def before_training_exp(self, strategy: Any, **_: Any) -> None:
        self.best, self.weights = -1.0, dict[str, Tensor]()

    def after_eval(self, strategy: Any, **_: Any) -> None:
        if strategy.experience.origin_stream.name != "valid":
            return
        name = f"Top1_Acc_Exp/eval_phase/valid_stream/Task{strategy.experience.task_label:03d}"
        last = strategy.evaluator.get_last_metrics()
        (accuracy,) = (value for key, value in last.items() if key.startswith(name))
        if accuracy > self.best:
            trained = ((key, p) for key, p in strategy.model.named_parameters() if p.requires_grad)
            self.best, self.weights = accuracy, {key: p.detach().clone() for key, p in trained}

    def after_training_exp(self, strategy: Any, **_: Any) -> None:
        strategy.model.load_state_dict(self.weights, strict=False)


class Strategy(Naive):  # type: ignore[misc]
    """Naive, with a new AdamW for each task over the parameters that have gradients."""

    def make_optimizer(self, **_: Any) -> None:
        self.optimizer = torch.optim.AdamW([p for p in self.model.parameters() if p.requires_grad], lr=1e-4)
        self.optimized_param_id: dict[str, Tensor] = {}


def benchmark(tasks: Sequence[EncodedTask], pad_id: int) -> Any:
    """Avalanche's benchmark of a stream of tasks."""
    streams = {
        name: [avalanche_dataset(getattr(each, split), each.task, label, pad_id) for label, each in enumerate(tasks)]
        for name, split in (("train", "train"), ("valid", "validation"), ("test", "test"))
    }
    return with_classes_timeline(with_task_labels(benchmark_from_datasets(**streams)))


def strategy_of(
    folder: str, learner: str, tasks: Sequence[EncodedTask], batch_size: int, epochs: int, best_epoch: bool = False
) -> Strategy:
    """A strategy for a learner. `full:sequential` trains one model for all tasks; the others have weights per task.

    Args:
        learner: One of `LEARNERS`, or `full:sequential`.
        best_epoch: Validate after each epoch on the streams given to `train`, and keep the best epoch. Default: no.
    """
    name, _, rest = learner.partition(":")
    sequential = rest == "sequential"
    model = Heads(
        model_of(folder, name if sequential else learner, 2, library=False), [each.task.outputs for each in tasks]
    )
    validating = [BestEpoch(), PeriodicEval(eval_every=1, do_initial=False)] if best_epoch else []
    return Strategy(
        model=model,
        optimizer=torch.optim.AdamW(model.parameters()),
        criterion=loss_of,
        train_mb_size=batch_size,
        train_epochs=epochs,
        eval_mb_size=EVALUATION_BATCH,
        device="cpu",
        plugins=[*validating, *([] if sequential else [Isolated(model.model)])],
        evaluator=EvaluationPlugin(accuracy_metrics(experience=True), loggers=[]),
    )


def train(
    folder: str, data: str, learner: str, examples: int, epochs: int, batch_size: int, **_: Any
) -> dict[str, Any]:
    """Train on one task from the pretrained weights. The timed part is `strategy.train`."""
    torch.manual_seed(0)
    task = opened(data, examples, 1)
    strategy = strategy_of(folder, learner, [task], batch_size, epochs)
    (experience,) = benchmark([task], strategy.model.model.config.pad_token_id).train_stream
    with clocked() as spent:
        strategy.train(experience, eval_streams=[])
    return {**spent.as_dict(), "examples": epochs * len(task.train), "loss": strategy.loss.item()}


def evaluate(
    folder: str, data: Sequence[str], learner: str, test_examples: int, count: int, **_: Any
) -> dict[str, Any]:
    """Evaluate the first `count` tasks, each with its own weights. The weights are untrained, which costs the same."""
    tasks = [opened(path, 1, test_examples) for path in data[:count]]
    strategy = strategy_of(folder, learner, tasks, 1, 0)
    made = benchmark(tasks, strategy.model.model.config.pad_token_id)
    with clocked() as spent:
        strategy.eval(made.test_stream)
    return spent.as_dict()


def stream(
    folder: str, data: Sequence[str], learners: Sequence[str], examples: int, test_examples: int, epochs: int,
    batch_size: int, **_: Any,
) -> dict[str, Any]:  # fmt: skip
    """Run a whole stream for one learner after the other: evaluate all tasks; train on each, then evaluate all so far.

    Returns:
        `learners`: seconds, and accuracies after the last task, by learner.
    """
    found = {}
    for learner in learners:
        torch.manual_seed(0)
        with clocked() as spent:
            tasks = [opened(path, examples, test_examples) for path in data]
            strategy = strategy_of(folder, learner, tasks, batch_size, epochs, best_epoch=True)
            made = benchmark(tasks, strategy.model.model.config.pad_token_id)
            metrics = strategy.eval(made.test_stream)
            for place, experience in enumerate(made.train_stream, start=1):
                strategy.train(experience, eval_streams=[made.valid_stream[place - 1 : place]])
                metrics = strategy.eval(made.test_stream[:place])
        ours = (name for name in sorted(metrics) if name.startswith("Top1_Acc_Exp/eval_phase/test"))  # by task
        accuracies = [metrics[name] for name in ours]
        found[learner] = {**spent.as_dict(), "accuracies": accuracies}
    return {"learners": found}
