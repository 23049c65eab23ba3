"""`transformers.Trainer`, with peft where it has the method, as its documentation sets it up: float32, sdpa attention,
a `datasets.Dataset` of tokenised rows, DataCollatorWithPadding."""

from __future__ import annotations

import tempfile
from typing import Any

from benchmark.clock import clocked
from benchmark.methods import model_of
from benchmark.rows import classes, opened, rows


def train(
    folder: str, data: str, learner: str, examples: int, epochs: int, batch_size: int, **_: Any
) -> dict[str, Any]:
    """Train once, from the pretrained weights; the clock runs during `Trainer.train`."""
    from datasets import Dataset
    from transformers import AutoTokenizer, DataCollatorWithPadding, Trainer, TrainingArguments

    task = opened(data, examples, 1)
    with tempfile.TemporaryDirectory() as out:
        arguments = TrainingArguments(
            output_dir=out,
            per_device_train_batch_size=batch_size,
            num_train_epochs=epochs,
            learning_rate=1e-4,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
        )
        trainer = Trainer(
            model=model_of(folder, learner, classes(task.task), library=True),
            args=arguments,
            train_dataset=Dataset.from_list(rows(task.train)),
            data_collator=DataCollatorWithPadding(AutoTokenizer.from_pretrained(folder)),
        )
        with clocked() as spent:
            result = trainer.train()
    return {**spent.as_dict(), "examples": epochs * len(task.train), "loss": result.training_loss}
