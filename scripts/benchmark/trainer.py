"""`transformers.Trainer` as a contender, with peft if it has the method. It is set up as in its documentation: float32,
sdpa attention, a `datasets.Dataset` of tokenised rows, DataCollatorWithPadding."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
from torch import Tensor, nn

from benchmark.clock import clocked
from benchmark.methods import model_of
from benchmark.rows import classes, opened, rows
from stream.execution.evaluate_job import scorer
from tasks.encoded import EncodedTask


def trainer_of(
    model: nn.Module,
    folder: str,
    task: EncodedTask,
    out: str,
    epochs: int,
    batch_size: int,
    rate: float,
    cpu: bool = True,
    **more: Any,
) -> Any:
    """A Trainer of a model on a task's training rows, on the CPU by default. `more` goes to `TrainingArguments`."""
    from datasets import Dataset
    from transformers import AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments

    arguments = TrainingArguments(
        output_dir=out,
        per_device_train_batch_size=batch_size,
        num_train_epochs=epochs,
        learning_rate=rate,
        use_cpu=cpu,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        **more,
    )
    return Trainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows(task.train)),
        data_collator=DataCollatorWithPadding(AutoTokenizer.from_pretrained(folder)),
    )


def train(
    folder: str, data: str, learner: str, examples: int, epochs: int, batch_size: int, **_: Any
) -> dict[str, Any]:
    """Train once from the pretrained weights. The timed part is `Trainer.train`."""
    task = opened(data, examples, 1)
    with tempfile.TemporaryDirectory() as out:
        model = model_of(folder, learner, classes(task.task), library=True)
        trainer = trainer_of(model, folder, task, out, epochs, batch_size, 1e-4)
        with clocked() as spent:
            result = trainer.train()
    return {**spent.as_dict(), "examples": epochs * len(task.train), "loss": result.training_loss}


class SamePooling(nn.Module):
    """A transformers classifier with the same pooling as ours: the mean over tokens, or the pooler."""

    def __init__(self, classifier: Any, pooling: str) -> None:
        super().__init__()
        inner = classifier.get_base_model() if hasattr(classifier, "get_base_model") else classifier  # peft's wraps it
        self.classifier, self.encoder, self.pooling = classifier, inner.base_model, pooling
        self.head = nn.Linear(inner.config.hidden_size, inner.config.num_labels)
        nn.init.normal_(self.head.weight, std=inner.config.initializer_range)
        nn.init.zeros_(self.head.bias)

    def forward(self, labels: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        output = self.encoder(**inputs)
        mask = inputs["attention_mask"].unsqueeze(-1)
        mean = (output.last_hidden_state * mask).sum(1) / mask.sum(1)
        read = mean if self.pooling == "mean" else output.pooler_output
        logits = self.head(nn.functional.dropout(read, 0.1, self.training))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def scored(
    folder: str, pooling: str, data: str, learner: str, examples: int, test_examples: int, epochs: int,
    batch_size: int, seed: int, rate: float, **_: Any,
) -> dict[str, Any]:  # fmt: skip
    """Test score after training with our optimiser, schedule and pooling."""
    from datasets import Dataset
    from transformers import set_seed

    task = opened(data, examples, test_examples, seed)
    set_seed(seed)
    with tempfile.TemporaryDirectory() as out:
        model = SamePooling(model_of(folder, learner, classes(task.task), library=True), pooling)
        trainer = trainer_of(
            model, folder, task, out, epochs, batch_size, rate,
            warmup_steps=0.1, weight_decay=0.01, adam_epsilon=1e-6, max_grad_norm=1.0, seed=seed,
            remove_unused_columns=False,
        )  # fmt: skip
        trainer.train()
        logits = trainer.predict(Dataset.from_list(rows(task.test))).predictions
    return {"score": scorer(task.task)(np.asarray(task.test.target), logits)}
